import type { Reason, Ruling } from "../rotation/decision.ts";
import type { AccessKeyId } from "../rotation/keys.ts";
import type { Question, Sighting } from "../rotation/observation.ts";
import { describeMs, type Instant } from "../rotation/time.ts";

/** Nothing is done, and why. `until` where it is known when the answer changes by itself. */
export function hold(reason: Reason, because: string, until: Instant | null = null): Ruling {
  return { step: { kind: "hold", until }, reason, because };
}

/** Ask first: no rule can say before this is known. */
export function look(questions: readonly Question[], because: string): Ruling {
  return { step: { kind: "look", questions }, reason: "NeedsEvidence", because };
}

/** The destination gets the pair; to confirm it, where somebody else deployed since it had got it. */
export function deliverTo(destination: string, keyId: AccessKeyId, because: string, isConfirming = false): Ruling {
  const reason = isConfirming ? "ForeignVersionLive" : "DestinationBehind";
  return { step: { kind: "deliver", keyId, destination, isConfirming }, reason, because };
}

/** A sighting in words: "lambda in us-east-1, 3 h ago (Invoke from 192.0.2.7)". */
export function describeSighting(sighting: Sighting, now: Instant): string {
  const where = sighting.region === null ? "" : ` in ${sighting.region}`;
  const detail = sighting.detail === null ? "" : ` (${sighting.detail})`;
  return `${sighting.service}${where}, ${describeMs(now - sighting.at)} ago${detail}`;
}
