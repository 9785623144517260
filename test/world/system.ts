import type { Profile } from "../../src/rotation/policy.ts";
import { days, hours, instant } from "../../src/rotation/time.ts";
import type { Journal, World } from "../../src/rotation/world.ts";
import type { SweepResult } from "../../src/sweep.ts";
import { aProfile } from "../builders.ts";
import type { CloudAnswer } from "./call.ts";
import type { SigningPair } from "./caller.ts";
import { MemoryJournal } from "./direct/journal.ts";
import type { DirectWorld } from "./direct/world.ts";
import type { Installation } from "./installation.ts";
import { install } from "./installation.ts";
import type { MemoryDestination } from "./memory-destination.ts";
import { memoryDestination } from "./memory-destination.ts";
import type { Consumer } from "./workloads.ts";
import { consumer } from "./workloads.ts";

export const DEPLOY = "deploy";
const WORKER_NAME = "cloudflare-worker:api";

/** The hand-made key is in use: its Worker called this long before the first sweep, and last-used shows it. */
const USED_AGO_MS = hours(5);

/** One user with one hand-made key, one Worker that is delivered to, and the Worker's calls. */
export interface System {
  readonly here: Installation;
  readonly first: SigningPair;
  readonly worker: MemoryDestination;
  readonly calls: Consumer;
  /** One call of the Worker: give it to `pass` as what happens in between. */
  readonly work: () => void;
}

export interface SystemOptions {
  /** How old the hand-made key is at the start; 80 days, and so due, where it is not said. */
  readonly ageMs?: number;
  /** False: nobody ever used the hand-made key. */
  readonly isUsed?: boolean;
  readonly profile?: Partial<Profile>;
  readonly bend?: (world: DirectWorld) => World;
}

export async function aSystem(options: SystemOptions = {}): Promise<System> {
  const profile = aProfile(options.profile);
  const here = await install({
    profiles: { [profile.name]: profile },
    ...(options.bend === undefined ? {} : { bend: options.bend }),
  });
  here.cloud.iam.createUser({ name: DEPLOY, tags: { keyturn: profile.name } });
  const first = handMade(here, options.ageMs ?? days(80));
  const worker = memoryDestination(WORKER_NAME, first);
  here.destinations = { [profile.name]: [worker] };
  const calls = aWorkerOf(here, worker);
  if (options.isUsed !== false) calls.work();
  here.clock.advance(USED_AGO_MS);
  return { here, first, worker, calls, work: () => void calls.work() };
}

/** The first rotation is over but for the wait: the hand-made key in its quiet, K2 current. */
export async function promoted(options: SystemOptions = {}): Promise<System & { readonly second: string }> {
  const system = await aSystem(options);
  const { here, work } = system;
  await here.passUntil(() => custodyOf(here) !== null, days(4), work);
  return { ...system, second: custodyOf(here) ?? "" };
}

/** The first key is deleted, the second current and alone. */
export async function settled(options: SystemOptions = {}): Promise<System & { readonly second: string }> {
  const system = await promoted(options);
  const { here, first, work } = system;
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
  return system;
}

/** The second rotation as far: K2 in its quiet, and in custody as the previous pair; K3 current. */
export async function twice(): Promise<System & { readonly second: string; readonly third: string }> {
  const system = await settled();
  const { here, second, work } = system;
  await here.passUntil(() => custodyOf(here) !== second, days(80), work);
  return { ...system, third: custodyOf(here) ?? "" };
}

/** The table is lost, and another in its place, which runs. */
export async function loseJournal(here: Installation): Promise<void> {
  here.journal = new MemoryJournal();
  await here.journal.setRunning(instant(here.clock.now()));
}

/** A key that a person made, and nobody used yet. */
export function handMade(here: Installation, ageMs = 0, user = DEPLOY): SigningPair {
  const key = here.cloud.iam.createKey(user, { createdAtMs: here.clock.now() - ageMs });
  return { keyId: key.id, secret: key.secret };
}

/** The Worker behind a destination, which calls Lambda: a data event, which CloudTrail does not show. */
export function aWorkerOf(here: Installation, worker: MemoryDestination): Consumer {
  return aCaller(here, worker.pair, "worker");
}

/** Somebody who calls Lambda with whatever pair it has. */
export function aCaller(here: Installation, pair: () => SigningPair, name = "caller"): Consumer {
  return consumer(here.cloud, {
    name,
    region: "us-east-1",
    sourceAddress: "203.0.113.9",
    userAgent: name,
    pair,
    call: { service: "lambda", operation: "Invoke" },
  });
}

/** The id of the key whose pair a label of custody shows, or null. */
export function custodyOf(here: Pick<Installation, "cloud">, stage = "AWSCURRENT", user = DEPLOY): string | null {
  const text = here.cloud.secretsManager.textOf(`keyturn/${user}`, stage);
  const value = JSON.parse(text ?? "{}") as Readonly<Record<string, unknown>>;
  return typeof value["AccessKeyId"] === "string" ? value["AccessKeyId"] : null;
}

