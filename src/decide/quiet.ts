import type { AccessKey } from "../rotation/keys.ts";
import type { Observation, Sighting } from "../rotation/observation.ts";
import { LAST_USED_COLLAPSE_MS, LAST_USED_LAG_MS, type Profile, quietMs } from "../rotation/policy.ts";
import type { KeyRecord } from "../rotation/record.ts";
import { days, type Instant, latest, minutes, plus } from "../rotation/time.ts";
import { type Judged, lastUsedAt, memoryOf } from "./answers.ts";
import { lastConfirmedAt, lastDeliveredAt } from "./deliveries.ts";
import { areHandedOver } from "./readers.ts";

/** How far a read in last-used and the same read in CloudTrail may lie apart, and still be one. */
const SAME_CALL_MS = minutes(1);

/** An old key whose replacement is current. */
export interface Replaced extends Judged {
  readonly current: AccessKey;
}

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
export function quietClock(replaced: Replaced): QuietClock | null {
  const { observation, profile, old, current } = replaced;
  const { policy } = profile;
  const memory = memoryOf(observation, old.id);
  const { promotedAt = null, reactivatedAt: currentSince = null } = memoryOf(observation, current.id) ?? {};
  // A key that was taken over may be younger than the deliveries: its consumers could only change from then on.
  const everywhereAt = latest(promotedAt, lastDeliveredAt(observation, current.id), memory?.takenOverAt ?? null);
  if (promotedAt === null || everywhereAt === null || memory === null) return null;

  const base = plus(everywhereAt, policy.cacheForMs);
  // Who fetched the pair with the old key may hide somebody else's use of that quarter of an hour, or have got no answer.
  const use = latestUse(memory, areHandedOver(replaced));
  const usedByOther = latestUse(memory, profile.readers.length > 0);
  const usedUntil = use === null ? null : plus(use.at, LAST_USED_COLLAPSE_MS);
  // An unanswered deactivation may have worked, and somebody may have undone it: then it counts like a reactivation.
  // While somebody had disabled the current key nobody could show that they had it, and the old one's silence says nothing.
  const disturbedAt = latest(memory.reactivatedAt, memory.deactivation?.at ?? null, currentSince);
  // Who has traded the key for a session does not sign with it until that ends, and then comes back to it.
  const quietSince = latest(base, usedUntil, disturbedAt, memory.sessionsEndAt ?? null) ?? base;

  const handedOverUntil = memory.handOverAt === null ? null : plus(memory.handOverAt, LAST_USED_COLLAPSE_MS);
  const confirmedAt = lastConfirmedAt(observation, current.id);
  const waits = [
    plus(quietSince, quietMs(policy) + LAST_USED_LAG_MS),
    memory.handOverAt === null ? null : plus(memory.handOverAt, policy.quietForMs + LAST_USED_LAG_MS),
    confirmedAt === null ? null : plus(confirmedAt, policy.cacheForMs + LAST_USED_LAG_MS + LAST_USED_COLLAPSE_MS),
  ];
  return {
    base,
    quietSince,
    silentSince: latest(quietSince, handedOverUntil) ?? quietSince,
    readyAt: latest(...waits) ?? quietSince,
    useAfterBase: usedByOther !== null && usedByOther.at > base ? usedByOther : null,
  };
}

/** The latest use that counts: once all readers have the pair, a read of their own custody is a hand-over and does not. */
export function latestUse(old: KeyRecord, isHandedOver: boolean): Sighting | null {
  const uses = [
    old.latestUse,
    isHandedOver ? unexplainedRead(old) : old.latestRead,
    isHandedOver ? null : handOverOf(old),
  ];
  return uses.reduce((one, other) => (one === null || (other !== null && other.at > one.at) ? other : one));
}

function handOverOf({ handOverAt: at }: KeyRecord): Sighting | null {
  return at === null ? null : { at, service: "secretsmanager", region: null, detail: "a reader fetched its pair" };
}

/**
 * A call to Secrets Manager that CloudTrail was not yet seen to show as a hand-over. One before a later hand-over is told
 * apart, too: the answer that showed the later had read all that lies before it.
 */
export function unexplainedRead({ latestRead, handOverAt }: KeyRecord): Sighting | null {
  if (latestRead === null || handOverAt === null) return latestRead;
  return latestRead.at > handOverAt + SAME_CALL_MS ? latestRead : null;
}

/** When a hand-made key was last used; its creation where it never was. */
export function silentSinceOf(observation: Observation, key: AccessKey): Instant {
  const memory = memoryOf(observation, key.id);
  const remembered = memory === null ? null : latestUse(memory, false);
  const seen = latest(remembered?.at ?? null, lastUsedAt(observation, key.id)?.at ?? null);
  return seen === null ? key.createdAt : plus(seen, LAST_USED_COLLAPSE_MS);
}

/** How long a key must have been unused to count as nobody's. */
export function unusedForMs({ policy }: Profile): number {
  return Math.max(days(90), policy.idleAtMostMs ?? 0);
}
