import type { PagesClient, PagesDeployment, PagesProject } from "../../src/cloud/cloudflare-pages.ts";
import { createCloudflarePages } from "../../src/destinations/cloudflare-pages.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import type { Receipt } from "../../src/rotation/record.ts";
import { hours, minutes } from "../../src/rotation/time.ts";
import type { SigningPair } from "../world/caller.ts";
import { CloudflareRefusal } from "../world/cloudflare.ts";
import type { MemoryDestination } from "../world/memory-destination.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import { askPages, Pages } from "../world/pages.ts";
import type { Dice } from "./dice.ts";
import type { Stage } from "./stage.ts";

/** A place that stores a pair first, and shows it in the next deployment: one that Keyturn can begin, or somebody's upload. */
export interface StoredPlan {
  readonly isGit: boolean;
  readonly buildMs: number;
}

/** What people do to such a place, and nobody does to a Worker. */
interface Builds {
  readonly isGit: boolean;
  /** How those end that begin from now on. */
  breakAll(isBroken: boolean): void;
  /** Somebody cancels the build that is under way; tells whether there was one. */
  cancel(): boolean;
  /** The next delivery stores its pair, and then fails. */
  tearNext(): void;
  /** A pair is stored that is not live. */
  readonly isAwaited: () => boolean;
}

/** A place that a pair is delivered to, with its consumer in it. */
export interface Workplace extends MemoryDestination {
  /** The pair that its consumer signs with at an instant, and until when if nobody does anything. */
  readonly heldAt: (atMs: number) => { readonly pair: SigningPair; readonly untilMs: number };
  /** What is live is what was live before the last delivery, or older. */
  readonly isBroughtBack: () => boolean;
  /** It is on record that what was delivered last went live. */
  readonly heardLive: (keyId: string) => void;
  /** When somebody last rolled it back or set a pair by hand. */
  readonly touchedMs: () => number;
  /** Null where what is delivered is live at once. */
  readonly builds: Builds | null;
}

/** So many places store first. */
const STORED = 0.3;

export const drawStored = (dice: Dice): StoredPlan | null =>
  dice.chance(STORED)
    ? { isGit: dice.chance(0.6), buildMs: dice.pick([minutes(3), minutes(20), hours(2), hours(9)]) }
    : null;

/** A place where what is delivered is live at once, all or nothing. */
export function atomicWorkplace(stage: Stage, name: string, first: SigningPair): Workplace {
  const worker = memoryDestination(name, first);
  const plain = { ...worker };
  const numberOf = (version: string | null | undefined): number => Number(version?.slice(1) ?? 0);
  let touchedMs = Number.NEGATIVE_INFINITY;
  /** The oldest version that was live before a delivery of the last key: what somebody deployed since may have its pair. */
  let last: { readonly keyId: string; readonly anchor: number } | null = null;
  return Object.assign(worker, {
    builds: null,
    touchedMs: () => touchedMs,
    heldAt: () => ({ pair: worker.pair(), untilMs: Number.POSITIVE_INFINITY }),
    heardLive: () => undefined,
    isBroughtBack: () => last !== null && numberOf(worker.liveVersion()) <= last.anchor,
    deliver: async (...[credential, anchor]: Parameters<typeof worker.deliver>) => {
      const receipt = await plain.deliver(credential, anchor);
      const before = last?.keyId === credential.id ? last.anchor : Number.POSITIVE_INFINITY;
      last = { keyId: credential.id, anchor: Math.min(before, numberOf(anchor)) };
      return receipt;
    },
    rollBackTo: (version: string) => {
      touchedMs = stage.clock.now();
      plain.rollBackTo(version);
    },
    setByHand: (pair: SigningPair) => {
      touchedMs = stage.clock.now();
      plain.setByHand(pair);
    },
  });
}

const ACCOUNT = "account";
const NAMES = { accessKeyId: "KEY_ID", secretAccessKey: "SECRET" };

