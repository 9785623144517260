import type { WorkerVersion } from "../../cloud/cloudflare.ts";
import { RotationError } from "../../rotation/errors.ts";
import type { Credential } from "../../rotation/keys.ts";
import type { Receipt } from "../../rotation/record.ts";
import type { Secret } from "../../rotation/secret.ts";
import { minutes } from "../../rotation/time.ts";
import type { Clock, Replaced } from "../../rotation/world.ts";
import type { Purpose, Tags } from "./tags.ts";
import { type CleanStanding, isSame, type Versions, wholly } from "./versions.ts";
import type { createWatch, Flaw } from "./watch.ts";

/** What a whole delivery may take, its way back included. It is not begun with less, and ends within its lease. */
const TAKES_MS = minutes(4);

/** All that a staged delivery works with. */
export interface Staging {
  readonly script: string;
  readonly versions: Versions;
  readonly tags: Tags;
  readonly watch: ReturnType<typeof createWatch>;
  readonly valuesOf: (credential: Credential) => Readonly<Record<string, Secret>>;
  readonly clock: Pick<Clock, "remainingMs">;
  /** Eight digits that no other tag has. */
  readonly nonce: () => string;
}

/** The pair to be delivered, what the pre-flight saw live, and the pair that it replaces. */
export interface HandOver {
  readonly credential: Credential;
  readonly anchor: string | null;
  readonly replaced: Replaced | null;
}

/**
 * Delivers through a version of its own: staged, deployed at 0 %, asked by the override, deployed, watched for a minute. On
 * a flaw what was live before goes live again, and the old pair is put forward. Whoever dies in between has left a version
 * with our tag; the next run goes on from it.
 */
export async function deliverStaged(staging: Staging, { credential, anchor, replaced }: HandOver): Promise<Receipt> {
  const { versions, tags, script, clock } = staging;
  const doing = `delivering to Worker ${script}`;
  if (clock.remainingMs() < TAKES_MS) {
    throw new RotationError("Unreachable", `${doing}, too little is left of this run's time to see it through`);
  }
  const now = await versions.clean();
  if (anchor !== null && now.live.id !== anchor) {
    throw versions.conflict("another version went live since the pre-flight");
  }
  // What an earlier run has left, undeployed or live already; else a new version.
  const left = [now.newest, now.live].find((version) => tags.isFor(version, credential.id));
  const version = left ?? (await stage(staging, now, { purpose: "staged", credential }));
  const isLive = version.id === now.live.id;
  const course = { version, keyId: credential.id, now, replaced };
  const flaw = (isLive ? null : await goLive(staging, course)) ?? (await seeLive(staging, course));
  if (flaw === null) return { anchor: now.live.id, version: version.id };
  const before = isLive ? await formerOf(staging, course) : now.live;
  const undone = await goBack(staging, course, before);
  const said = `${doing}, version ${String(version.number)} is no good: ${flaw.words}. ${undone}`;
  throw new RotationError(flaw.kind === "refused" ? "Misconfigured" : "Unreachable", said);
}

function stage(
  { versions, tags, valuesOf, nonce }: Staging,
  now: CleanStanding,
  { purpose, credential }: { readonly purpose: Purpose; readonly credential: Credential },
): Promise<WorkerVersion> {
  return versions.stage(now, tags.tagOf(purpose, credential.id, nonce()), valuesOf(credential));
}

interface Course extends Pick<HandOver, "replaced"> {
  readonly version: WorkerVersion;
  readonly keyId: Credential["id"];
  /** What was live when this run began. */
  readonly now: CleanStanding;
}

/** Live at 0 %, and then wholly if it answers as it should. */
async function goLive({ versions, watch, script }: Staging, { version, keyId, now }: Course): Promise<Flaw> {
  const beside = [...wholly(now.live), { versionId: version.id, percentage: 0 }];
  await versions.deploy(now.shares, beside);
  const flaw = await watch.becomesHealthy({ version, keyId, override: script });
  if (flaw === null) await versions.deploy(beside, wholly(version));
  return flaw;
}

async function seeLive({ versions, watch }: Staging, { version, keyId }: Course): Promise<Flaw> {
  const flaw = await watch.staysHealthy({ version, keyId, override: null });
  const [live] = await versions.deployments();
  if (!isSame(live?.shares, wholly(version))) throw versions.conflict("somebody deployed meanwhile. Theirs stays live");
  // It answered before it went live. Whether it has arrived everywhere is seen by the next run, which watches again.
  if (flaw?.kind === "elsewhere") throw new RotationError("Unreachable", `watching the live route, ${flaw.words} yet`);
  return flaw;
}

/** What was live before a version that an earlier run put live; null where that run replaced nothing. */
async function formerOf({ versions }: Staging, { version, replaced }: Course): Promise<WorkerVersion | null> {
  const before = (await versions.deployments()).find(({ shares }) => !shares.some((it) => it.versionId === version.id));
  return replaced === null || before === undefined ? null : versions.named(before.shares[0]?.versionId ?? "");
}

const MEND = "Set the old pair with wrangler versions secret bulk, and deploy that version, before anybody deploys";

/**
 * Back to what was live before, by force: Cloudflare refuses to go back past a change of secrets without. Then a version
 * with the old pair, since the next deploy of anybody inherits what the newest version holds. Says what became of it.
 */
async function goBack(staging: Staging, { version, replaced }: Course, before: WorkerVersion | null): Promise<string> {
  const { versions, watch } = staging;
  try {
    const [live] = await versions.deployments();
    const isOurs = live?.shares.some(({ versionId }) => versionId === version.id) === true;
    if (!isOurs) return "Somebody deployed since: theirs stays live, and may carry that pair";
    if (before === null) return "Nothing is known to go back to: deploy a version with a pair that works";
    await versions.deploy(live.shares, wholly(before), true);
    const old = (await replaced?.()) ?? null;
    const said = `Version ${String(before.number)} is live again`;
    if (old === null) return `${said}; the newest holds the new pair. ${MEND}`;
    const flaw = await watch.becomesHealthy({ version: before, keyId: old.id, override: null });
    if (flaw !== null) return `${said}, but ${flaw.words}. ${MEND}`;
    const back = await stage(staging, await versions.clean(), { purpose: "back", credential: old });
    await versions.deploy(wholly(before), wholly(back));
    return `${said}, and the old pair is put forward`;
  } catch (error) {
    if (!(error instanceof RotationError)) throw error;
    return `Going back failed: ${error.message}`;
  }
}
