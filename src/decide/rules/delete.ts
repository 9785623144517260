import type { Rule, Ruling } from "../../rotation/decision.ts";
import { LAST_USED_COLLAPSE_MS, LAST_USED_LAG_MS, quietMs } from "../../rotation/policy.ts";
import type { Sighting } from "../../rotation/observation.ts";
import { days, describeMs, type Instant, plus } from "../../rotation/time.ts";
import { longestGapMs } from "../../rotation/window.ts";
import { adoptionOf } from "../adoption.ts";
import {
  authorOf,
  healthOpen,
  holderOfOld,
  type Judged,
  lastUsedAt,
  lastUsedOpen,
  liveUnknown,
  memoryOf,
  trailOpen,
  trailUseAfter,
  unaskedLive,
} from "../answers.ts";
import { formerDestination } from "../deliveries.ts";
import { partsOf } from "../parts.ts";
import { silentSinceOf, unusedForMs } from "../quiet.ts";
import { describeSighting, hold, look } from "../rulings.ts";

/** The soak of a key that nobody was ever seen to replace or to use. */
const WAIVED_SOAK_MS = days(30);

/** Rule 14. An old key that was Inactive for the whole soak, and that nothing shows a use of, is deleted. */
export const deleteOld: Rule = {
  name: "delete",
  judge(situation) {
    const { observation, profile } = situation;
    const { old: all, current, isCustodyEmpty } = partsOf(observation);
    const old = all.find(({ status }) => status === "inactive");
    if (old === undefined || profile === null) return null;
    const other = observation.keys.find(({ id }) => id !== old.id);
    // The set must be exactly this key and the one in its place; anything else was ruled on above or is not understood.
    const isInPlace = other?.status === "active" && (isCustodyEmpty || other.id === current?.id);
    if (!isInPlace) return hold("BlindSpot", `${old.id} is Inactive, and no active current key is in its place`);
    const judged = { ...situation, profile, old };
    return soaking(judged) ?? unproved(judged) ?? unreplaced(judged) ?? held(judged) ?? remove(judged);
  },
};

function inactiveSinceOf({ observation, now, old }: Judged): Instant {
  return memoryOf(observation, old.id)?.inactiveSince ?? now;
}

function soaking(judged: Judged): Ruling | null {
  const since = inactiveSinceOf(judged);
  const soakMs = soakOf(judged);
  const until = plus(since, soakMs);
  if (judged.now >= until) return null;
  const soaked = `${describeMs(judged.now - since)} of ${describeMs(soakMs)}`;
  const use = usedWhenRetired(judged);
  if (use !== null) {
    const because = `${judged.old.id}, which an operator retired, was in use: ${describeSighting(use, judged.now)}`;
    return hold("RetiredKeyUsed", because, until);
  }
  return hold("Soaking", `${judged.old.id} is Inactive for ${soaked}`, until);
}

/** What the last hours before an operator's `retire` hid comes to light in the soak. */
function usedWhenRetired({ observation, old }: Judged): Sighting | null {
  const { deactivation = null, latestUse = null } = memoryOf(observation, old.id) ?? {};
  if (deactivation?.isAsked !== true || latestUse === null) return null;
  return latestUse.at > plus(deactivation.at, -(LAST_USED_LAG_MS + LAST_USED_COLLAPSE_MS)) ? latestUse : null;
}

/** A waived key soaks 30 days, or what is left before the current key is due. */
function soakOf({ observation, profile: { policy }, old }: Judged): number {
  if (memoryOf(observation, old.id)?.deactivation?.isWaived !== true) return policy.soakForMs;
  const waitMs = quietMs(policy) + policy.cacheForMs + LAST_USED_LAG_MS + 2 * longestGapMs(policy.window);
  const leftMs = policy.rotateAfterMs - policy.deliverWithinMs - waitMs;
  return Math.max(policy.soakForMs, Math.min(WAIVED_SOAK_MS, leftMs));
}

