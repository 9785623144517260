import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import type { AccessKey } from "../../rotation/keys.ts";
import type { Question, Sighting } from "../../rotation/observation.ts";
import { LAST_USED_COLLAPSE_MS, LAST_USED_LAG_MS } from "../../rotation/policy.ts";
import type { Deactivation } from "../../rotation/record.ts";
import type { Instant } from "../../rotation/time.ts";
import { plus } from "../../rotation/time.ts";
import { authorOf, lastUsedOf, liveStateOf, memoryOf } from "../answers.ts";
import { partsOf } from "../parts.ts";
import { TRAIL_KEEPS_MS } from "../retirement.ts";
import { describeSighting, look } from "../rulings.ts";

/**
 * Rule 1. A key that we deactivated was needed after all: a use before the deactivation comes to light late, or what is
 * live at a destination holds it again. Once a rotation, for enrolled users only, and even when custody cannot be read
 * or the user is held: giving back what was taken is always safe.
 */
export const neededAfterAll: Rule = {
  name: "needed-after-all",
  judge(situation) {
    const { observation } = situation;
    if (situation.profile === null || !isEnrolled(situation)) return null;
    const { currentId, pendingId } = partsOf(observation);
    const inactive = observation.keys.find(
      ({ id, status }) => status === "inactive" && id !== currentId && id !== pendingId,
    );
    if (inactive === undefined || observation.keys.length < 2) return null;
    if (memoryOf(observation.record, inactive.id)?.isReactivatedByUs === true) return null;
    return judgeInactive(situation, inactive);
  },
};

/** A held user is still enrolled; one without its tag, or out of its profile, is not ours to touch. */
function isEnrolled({ observation }: Situation): boolean {
  const { barred } = observation.standing;
  return barred === null || barred.reason === "HeldByOperator";
}

function judgeInactive(situation: Situation, key: AccessKey): Ruling | null {
  const { observation, now } = situation;
  const deactivation = deactivationOf(situation, key);
  if (deactivation === "ask") {
    const from = plus(now, -TRAIL_KEEPS_MS);
    return look([{ source: "authorship", keyId: key.id, event: "UpdateAccessKey", from }], `who deactivated ${key.id}`);
  }
  if (deactivation === null) return null;
  const questions = openQuestions(situation, key);
  if (questions.length > 0) return look(questions, `whether ${key.id} is needed after all`);

  const sighting = lateUse(situation, key, deactivation);
  if (sighting !== null) {
    const use = describeSighting(sighting, now);
    return reactivate(key, "UsedAfterDeactivation", `a use of ${key.id} came to light: ${use}`);
  }
  const holder = observation.destinations.find(({ name }) => liveStateOf(observation, name) === "previous");
  if (holder === undefined) return null;
  return reactivate(key, "DestinationHoldsOldKey", `${holder.name} is back on what held ${key.id}`);
}

/** Ours by the journal; where the journal was lost, CloudTrail's UpdateAccessKey event can say so. */
function deactivationOf({ observation, profile }: Situation, key: AccessKey): Deactivation | "ask" | null {
  const memory = memoryOf(observation.record, key.id);
  if (memory?.deactivation) return memory.deactivation;
  const author = authorOf(observation, key.id, "UpdateAccessKey");
  if (author === undefined) return "ask";
  if (author.kind !== "ours" || profile === null) return null;
  // Whatever was seen before that was known, and a hand-over may be this late; only the lag's last hours were hidden.
  const quietSince = plus(author.at, -(profile.policy.quietForMs + LAST_USED_LAG_MS));
  return { at: author.at, answeredAt: author.at, quietSince, isWaived: false };
}

function openQuestions({ observation }: Situation, key: AccessKey): readonly Question[] {
  const questions: Question[] = [];
  if (lastUsedOf(observation, key.id) === undefined) questions.push({ source: "last-used", keyId: key.id });
  for (const { name, readsCustody } of observation.destinations) {
    if (readsCustody || liveStateOf(observation, name) !== undefined) continue;
    questions.push({ source: "destination", destination: name });
  }
  return questions;
}

/** A use after the silence on record began, and up to 15 minutes after the deactivation was answered. */
function lateUse({ observation }: Situation, key: AccessKey, deactivation: Deactivation): Sighting | null {
  const limit = lateUseLimit(deactivation);
  const sightings = observation.evidence.flatMap(({ answer }) => {
    if (answer.source !== "last-used" && answer.source !== "cloudtrail") return [];
    return answer.keyId === key.id && answer.use.verdict === "used" ? [answer.use.latest] : [];
  });
  return sightings.find(({ at }) => at > deactivation.quietSince && at <= limit) ?? null;
}

/** The consumer's last good call may lie a little after the call that deactivated the key: IAM takes seconds. */
function lateUseLimit(deactivation: Deactivation): Instant {
  return plus(deactivation.answeredAt ?? deactivation.at, LAST_USED_COLLAPSE_MS);
}

function reactivate(
  key: AccessKey,
  reason: "UsedAfterDeactivation" | "DestinationHoldsOldKey",
  because: string,
): Ruling {
  return { step: { kind: "reactivate", keyId: key.id }, reason, because };
}
