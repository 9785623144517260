import type { WorkerVersion } from "../../cloud/cloudflare.ts";
import type { AskHealth, WorkerHealth } from "../../cloud/worker-health.ts";
import { RotationError } from "../../rotation/errors.ts";
import type { AccessKeyId } from "../../rotation/keys.ts";
import { seconds } from "../../rotation/time.ts";
import type { Clock } from "../../rotation/world.ts";

const BETWEEN_ASKS_MS = seconds(5);
/** A deployment takes seconds to be everywhere. Source: Cloudflare Workers, version overrides. */
const ASKS_UNTIL_HEALTHY_MAX = 9;
/** Asked thirteen times, five seconds apart: a minute. */
const WATCH_ASKS = 13;
/** An answer may be lost on its way. One in which AWS refuses the pair is never let pass. */
const SILENT_IN_A_ROW_MAX = 3;

/** Why a version is no good. `elsewhere`: another version answered. `silent`: nothing can be said. Null: it is good. */
export type Flaw = { readonly kind: "refused" | "silent" | "elsewhere"; readonly words: string } | null;

/** What a version is to answer, and how it is reached: while it is at 0 %, by the override. */
export interface Expected {
  readonly version: WorkerVersion;
  readonly keyId: AccessKeyId;
  readonly override: string | null;
}

/** What AWS answers while it would rather not be asked: that says nothing of the pair. */
const THROTTLED = /throttl|toomany|limitexceeded/i;

/**
 * Any answer that AWS authenticated proves the pair, also one that denies access. Null: whichever version answers, or
 * whichever key it signs with.
 */
export function judgeHealth(
  { versionId, keyId, aws }: WorkerHealth,
  expected: { readonly version: WorkerVersion | null; readonly keyId: AccessKeyId | null },
): Flaw {
  const { version } = expected;
  if (version !== null && versionId !== version.id) {
    const untold = versionId === null ? " (nobody tells the Worker its version: bind version_metadata)" : "";
    return { kind: "elsewhere", words: `version ${String(version.number)} does not answer${untold}` };
  }
  if (expected.keyId !== null && !expected.keyId.endsWith(keyId)) {
    return { kind: "refused", words: `it signs with a key that ends in ${keyId}` };
  }
  if (aws.authenticated) return null;
  const said = `${String(aws.status)} ${aws.code ?? ""}`.trim();
  const isRefused = aws.status >= 400 && aws.status < 500 && aws.status !== 429 && !THROTTLED.test(aws.code ?? "");
  if (isRefused) return { kind: "refused", words: `AWS refuses its pair (${said})` };
  return { kind: "silent", words: `AWS gave it no answer (${said})` };
}

/** Asks the health route again and again, by the run's clock. */
export function createWatch(ask: AskHealth, clock: Pick<Clock, "sleep">) {
  async function flawOf(expected: Expected): Promise<Flaw> {
    const { version, override: script } = expected;
    try {
      return judgeHealth(await ask(script === null ? null : { script, versionId: version.id }), expected);
    } catch (error) {
      if (!(error instanceof RotationError)) throw error;
      return { kind: "silent", words: error.message };
    }
  }
  return {
    /** Until it answers as it should; else the last flaw. */
    async becomesHealthy(expected: Expected): Promise<Flaw> {
      let flaw = await flawOf(expected);
      for (let asked = 1; flaw !== null && asked < ASKS_UNTIL_HEALTHY_MAX; asked += 1) {
        await clock.sleep(BETWEEN_ASKS_MS);
        flaw = await flawOf(expected);
      }
      return flaw;
    },
    /** For a minute. What still answers from another version is a flaw only if that is so at the end. */
    async staysHealthy(expected: Expected): Promise<Flaw> {
      let silent = 0;
      let flaw = await flawOf(expected);
      for (let asked = 1; asked < WATCH_ASKS; asked += 1) {
        silent = flaw?.kind === "silent" ? silent + 1 : 0;
        if (flaw?.kind === "refused" || silent >= SILENT_IN_A_ROW_MAX) return flaw;
        await clock.sleep(BETWEEN_ASKS_MS);
        flaw = await flawOf(expected);
      }
      return flaw;
    },
  };
}