function unproved(judged: Judged): Ruling | null {
  const { observation, now, old } = judged;
  const open = lastUsedOpen(observation, old.id);
  if (open !== null) return open;
  const since = silenceBegan(judged);
  if (since === null) return usedUntilUnknown(judged);
  const trail = trailOpen(judged, since);
  if (trail !== null) return trail;
  const memory = memoryOf(observation, old.id);
  const answers = [lastUsedAt(observation, old.id), trailUseAfter(judged, since)];
  // An answer may be older than an earlier one: a use that was seen once is never forgotten.
  const late = [...answers, memory?.latestUse, memory?.latestRead].find((seen) => seen && seen.at > since);
  return late ? hold("UsedDuringSoak", `a use of ${old.id} came to light: ${describeSighting(late, now)}`) : null;
}

/** A key that somebody else disabled has not gone through rule 13: its replacement must have been adopted all the same. */
function unreplaced(judged: Judged): Ruling | null {
  const { observation, old } = judged;
  const { current } = partsOf(observation);
  const isOurs = (memoryOf(observation, old.id)?.deactivation ?? null) !== null;
  if (isOurs || current === null || adoptionOf({ ...judged, current }) !== "missing") return null;
  const because = `somebody disabled ${old.id}, and nobody but Keyturn was seen to use ${current.id}`;
  return lastUsedOpen(observation, current.id) ?? hold("NotAdopted", because);
}

/** No destination may hold it: not one that is back on an old version, nor one that left the profile. */
function held({ observation, old }: Judged): Ruling | null {
  const former = formerDestination(observation, old.id);
  if (former !== undefined) {
    return hold("FormerDestination", `${former} was given ${old.id} and is no longer in the profile`);
  }
  const questions = unaskedLive(observation);
  if (questions.length > 0) return look(questions, `whether a destination holds ${old.id}`);
  const holder = holderOfOld(observation);
  if (holder !== undefined) return hold("DestinationHoldsOldKey", `${holder} is back on what held ${old.id}`);
  const blind = observation.destinations.map(({ name }) => liveUnknown(observation, name));
  const { currentId } = partsOf(observation);
  return blind.find((ruling) => ruling !== null) ?? (currentId === null ? null : healthOpen(observation, currentId));
}

/**
 * After when no use may lie: our own deactivation's quietSince, or 15 minutes after somebody else's was first seen. Null
 * where it was used in the last months, and nobody knows for how long it had been silent when it was taken.
 */
function silenceBegan(judged: Judged): Instant | null {
  const { observation, profile, now, old } = judged;
  const deactivation = memoryOf(observation, old.id)?.deactivation;
  // A key that was retired by a word may have been in use until the call.
  if (deactivation?.isAsked) return plus(deactivation.answeredAt ?? deactivation.at, LAST_USED_COLLAPSE_MS);
  if (deactivation) return deactivation.quietSince;
  const silentSince = silentSinceOf(observation, old);
  const isTold = isDated(judged) || silentSince === old.createdAt;
  if (isTold && !partsOf(observation).isCustodyEmpty) return plus(inactiveSinceOf(judged), LAST_USED_COLLAPSE_MS);
  return now - silentSince >= unusedForMs(profile) ? silentSince : null;
}

/** Whether it is known since when it is Inactive: the record saw it before, or CloudTrail shows who disabled it last. */
function isDated(judged: Judged): boolean {
  const { observation, old } = judged;
  const firstSeenAt = memoryOf(observation, old.id)?.firstSeenAt ?? judged.now;
  if (firstSeenAt < inactiveSinceOf(judged)) return true;
  const author = authorOf(observation, old.id, "UpdateAccessKey");
  if (author === undefined || author.kind === "unknown") return false;
  // A use after that shows that it was Active again: CloudTrail has lost who disabled it then.
  return silentSinceOf(observation, old) <= plus(author.at, 2 * LAST_USED_COLLAPSE_MS);
}

function usedUntilUnknown({ observation, old }: Judged): Ruling {
  if (partsOf(observation).isCustodyEmpty) {
    return hold("TwoHandMadeKeys", `${old.id} is Inactive, was made by hand and is in recent use`);
  }
  return hold("UseUnknown", `nothing says since when ${old.id} is Inactive, and it may have been in use to the last`);
}

function remove(judged: Judged): Ruling {
  const { now, old } = judged;
  const because = `${old.id} was Inactive for ${describeMs(now - inactiveSinceOf(judged))}, and nothing shows a late use`;
  return { step: { kind: "delete", keyId: old.id }, reason: "SoakOver", because };
}
