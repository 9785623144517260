import * as z from "zod";
import type { CloudflareClient, LiveShare, WorkerBinding, WorkerName, WorkerVersion } from "../cloud/cloudflare.ts";
import { RotationError } from "../rotation/errors.ts";
import type { Credential } from "../rotation/keys.ts";
import type { LiveState } from "../rotation/observation.ts";
import type { Receipt } from "../rotation/record.ts";
import { Secret } from "../rotation/secret.ts";
import type { Destination, Preflight } from "../rotation/world.ts";

const VariableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/);

export type CloudflareWorkerOptions = z.infer<typeof CloudflareWorkerOptions>;
export const CloudflareWorkerOptions = z.strictObject({
  kind: z.literal("cloudflare-worker"),
  accountId: z.string().regex(/^[0-9a-f]{32}$/),
  /** The script's name. A Wrangler environment is a script of its own: "api-staging". */
  worker: z.string().regex(/^[a-z0-9_][a-z0-9_-]*$/),
  /** What the Worker calls the two halves of the pair. */
  secrets: z
    .strictObject({ accessKeyId: VariableName, secretAccessKey: VariableName })
    .refine((names) => names.accessKeyId !== names.secretAccessKey, "the two halves of a pair need two names"),
  /** The Secrets Manager secret that holds the Cloudflare API token. Not a custody secret: those begin with keyturn. */
  apiToken: z
    .string()
    .min(1)
    .refine((name) => !name.startsWith("keyturn"), "must not begin with keyturn"),
});

/** What the options alone say. */
export const cloudflareWorkerFacts = ({ accountId, worker, secrets }: CloudflareWorkerOptions) => ({
  name: `cloudflare-worker:${worker}`,
  slots: Object.values(secrets).map((name) => `cloudflare-worker:${accountId}/${worker}/${name}`),
  readsCustody: false,
});

/** The newest version, when it alone is live; or why that is not so. */
type Standing =
  | { readonly kind: "clean"; readonly live: WorkerVersion }
  | { readonly kind: "unclean"; readonly because: string };

/**
 * Two secrets of a Cloudflare Worker, set in one version that is deployed at once. Nothing is delivered while the
 * newest version is not the live one: setting a secret deploys the newest, and so would ship what nobody released.
 */
export function createCloudflareWorker(options: CloudflareWorkerOptions, cloudflare: CloudflareClient): Destination {
  const worker: WorkerName = { accountId: options.accountId, script: options.worker };
  const doing = `delivering to Worker ${options.worker}`;

  async function standing(): Promise<Standing> {
    const live = await cloudflare.live(worker);
    return judgeStanding(live, await cloudflare.versions(worker));
  }

  async function deliver(credential: Credential, anchor: string | null): Promise<Receipt> {
    const before = await standing();
    if (before.kind === "unclean") throw new RotationError("Conflict", `${doing}, ${before.because}`);
    if (anchor !== null && before.live.id !== anchor) {
      throw new RotationError("Conflict", `${doing}, another version went live since the pre-flight`);
    }
    // A write of unknown outcome is thrown as it is. Reading back would tell nothing: the request may still be under
    // way, and a new version does not say whose it is. Delivering the same pair again is harmless.
    await cloudflare.putSecrets(worker, {
      [options.secrets.accessKeyId]: new Secret(credential.id),
      [options.secrets.secretAccessKey]: credential.secret,
    });
    // Cloudflare has said that the pair is set. That it cannot be read back takes nothing from that but the version.
    const after = await standing().catch(() => null);
    // Ours is the live version if it is the very next after the anchor. Else somebody deployed too.
    const isOurs = after?.kind === "clean" && after.live.number === before.live.number + 1;
    return { anchor: before.live.id, version: isOurs ? after.live.id : null };
  }

  return {
    ...cloudflareWorkerFacts(options),
    async preflight(): Promise<Preflight> {
      const now = await standing();
      if (now.kind === "unclean") return { kind: "blocked", because: now.because };
      const secrets = await cloudflare.secrets(worker);
      const isSet = (name: string) => secrets.some((one) => one.name === name && one.type === "secret_text");
      const missing = Object.values(options.secrets).filter((name) => !isSet(name));
      if (missing.length === 0) return { kind: "ready", anchor: now.live.id };
      const bindings = await cloudflare.bindings(worker, now.live.id);
      return { kind: "blocked", because: missing.map((name) => describeMissing(bindings, name)).join("; ") };
    },
    deliver,
    async live(receipt): Promise<LiveState> {
      const shares = await cloudflare.live(worker);
      return judgeLive(receipt, shares, await cloudflare.versions(worker));
    },
  };
}

function judgeStanding(live: readonly LiveShare[], versions: readonly WorkerVersion[]): Standing {
  const unclean = (because: string): Standing => ({ kind: "unclean", because });
  const [only] = live;
  if (only === undefined) return unclean("the Worker was never deployed. Deploy it once");
  if (live.length > 1) return unclean("a gradual deployment is under way. Finish it, or take it back");
  const [newest] = versions.toSorted((a, b) => b.number - a.number);
  if (newest?.id === only.versionId) return { kind: "clean", live: newest };
  return unclean(
    "the newest version is not the live one, and would go live with the pair. Deploy it, or upload the live one again",
  );
}

function describeMissing(bindings: readonly WorkerBinding[], name: string): string {
  const taken = bindings.find((binding) => binding.name === name);
  if (taken === undefined) {
    return `the Worker has no secret ${name}. Correct the name, or set it once with wrangler secret put`;
  }
  return `${name} is a ${taken.type} binding and no secret. Remove it, and set it with wrangler secret put`;
}

/**
 * Every version keeps the secrets that it was made with, so an anchor or an older version, brought back, brings an older
 * pair back. A newer one that is not known to be ours is presumed to have inherited the pair, and is `foreign`.
 */
function judgeLive(receipt: Receipt | null, live: readonly LiveShare[], versions: readonly WorkerVersion[]): LiveState {
  const ids = live.filter((share) => share.percentage > 0).map((share) => share.versionId);
  if (receipt === null || ids.length === 0) return "unknown";
  if (ids.every((id) => id === receipt.version)) return "ours";
  const numberOf = (id: string | null): number | undefined => versions.find((version) => version.id === id)?.number;
  const anchor = numberOf(receipt.anchor);
  const isBefore = (id: string): boolean => {
    const number = numberOf(id);
    return id === receipt.anchor || (number !== undefined && anchor !== undefined && number < anchor);
  };
  return ids.some(isBefore) ? "previous" : "foreign";
}