/** A project of Cloudflare Pages, served by the production destination; only HTTP is left out. */
export function storedWorkplace(
  stage: Stage,
  { name, first, plan }: { name: string; first: SigningPair; plan: StoredPlan },
): Workplace {
  let [atMs, touchedMs, isTorn]: [number | null, number, boolean] = [null, Number.NEGATIVE_INFINITY, false];
  let [last, isSeen]: [Receipt | null, boolean] = [null, false];
  const pages = new Pages({ now: () => atMs ?? stage.clock.now() });
  const project = pages.create(ACCOUNT, name, { isGit: plan.isGit });
  const live = () => pages.live(ACCOUNT, name) ?? project.deployments[0];
  const pairIn = (secrets: Readonly<Record<string, string>> = {}): SigningPair => ({
    keyId: secrets[NAMES.accessKeyId] ?? "",
    secret: secrets[NAMES.secretAccessKey] ?? "",
  });
  const store = (pair: SigningPair): void => {
    const variables = { KEY_ID: pair.keyId, SECRET: pair.secret };
    const entries = Object.entries(variables).map(([key, value]) => [key, { type: "secret_text", value }]);
    pages.change(project, "production", { env_vars: Object.fromEntries(entries) });
  };
  const deploy = (buildMs: number, commit = `commit ${String(project.deployments.length + 1)}`): void => {
    pages.buildMs = buildMs;
    pages.deploy(ACCOUNT, name, commit);
    pages.buildMs = plan.buildMs;
  };
  store(first);
  deploy(0);

  const served = () =>
    project.deployments.filter(({ end, endsAt }) => end === "success" && endsAt <= stage.clock.now());
  const client = directPages(pages, name);
  const torn: PagesClient = {
    ...client,
    set: async (...how) => {
      if (!worker.losesPushes) await client.set(...how);
      if (!isTorn) return;
      isTorn = false;
      throw new RotationError("Unreachable", `setting the pair of ${name}, no answer came`, { outcomeUnknown: true });
    },
  };
  const secrets = { ...NAMES };
  const destination = createCloudflarePages(
    { kind: "cloudflare-pages", accountId: ACCOUNT, project: name, secrets, apiToken: "token" },
    torn,
  );
  const builds: Builds = {
    isGit: plan.isGit,
    breakAll: (isBroken) => {
      pages.buildsEnd = isBroken ? "failure" : "success";
    },
    cancel: () => {
      const running = project.deployments.find(({ endsAt }) => endsAt > stage.clock.now());
      if (running !== undefined) Object.assign(running, { end: "failure", endsAt: stage.clock.now() });
      return running !== undefined;
    },
    tearNext: () => {
      isTorn = true;
    },
    isAwaited: () => project.configs.production.variables[NAMES.accessKeyId]?.value !== worker.pair().keyId,
  };
  const heldAt: Workplace["heldAt"] = (when) => {
    atMs = when;
    const found = live();
    atMs = null;
    const ends = project.deployments.map(({ endsAt }) => endsAt).filter((endsAt) => endsAt > when);
    return { pair: pairIn(found?.secrets), untilMs: Math.min(Number.POSITIVE_INFINITY, ...ends) };
  };
  const worker: Workplace = {
    name,
    slots: [name],
    readsCustody: false,
    blockedBecause: null,
    failing: null,
    isMissing: false,
    losesPushes: false,
    deliveries: [],
    builds,
    heldAt,
    touchedMs: () => touchedMs,
    pair: () => pairIn(live()?.secrets),
    liveVersion: () => live()?.id ?? "",
    deployByOthers: () => {
      deploy(plan.buildMs);
    },
    rollBackTo: (version) => {
      const to = project.deployments[Number(version.slice(1)) - 1];
      if (to === undefined || to.end === "failure" || to.endsAt > stage.clock.now()) return;
      touchedMs = stage.clock.now();
      pages.rollBack(ACCOUNT, name, to.id);
    },
    isRolledBack: () =>
      live() !==
      served()
        .toSorted((one, other) => one.endsAt - other.endsAt)
        .at(-1),
    versionWith: (keyId) => {
      const found = served().findLast((made) => made.secrets[NAMES.accessKeyId] === keyId && made !== live());
      return found === undefined ? null : `v${String(project.deployments.indexOf(found) + 1)}`;
    },
    setByHand: (pair) => {
      touchedMs = stage.clock.now();
      store(pair);
      deploy(0);
    },
    versions: () => project.deployments.length,
    isBroughtBack: () => {
      const mark = last?.version ?? last?.anchor ?? null;
      const ours = project.deployments.find(({ id }) => mark?.endsWith(id) === true);
      // An upload that went and came between two sweeps nobody could have seen.
      const wasLive = last?.version === null ? isSeen : ours !== undefined && served().includes(ours);
      const limit = (ours?.createdAt ?? 0) + (last?.version === null ? 1 : 0);
      return wasLive && (live()?.createdAt ?? 0) < limit;
    },
    preflight: async () => {
      if (worker.isMissing) throw new RotationError("NotFound", `looking at ${name}, there is no such project`);
      if (worker.blockedBecause !== null) return { kind: "blocked", because: worker.blockedBecause };
      return destination.preflight();
    },
    deliver: async (credential, anchor) => {
      if (worker.isMissing) throw new RotationError("NotFound", `delivering to ${name}, there is no such project`);
      [last, isSeen] = [await destination.deliver(credential, anchor), false];
      worker.deliveries.push(credential.id);
      return last;
    },
    live: (receipt) => destination.live(receipt),
    heardLive: (keyId) => {
      isSeen ||= keyId === worker.deliveries.at(-1);
    },
  };
  return worker;
}

/** Cloudflare's answers without a wire. */
function directPages(pages: Pages, name: string): PagesClient {
  const root = `/accounts/${ACCOUNT}/pages/projects/${name}`;
  const ask = async (method: string, path: string, body = ""): Promise<unknown> => {
    await Promise.resolve();
    try {
      return askPages(pages, { method, path: root + path, query: new URLSearchParams(), body } as never);
    } catch (thrown) {
      if (!(thrown instanceof CloudflareRefusal)) throw thrown;
      throw new RotationError(thrown.status === 404 ? "NotFound" : "Misconfigured", `asking Pages, ${thrown.message}`);
    }
  };
  return {
    project: async () => (await ask("GET", "")) as PagesProject,
    deployment: async (_, id) => (await ask("GET", `/deployments/${id}`)) as PagesDeployment,
    newest: async () => (await ask("GET", "/deployments")) as PagesDeployment[],
    rebuild: async (_, id) => (await ask("POST", `/deployments/${id}/retry`)) as PagesDeployment,
    set: async (_, { values, environments }) => {
      const entries = Object.entries(values).map(([key, value]) => [
        key,
        { type: "secret_text", value: value.reveal() },
      ]);
      const config = { env_vars: Object.fromEntries(entries) };
      const configs = Object.fromEntries(environments.map((environment) => [environment, config]));
      await ask("PATCH", "", JSON.stringify({ deployment_configs: configs }));
    },
  };
}
