import * as z from "zod/mini";
import type { CloudflareClient, WorkerBinding, WorkerName, WorkerVersion } from "../cloud/cloudflare.ts";
import type { AskHealth } from "../cloud/worker-health.ts";
import type { AccessKeyId, Credential } from "../rotation/keys.ts";
import type { Health, LiveState } from "../rotation/observation.ts";
import type { Receipt } from "../rotation/record.ts";
import { Secret } from "../rotation/secret.ts";
import { instant } from "../rotation/time.ts";
import type { Clock, Destination, Preflight, Random } from "../rotation/world.ts";
import { createDispatched } from "./worker/dispatched.ts";
import { deliverStaged } from "./worker/staged.ts";
import { describeOlder, judgeLive } from "./worker/standing.ts";
import { createTags } from "./worker/tags.ts";
import { openVersions } from "./worker/versions.ts";
import { createWatch, type Flaw, judgeHealth } from "./worker/watch.ts";

/** A secret of Secrets Manager that is not custody: those begin with keyturn. */
const TokenName = z.string().check(
  z.minLength(1),
  z.refine((name) => !name.startsWith("keyturn"), "must not begin with keyturn"),
);

const VariableName = z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/));

export type CloudflareWorkerOptions = z.infer<typeof CloudflareWorkerOptions>;
export const CloudflareWorkerOptions = z
  .strictObject({
    kind: z.literal("cloudflare-worker"),
    accountId: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
    /** The script's name. */
    worker: z.string().check(z.regex(/^[a-z0-9_][a-z0-9_-]*$/)),
    /** A named environment of Wrangler's: it is a script of its own, and "staging" of "api" is "api-staging". */
    environment: z.optional(z.string().check(z.regex(/^[a-z0-9_-]+$/))),
    /** The dispatch namespace that the script is in (Workers for Platforms). It has no versions to stage, and so no `health`. */
    dispatchNamespace: z.optional(z.string().check(z.regex(/^[a-z0-9_][a-z0-9_-]*$/))),
    /** What the Worker calls the two halves of the pair. */
    secrets: z
      .strictObject({ accessKeyId: VariableName, secretAccessKey: VariableName })
      .check(
        z.refine((names) => names.accessKeyId !== names.secretAccessKey, "the two halves of a pair need two names"),
      ),
    /** Other values that are set in the same call, such as AWS_REGION. They are secrets of the Worker: the call takes nothing else. */
    alongside: z.optional(z.record(VariableName, z.string())),
    /** The Secrets Manager secret that holds the Cloudflare API token. */
    apiToken: TokenName,
    /** The Worker's health route, and the secret that holds its bearer token. With it, deliveries are staged. */
    health: z.optional(z.strictObject({ url: z.url({ protocol: /^https$/ }), token: TokenName })),
  })
  .check(
    z.refine(
      (it) => it.dispatchNamespace === undefined || it.health === undefined,
      "a dispatch namespace takes no health",
    ),
    z.refine(
      (it) => Object.values(it.secrets).every((name) => !(name in (it.alongside ?? {}))),
      "the pair has its names alone",
    ),
  );

/** What the options alone say. */
export function cloudflareWorkerFacts(options: CloudflareWorkerOptions) {
  const { script, namespace } = workerOf(options);
  const place = namespace === undefined ? script : `${namespace}/${script}`;
  return {
    name: `cloudflare-worker:${place}`,
    slots: namesOf(options).map((name) => `cloudflare-worker:${options.accountId}/${place}/${name}`),
    readsCustody: false,
  };
}

function workerOf({
  accountId,
  worker,
  environment,
  dispatchNamespace: namespace,
}: CloudflareWorkerOptions): WorkerName {
  return { accountId, script: environment === undefined ? worker : `${worker}-${environment}`, namespace };
}

/** All that one call sets: the pair, and what goes with it. */
const namesOf = ({ secrets, alongside = {} }: CloudflareWorkerOptions): readonly string[] => [
  ...Object.values(secrets),
  ...Object.keys(alongside),
];

/** What a Worker is delivered to with: Cloudflare, and its health route where the options name one. */
interface WorkerClients {
  readonly cloudflare: CloudflareClient;
  readonly ask: AskHealth | null;
  readonly clock: Pick<Clock, "sleep" | "remainingMs">;
  readonly random: Pick<Random, "token">;
  /** The Workers that this run is staging for, shared by all its destinations; a destination's own where it is left out. */
  readonly staging?: Set<string>;
}

/**
 * Two secrets of a Cloudflare Worker, set in one version: deployed at once, or through 0 % where it has a health route.
 * Nothing is delivered while the newest version is not the live one: a version made of it would ship what nobody released.
 */
