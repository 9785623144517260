import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import type { AccessKey } from "../../rotation/keys.ts";
import type { Question, Use } from "../../rotation/observation.ts";
import type { Profile } from "../../rotation/policy.ts";
import { LAST_USED_COLLAPSE_MS } from "../../rotation/policy.ts";
import type { Instant } from "../../rotation/time.ts";
import { days, describeMs, latest, plus } from "../../rotation/time.ts";
import { lastUsedOf, memoryOf, trailOf } from "../answers.ts";
import { partsOf } from "../parts.ts";
import { trailFrom, unreleased } from "../retirement.ts";
import { hold, look } from "../rulings.ts";

/**
 * Rule 11. At take-over a user may have two hand-made keys, and there is no room for a third: one that nobody used for
 * 90 days is retired first. Once it is Inactive this rule is silent, and rule 14 deletes it.
 */
export const makeRoom: Rule = {
  name: "make-room",
  judge(situation) {
    const { observation, profile } = situation;
    const { isCustodyEmpty, old } = partsOf(observation);
    if (!isCustodyEmpty || profile === null || old.length < 2) return null;
    if (old.some(({ status }) => status !== "active")) return null;
    const unasked = old.filter(({ id }) => lastUsedOf(observation, id) === undefined);
    if (unasked.length > 0) {
      const questions = unasked.map(({ id }): Question => ({ source: "last-used", keyId: id }));
      return look(questions, "which of two hand-made keys is in use");
    }
    return judgePair(situation, profile, old);
  },
};

function judgePair(situation: Situation, profile: Profile, old: readonly AccessKey[]): Ruling {
  const blind = old.find(({ id }) => lastUsedOf(situation.observation, id)?.verdict === "unknown");
  if (blind !== undefined) return hold("UseUnknown", `when ${blind.id} was last used cannot be told`);
  const candidate = old
    .map((key) => ({ key, silentSince: silentSinceOf(situation, key) }))
    .toSorted((one, other) => one.silentSince - other.silentSince)[0];
  const wanted = unusedForMs(profile);
  if (candidate === undefined || situation.now - candidate.silentSince < wanted) {
    return hold(
      "TwoHandMadeKeys",
      `both keys were made by hand and used within ${describeMs(wanted)}: there is no room`,
    );
  }
  return retireFirst(situation, profile, candidate);
}

function retireFirst(
  { observation, now }: Situation,
  profile: Profile,
  { key, silentSince }: { readonly key: AccessKey; readonly silentSince: Instant },
): Ruling {
  const kept = unreleased({ observation, old: key });
  if (kept !== null) return kept;
  const from = trailFrom(silentSince, now);
  const trail = trailOf(observation, key.id, from);
  if (trail === undefined) {
    const question: Question = {
      source: "cloudtrail",
      keyId: key.id,
      from,
      handOversApart: profile.isPulled,
    };
    return look([question], `whether CloudTrail shows a use of ${key.id}`);
  }
  if (trail.use.verdict === "unknown") {
    return hold("UseUnknown", `whether CloudTrail shows a use of ${key.id} cannot be told: ${trail.use.because}`);
  }
  if (trail.use.verdict === "used" && trail.use.latest.at > silentSince) {
    return hold("TwoHandMadeKeys", `both keys were made by hand and are in use: there is no room`);
  }
  return {
    step: { kind: "deactivate", keyId: key.id, quietSince: silentSince, isWaived: true },
    reason: "MakingRoom",
    because: `${key.id} was made by hand and is unused for ${describeMs(now - silentSince)}; it makes room for a replacement`,
  };
}

/** When a hand-made key was last used; its creation where it never was. */
export function silentSinceOf({ observation }: Situation, key: AccessKey): Instant {
  const memory = memoryOf(observation.record, key.id);
  const use = lastUsedOf(observation, key.id);
  const seen = latest(memory?.latestUse?.at ?? null, memory?.latestRead?.at ?? null, usedAt(use));
  return seen === null ? key.createdAt : plus(seen, LAST_USED_COLLAPSE_MS);
}

function usedAt(use: Use | undefined): Instant | null {
  return use?.verdict === "used" ? use.latest.at : null;
}

/** How long a hand-made second key must have been unused before it may go. */
export function unusedForMs(profile: Profile): number {
  return Math.max(days(90), profile.policy.idleAtMostMs ?? 0);
}
