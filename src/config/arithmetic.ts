import { LAST_USED_COLLAPSE_MS, LAST_USED_LAG_MS, quietMs, type RotationPolicy } from "../rotation/policy.ts";
import { describeMs, hours } from "../rotation/time.ts";

/** A quiet below this misses every consumer that works once a day, and is accepted only in so many words. */
export const QUIET_MIN_MS = hours(48);

/** The least soak: the last uses of a key become known this long after they happened, and must be known before it is deleted. */
const SOAK_MIN_MS = LAST_USED_LAG_MS + LAST_USED_COLLAPSE_MS;

/** A setting that cannot be, by the profile's own key: what was found, and what is allowed. */
export interface Contradiction {
  readonly setting: "rotateAfter" | "soakFor";
  readonly found: string;
  readonly allowed: string;
}

/**
 * How long, after the replacement is everywhere, an old key still stays active when all goes well. The consumers of a
 * profile that pulls fetch their pair with the old key: that hand-over may come as late as idleAtMost, and restarts quietFor.
 */
function waitMs(policy: RotationPolicy, isPulled: boolean): number {
  const silence = isPulled ? (policy.idleAtMostMs ?? 0) + policy.quietForMs : quietMs(policy);
  return silence + policy.cacheForMs + LAST_USED_LAG_MS;
}

/** The silence that lets a key go at the earliest. A hand-over restarts quietFor alone, so a profile that pulls has no more. */
export function shortestQuietMs(policy: RotationPolicy, isPulled: boolean): number {
  return isPulled ? policy.quietForMs : quietMs(policy);
}

/** Every sum of this policy that does not come out: no key may outlive maxAge, and one rotation must end before the next begins. */
export function contradictions(policy: RotationPolicy, isPulled: boolean): Contradiction[] {
  const found: Contradiction[] = [];
  const wait = waitMs(policy, isPulled);
  const retiredBy = policy.rotateAfterMs + policy.deliverWithinMs + wait;
  if (retiredBy > policy.maxAgeMs) {
    found.push({
      setting: "rotateAfter",
      found: `${describeMs(policy.rotateAfterMs)}, so that with deliverWithin and a wait of ${describeMs(wait)} the old key goes at ${describeMs(retiredBy)}`,
      allowed: `at most ${describeMs(policy.maxAgeMs - policy.deliverWithinMs - wait)}, or a longer maxAge (now ${describeMs(policy.maxAgeMs)})`,
    });
  }
  const deletedBy = policy.deliverWithinMs + wait + policy.soakForMs;
  if (policy.rotateAfterMs <= deletedBy) {
    found.push({
      setting: "rotateAfter",
      found: `${describeMs(policy.rotateAfterMs)}, while the key before it goes only at ${describeMs(deletedBy)} (deliverWithin, wait and soakFor)`,
      allowed: `more than ${describeMs(deletedBy)}, or a shorter soakFor`,
    });
  }
  if (policy.soakForMs < SOAK_MIN_MS) {
    found.push({
      setting: "soakFor",
      found: describeMs(policy.soakForMs),
      allowed: `at least ${describeMs(SOAK_MIN_MS)}, because uses become known that late`,
    });
  }
  return found;
}
