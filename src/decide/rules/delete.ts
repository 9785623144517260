import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import type { AccessKey } from "../../rotation/keys.ts";
import type { Profile } from "../../rotation/policy.ts";
import { LAST_USED_COLLAPSE_MS, LAST_USED_LAG_MS, quietMs } from "../../rotation/policy.ts";
import type { KeyRecord } from "../../rotation/record.ts";
import type { Instant } from "../../rotation/time.ts";
import { days, describeMs, plus } from "../../rotation/time.ts";
import { lastUsedOf, liveStateOf, memoryOf, trailOf, whyLiveUnknown } from "../answers.ts";
import { partsOf } from "../parts.ts";
import { trailFrom } from "../retirement.ts";
import { describeSighting, hold, look } from "../rulings.ts";
import { silentSinceOf, unusedForMs } from "./make-room.ts";

/** The soak of a key that nobody was ever seen to replace or to use. */
const WAIVED_SOAK_MS = days(30);

/** Rule 14. An old key that was Inactive for the whole soak, and that nothing shows a use of, is deleted. */
export const deleteOld: Rule = {
  name: "delete",
  judge(situation) {
    const { observation, profile } = situation;
    const { old, current, isCustodyEmpty } = partsOf(observation);
    const key = old.find(({ status }) => status === "inactive");
    if (key === undefined || profile === null) return null;
    const other = observation.keys.find(({ id }) => id !== key.id);
    // The set must be exactly this key and the one in its place; anything else was ruled on above or is not understood.
    const isInPlace = other?.status === "active" && (isCustodyEmpty || other.id === current?.id);
    if (!isInPlace) return hold("BlindSpot", `${key.id} is Inactive, and no active current key is in its place`);
    return soaking(situation, profile, key) ?? unproved(situation, profile, key) ?? remove(situation, key);
  },
};

function soaking({ observation, now }: Situation, profile: Profile, key: AccessKey): Ruling | null {
  const memory = memoryOf(observation.record, key.id);
  const since = memory?.inactiveSince ?? now;
  const soakMs = soakOf(profile, memory);
  const until = plus(since, soakMs);
  if (now >= until) return null;
  return hold("Soaking", `${key.id} is Inactive for ${describeMs(now - since)} of ${describeMs(soakMs)}`, until);
}

/** A waived key soaks 30 days, or what is left before the current key is due. */
function soakOf({ policy }: Profile, memory: KeyRecord | null): number {
  if (memory?.deactivation?.isWaived !== true) return policy.soakForMs;
  const waitMs = quietMs(policy) + policy.cacheForMs + LAST_USED_LAG_MS;
  const leftMs = policy.rotateAfterMs - policy.deliverWithinMs - waitMs;
  return Math.max(policy.soakForMs, Math.min(WAIVED_SOAK_MS, leftMs));
}

function unproved(situation: Situation, profile: Profile, key: AccessKey): Ruling | null {
  const { observation, now } = situation;
  const use = lastUsedOf(observation, key.id);
  if (use === undefined) return look([{ source: "last-used", keyId: key.id }], `when ${key.id} was last used`);
  if (use.verdict === "unknown")
    return hold("UseUnknown", `when ${key.id} was last used cannot be told: ${use.because}`);
  const since = silenceBegan(situation, profile, key);
  if (since === null) return hold("TwoHandMadeKeys", `${key.id} is Inactive, was made by hand and is in recent use`);
  const from = trailFrom(since, now);
  const trail = trailOf(observation, key.id, from);
  if (trail === undefined) {
    return look(
      [{ source: "cloudtrail", keyId: key.id, from, handOversApart: profile.isPulled }],
      `whether CloudTrail shows a use of ${key.id}`,
    );
  }
  if (trail.use.verdict === "unknown") {
    return hold("UseUnknown", `whether CloudTrail shows a use of ${key.id} cannot be told: ${trail.use.because}`);
  }
  const memory = memoryOf(observation.record, key.id);
  const answers = [use, trail.use].map((answer) => (answer.verdict === "used" ? answer.latest : null));
  // An answer may be older than an earlier one: a use that was seen once is never forgotten.
  const late = [...answers, memory?.latestUse, memory?.latestRead].find((seen) => seen && seen.at > since);
  if (late) return hold("UsedDuringSoak", `a use of ${key.id} came to light: ${describeSighting(late, now)}`);
  return liveUnknown(situation);
}

/** After when no use may lie: our own deactivation's quietSince, or 15 minutes after somebody else's was first seen. */
function silenceBegan(situation: Situation, profile: Profile, key: AccessKey): Instant | null {
  const { observation, now } = situation;
  const memory = memoryOf(observation.record, key.id);
  if (memory?.deactivation) return memory.deactivation.quietSince;
  if (!partsOf(observation).isCustodyEmpty) return plus(memory?.inactiveSince ?? now, LAST_USED_COLLAPSE_MS);
  const silentSince = silentSinceOf(situation, key);
  return now - silentSince >= unusedForMs(profile) ? silentSince : null;
}

function liveUnknown({ observation }: Situation): Ruling | null {
  const blind = observation.destinations.find(({ name }) => liveStateOf(observation, name) === "unknown");
  return blind === undefined
    ? null
    : hold("UseUnknown", `what is live at ${blind.name} cannot be read${whyLiveUnknown(observation, blind.name)}`);
}

function remove({ observation, now }: Situation, key: AccessKey): Ruling {
  const since = memoryOf(observation.record, key.id)?.inactiveSince ?? now;
  return {
    step: { kind: "delete", keyId: key.id },
    reason: "SoakOver",
    because: `${key.id} was Inactive for ${describeMs(now - since)}, and nothing shows a use of it since it fell silent`,
  };
}
