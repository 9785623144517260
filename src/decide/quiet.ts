import type { AccessKeyId } from "../rotation/keys.ts";
import type { Observation, Sighting } from "../rotation/observation.ts";
import type { Profile } from "../rotation/policy.ts";
import { LAST_USED_COLLAPSE_MS, LAST_USED_LAG_MS, quietMs } from "../rotation/policy.ts";
import type { KeyRecord } from "../rotation/record.ts";
import type { Instant } from "../rotation/time.ts";
import { latest, minutes, plus } from "../rotation/time.ts";
import { memoryOf } from "./answers.ts";
import { lastConfirmedAt, lastDeliveredAt } from "./deliveries.ts";

/** How far a read in last-used and the same read in CloudTrail may lie apart, and still be one. */
const SAME_CALL_MS = minutes(1);

/** Since when an old key is silent, and when it will have been silent for long enough. */
export interface QuietClock {
  /** When every consumer could have had the replacement: last delivery or promotion, and the readers' cache time. */
  readonly base: Instant;
  readonly quietSince: Instant;
  /** No use later than this was seen, hand-overs included: what comes to light later is judged against it. */
  readonly silentSince: Instant;
  readonly readyAt: Instant;
  /** The latest use after `base` that is no hand-over; null when there was none. */
  readonly useAfterBase: Sighting | null;
}

/** Null while the current key's promotion is not on record. */
export function quietClock(
  observation: Observation,
  profile: Profile,
  keys: { readonly old: AccessKeyId; readonly current: AccessKeyId },
): QuietClock | null {
  const { policy } = profile;
  const old = memoryOf(observation.record, keys.old);
  const promotedAt = memoryOf(observation.record, keys.current)?.promotedAt ?? null;
  const everywhereAt = latest(promotedAt, lastDeliveredAt(observation, keys.current));
  if (promotedAt === null || everywhereAt === null || old === null) return null;

  const base = plus(everywhereAt, policy.cacheForMs);
  const use = latestUse(old, profile.isPulled);
  const usedUntil = use === null ? null : plus(use.at, LAST_USED_COLLAPSE_MS);
  // An unanswered deactivation may have worked, and somebody may have undone it: then it counts like a reactivation.
  const disturbedAt = latest(old.reactivatedAt, old.deactivation?.at ?? null);
  const quietSince = latest(base, usedUntil, disturbedAt) ?? base;

  const handedOverUntil = old.handOverAt === null ? null : plus(old.handOverAt, LAST_USED_COLLAPSE_MS);
  const confirmedAt = lastConfirmedAt(observation, keys.current);
  const waits = [
    plus(quietSince, quietMs(policy) + LAST_USED_LAG_MS),
    old.handOverAt === null ? null : plus(old.handOverAt, policy.quietForMs + LAST_USED_LAG_MS),
    confirmedAt === null ? null : plus(confirmedAt, policy.cacheForMs + LAST_USED_LAG_MS + LAST_USED_COLLAPSE_MS),
  ];
  return {
    base,
    quietSince,
    silentSince: latest(quietSince, handedOverUntil) ?? quietSince,
    readyAt: latest(...waits) ?? quietSince,
    useAfterBase: use !== null && use.at > base ? use : null,
  };
}

/** The latest use that counts: for a profile that pulls, a read of its own custody is a hand-over and does not. */
export function latestUse(old: KeyRecord, isPulled: boolean): Sighting | null {
  const read = isPulled && isHandOver(old) ? null : old.latestRead;
  if (read === null) return old.latestUse;
  return old.latestUse === null || read.at > old.latestUse.at ? read : old.latestUse;
}

/**
 * The same call, or one before a later hand-over: the answer of CloudTrail that showed that one had read all that lies
 * before it, and would have put any other use on record as such.
 */
function isHandOver({ latestRead, handOverAt }: KeyRecord): boolean {
  if (latestRead === null || handOverAt === null) return false;
  return latestRead.at <= handOverAt + SAME_CALL_MS;
}

/** A call to Secrets Manager that may be a hand-over, and that CloudTrail was not yet seen to tell apart. */
export function isUnexplainedRead(old: KeyRecord): boolean {
  return old.latestRead !== null && !isHandOver(old);
}