/** What the sweep decided last for a user, in one line: "retire hold OldKeyQuieting held". */
export function lastOf(result: SweepResult | undefined, user = DEPLOY): string {
  const line = result?.users.find((entry) => entry.user === user)?.decisions.at(-1);
  return line === undefined ? "nothing" : `${line.rule} ${line.step} ${line.reason} ${line.outcome}`;
}

/** Everything that a sweep did for a user: the steps that were done. */
export function doneIn(result: SweepResult | undefined, user = DEPLOY): string[] {
  const lines = result?.users.find((entry) => entry.user === user)?.decisions ?? [];
  return lines.filter(({ outcome }) => outcome === "done").map(({ step }) => step);
}

/** The codes told about a user, each once, in the order of their first time. */
export function toldOf(here: Installation, user = DEPLOY): string[] {
  return [...new Set(here.notices.filter((notice) => notice.user === user).map(({ code }) => code))];
}

export const ofKey = ({ cloud }: Installation, id: string): "Active" | "Inactive" | "gone" => {
  const key = cloud.iam.keys.get(id);
  if (key === undefined || key.isDeleted) return "gone";
  return key.status === "Active" ? "Active" : "Inactive";
};

/** The pair of somebody with rights of their own: a person at the console, a clean-up job. */
function adminOf({ cloud }: Installation): SigningPair {
  if (!cloud.iam.users.has("admin")) cloud.iam.createUser({ name: "admin" });
  const key = cloud.iam.keysOf("admin")[0] ?? cloud.iam.createKey("admin");
  return { keyId: key.id, secret: key.secret };
}

export function person(here: Installation, user = DEPLOY) {
  const iam = (operation: string, input: Readonly<Record<string, unknown>>): CloudAnswer =>
    here.cloud.callAs(adminOf(here), {
      service: "iam",
      operation,
      input: { UserName: user, ...input },
    });
  return {
    setStatus: (id: string, status: "Active" | "Inactive") =>
      iam("UpdateAccessKey", { AccessKeyId: id, Status: status }),
    deleteKey: (id: string) => iam("DeleteAccessKey", { AccessKeyId: id }),
    createKey: (): SigningPair => {
      const key = iam("CreateAccessKey", {})["AccessKey"] as Readonly<Record<string, string>>;
      return { keyId: key["AccessKeyId"] ?? "", secret: key["SecretAccessKey"] ?? "" };
    },
    tag: (Key: string, Value: string) => iam("TagUser", { Tags: [{ Key, Value }] }),
    untag: (key: string) => iam("UntagUser", { TagKeys: [key] }),
  };
}

/** Somebody moves AWSCURRENT back to the version that was current before. */
export function moveLabelBack(here: Installation, user = DEPLOY): void {
  const SecretId = `keyturn/${user}`;
  const versions = [...(here.cloud.secretsManager.named(SecretId)?.versions.values() ?? [])];
  const withLabel = (stage: string) => versions.find(({ stages }) => stages.has(stage))?.id;
  here.cloud.callAs(adminOf(here), {
    service: "secretsmanager",
    operation: "UpdateSecretVersionStage",
    input: {
      SecretId,
      VersionStage: "AWSCURRENT",
      RemoveFromVersionId: withLabel("AWSCURRENT"),
      MoveToVersionId: withLabel("AWSPREVIOUS"),
    },
  });
}

/** The world with a journal of which some parts behave otherwise. */
export const journalWith = (world: DirectWorld, change: Partial<Journal>): World => {
  const { journal } = world;
  const parts: Journal = {
    read: async (user) => journal.read(user),
    write: async (revision, next) => journal.write(revision, next),
    readMany: async (users) => journal.readMany(users),
    history: async (user) => journal.history(user),
    sweepState: async () => journal.sweepState(),
    setRunning: async (since) => journal.setRunning(since),
    setPause: async (pause) => journal.setPause(pause),
    notePause: async (pause) => journal.notePause(pause),
    setMemory: async (memory, calls) => journal.setMemory(memory, calls),
  };
  return { ...world, journal: { ...parts, ...change } };
};

/** From now on every call of the run throws: the process died here. */
export function dyingWorld(world: DirectWorld, isDead: () => boolean): World {
  const mortal = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get(target, name, receiver) {
        const value: unknown = Reflect.get(target, name, receiver);
        if (typeof value !== "function") return value;
        return (...args: unknown[]): unknown => {
          if (isDead()) throw new Error("the process died");
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  return {
    ...world,
    accessKeys: mortal(world.accessKeys),
    custody: mortal(world.custody),
    directory: mortal(world.directory),
    prover: mortal(world.prover),
    evidence: mortal(world.evidence),
    journal: mortal(world.journal),
  };
}
