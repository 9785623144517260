import type { Rule, Ruling } from "../../rotation/decision.ts";
import type { AccessKey, AccessKeyId } from "../../rotation/keys.ts";
import type { Sighting } from "../../rotation/observation.ts";
import { LAST_USED_COLLAPSE_MS, LAST_USED_LAG_MS } from "../../rotation/policy.ts";
import type { Deactivation } from "../../rotation/record.ts";
import { minutes, plus } from "../../rotation/time.ts";
import {
  authorOf,
  healthOpen,
  holderOfOld,
  type Judged,
  memoryOf,
  TRAIL_KEEPS_MS,
  unaskedHealth,
  unaskedLive,
  unaskedUse,
} from "../answers.ts";
import { isExposed, isNewlyQuarantined } from "../exposure.ts";
import { partsOf } from "../parts.ts";
import { describeSighting, look } from "../rulings.ts";

/** The clocks of two runs, and CloudTrail's seconds, may lie so far apart. */
const CLOCKS_DIFFER_MS = minutes(2);

/**
 * Rule 1. A key that we deactivated was needed after all: a use before the deactivation comes to light late, what is
 * live at a destination holds it again, or a consumer is not well. Once a rotation, for enrolled users only, and even when custody's pairs cannot
 * be read or the user is held: giving back what was taken is safe, where nothing says that it leaked.
 */
export const neededAfterAll: Rule = {
  name: "needed-after-all",
  judge(situation) {
    const { observation, profile } = situation;
    const { barred } = observation.standing;
    // A held user is still enrolled; one without its tag, or out of its profile, is not ours to touch.
    // What was leaked is not given back, nor what may have been, and what has to make room for its replacement is not, either.
    if (observation.notes.isUnread === true) return null;
    if (observation.keys.some(({ id }) => isExposed(observation, id)) || isNewlyQuarantined(observation)) return null;
    if (profile === null || (barred !== null && barred.reason !== "HeldByOperator")) return null;
    const { currentId, pendingId } = partsOf(observation);
    // A current key that is Inactive by our own hand was old when we took it: somebody moved custody's label back to it.
    const isOurs = (id: AccessKeyId): boolean => (memoryOf(observation, id)?.deactivation ?? null) !== null;
    const old = observation.keys.find(
      ({ id, status }) => status === "inactive" && id !== pendingId && (id !== currentId || isOurs(id)),
    );
    if (old === undefined || observation.keys.length < 2) return null;
    if (memoryOf(observation, old.id)?.isReactivatedByUs === true) return null;
    const judged = { ...situation, profile, old };
    return old.id === currentId ? giveBack(judged, needed(old, "custody")) : judgeInactive(judged);
  },
};

function judgeInactive(judged: Judged): Ruling | null {
  const { observation, now, old } = judged;
  const deactivation = deactivationOf(judged);
  if (deactivation === "ask") return askAuthor(judged);
  if (deactivation === null) return null;
  const { currentId } = partsOf(observation);
  const asked = currentId === null ? [] : unaskedHealth(observation, currentId);
  const questions = [...unaskedUse(observation, [old.id]), ...unaskedLive(observation), ...asked];
  if (questions.length > 0) return look(questions, `whether ${old.id} is needed after all`);

  const use = lateUse(judged, deactivation);
  if (use !== null) {
    const because = `a use of ${old.id} came to light: ${describeSighting(use, now)}`;
    return giveBack(judged, { ...needed(old, ""), reason: "UsedAfterDeactivation", because });
  }
  const holder = holderOfOld(observation);
  if (holder !== undefined) return giveBack(judged, needed(old, holder));
  // Rule 13 took the key when every consumer was well; one whose journal is lost counts as having been.
  const ill = currentId === null ? null : healthOpen(observation, currentId);
  return ill?.reason === "ConsumerUnhealthy" ? giveBack(judged, { ...ill, step: reactivating(old) }) : null;
}

const reactivating = ({ id }: AccessKey): Ruling["step"] => ({ kind: "reactivate", keyId: id });

function needed(old: AccessKey, holder: string): Ruling {
  const because = `${holder} is back on what held ${old.id}`;
  return { step: reactivating(old), reason: "DestinationHoldsOldKey", because };
}

/** What somebody disabled since is not given back: the journal knows our own hand only, and CloudTrail may have lost it. */
function giveBack(judged: Judged, ruling: Ruling): Ruling | null {
  const { observation, old } = judged;
  const author = authorOf(observation, old.id, "UpdateAccessKey");
  if (author === undefined) return askAuthor(judged);
  const takenAt = memoryOf(observation, old.id)?.deactivation?.at ?? null;
  const isSince = author.kind === "other" && (takenAt === null || author.at >= plus(takenAt, -CLOCKS_DIFFER_MS));
  return isSince ? null : ruling;
}

function askAuthor({ now, old }: Judged): Ruling {
  const from = plus(now, -TRAIL_KEEPS_MS);
  return look([{ source: "authorship", keyId: old.id, event: "UpdateAccessKey", from }], `who deactivated ${old.id}`);
}

/** Ours by the journal; where the journal was lost, CloudTrail's UpdateAccessKey event can say so. */
function deactivationOf({ observation, profile, old }: Judged): Deactivation | "ask" | null {
  const memory = memoryOf(observation, old.id);
  if (memory?.deactivation) return memory.deactivation;
  const author = authorOf(observation, old.id, "UpdateAccessKey");
  if (author?.kind !== "ours") return author === undefined ? "ask" : null;
  // Whatever was seen before that was known, and a hand-over may be this late; only the lag's last hours were hidden.
  const quietSince = plus(author.at, -(profile.policy.quietForMs + LAST_USED_LAG_MS));
  return { at: author.at, answeredAt: author.at, quietSince, isWaived: false };
}

/** A use after the silence on record began, and up to 15 minutes after the deactivation was answered: IAM takes seconds. */
function lateUse({ observation, old }: Judged, deactivation: Deactivation): Sighting | null {
  const { at, answeredAt, quietSince, isAsked = false } = deactivation;
  // Who retired it by a word knew that it may be in use.
  if (isAsked) return null;
  const limit = plus(answeredAt ?? at, LAST_USED_COLLAPSE_MS);
  const sightings = observation.evidence.flatMap(({ answer }) => {
    if (answer.source !== "last-used" && answer.source !== "cloudtrail") return [];
    return answer.keyId === old.id && answer.use.verdict === "used" ? [answer.use.latest] : [];
  });
  return sightings.find((use) => use.at > quietSince && use.at <= limit) ?? null;
}