export function createCloudflareWorker(options: CloudflareWorkerOptions, clients: WorkerClients): Destination {
  const { cloudflare, ask, clock, random, staging: underWay = new Set() } = clients;
  const worker = workerOf(options);
  const plain = Object.entries(options.alongside ?? {}).map(([name, value]) => [name, new Secret(value)] as const);
  const tags = createTags(options.secrets.accessKeyId);
  const versions = openVersions(cloudflare, worker, ask === null ? null : tags);
  const valuesOf = ({ id, secret }: Credential): Readonly<Record<string, Secret>> => ({
    ...Object.fromEntries(plain),
    [options.secrets.accessKeyId]: new Secret(id),
    [options.secrets.secretAccessKey]: secret,
  });

  if (worker.namespace !== undefined) {
    return createDispatched(cloudflareWorkerFacts(options), { cloudflare, worker, names: namesOf(options), valuesOf });
  }

  async function deliverAtOnce(credential: Credential, anchor: string | null): Promise<Receipt> {
    const before = await versions.clean();
    if (anchor !== null && before.live.id !== anchor) {
      throw versions.conflict("another version went live since the pre-flight");
    }
    // A write of unknown outcome is thrown as it is. Reading back would tell nothing: the request may still be under
    // way, and a new version does not say whose it is. Delivering the same pair again is harmless.
    await cloudflare.putSecrets(worker, valuesOf(credential));
    // Cloudflare has said that the pair is set. That it cannot be read back takes nothing from that but the version.
    const after = await versions.standing().catch(() => null);
    // Ours is the live version if it is the very next after the anchor. Else somebody deployed too.
    const isOurs = after?.kind === "clean" && after.live.number === before.live.number + 1;
    return { anchor: before.live.id, version: isOurs ? after.live.id : null };
  }

  return {
    ...cloudflareWorkerFacts(options),
    async preflight(keyId = null, dead = []): Promise<Preflight> {
      const now = await versions.standing();
      if (now.kind === "unclean") return { kind: "blocked", because: now.because };
      const secrets = await cloudflare.secrets(worker);
      const isSet = (name: string) => secrets.some((one) => one.name === name && one.type === "secret_text");
      const missing = namesOf(options).filter((name) => !isSet(name));
      if (missing.length > 0) {
        const bindings = await cloudflare.bindings(worker, now.live.id);
        return { kind: "blocked", because: missing.map((name) => describeMissing(bindings, name)).join("; ") };
      }
      // A delivery that was left half way is seen through, whatever state it left the Worker in.
      const isUnfinished = keyId !== null && [now.live, now.newest].some((it) => tags.isFor(it, keyId));
      const flaw = ask === null || isUnfinished ? null : await flawBefore(ask, now.live, dead);
      if (flaw === null) return { kind: "ready", anchor: now.live.id };
      const because = `with the pair that it has, ${flaw.words} on its health route. Mend that first`;
      return { kind: "blocked", because };
    },
    async deliver(credential, anchor, replaced = null) {
      if (ask === null) return deliverAtOnce(credential, anchor);
      const [watch, nonce] = [createWatch(ask, clock), () => random.token().slice(0, 8)];
      const staging = { script: worker.script, versions, tags, watch, valuesOf, clock, nonce };
      const place = `${worker.accountId}/${worker.script}`;
      // Two users of one Worker who stage at once would each leave a version that the other may not go on from.
      if (underWay.has(place)) throw versions.conflict("a delivery of another user is under way there. It comes next");
      underWay.add(place);
      return deliverStaged(staging, { credential, anchor, replaced }).finally(() => underWay.delete(place));
    },
    ...(ask === null ? {} : { health: (keyId: AccessKeyId) => healthAt(ask, keyId) }),
    kept: async (receipt) => describeOlder(receipt, await cloudflare.versions(worker)),
    async live(receipt): Promise<LiveState> {
      const shares = await cloudflare.live(worker);
      return judgeLive(receipt, shares, await cloudflare.versions(worker));
    },
  };
}

/** What speaks against a delivery. Who was left with a dead key is refused for that, and is well again with the delivery. */
async function flawBefore(ask: AskHealth, version: WorkerVersion, dead: readonly AccessKeyId[]): Promise<Flaw> {
  const said = await ask(null);
  const flaw = judgeHealth(said, { version, keyId: null });
  const isLeft = flaw?.kind === "refused" && dead.some((id) => id.endsWith(said.keyId));
  return isLeft ? null : flaw;
}

async function healthAt(ask: AskHealth, keyId: AccessKeyId): Promise<Health> {
  const said = await ask(null);
  const flaw = judgeHealth(said, { version: null, keyId });
  const { lastSignedAt } = said;
  if (flaw === null)
    return { verdict: "healthy", because: null, lastSignedAt: lastSignedAt ? instant(lastSignedAt) : null };
  if (flaw.kind !== "refused") return { verdict: "unknown", because: flaw.words };
  return { verdict: "unhealthy", because: flaw.words, ...(keyId.endsWith(said.keyId) ? { isRefused: true } : {}) };
}

function describeMissing(bindings: readonly WorkerBinding[], name: string): string {
  const taken = bindings.find((binding) => binding.name === name);
  if (taken === undefined) {
    return `the Worker has no secret ${name}. Correct the name, or set it once with wrangler secret put`;
  }
  return `${name} is a ${taken.type} binding and no secret. Remove it, and set it with wrangler secret put`;
}
