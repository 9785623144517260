import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import type { Observation } from "../../rotation/observation.ts";
import { hours, plus } from "../../rotation/time.ts";
import { memoryOf } from "../answers.ts";
import type { Parts } from "../parts.ts";
import { partsOf } from "../parts.ts";
import { hold } from "../rulings.ts";

/** IAM's listing is eventually consistent: a key is gone only when it has been missing for this long. */
export const MISSING_FOR_MS = hours(1);

/** Rule 3. Whoever is not enrolled, is held, or had the key taken away by somebody, is left as it is, and reported. */
export const notOursToTouch: Rule = {
  name: "not-ours-to-touch",
  judge(situation) {
    const { observation } = situation;
    return barred(situation) ?? recreated(observation) ?? taken(situation, partsOf(observation));
  },
};

function barred({ observation, profile }: Situation): Ruling | null {
  const { standing } = observation;
  if (standing.barred === null) {
    return profile === null ? hold("UnknownProfile", "no profile of that name is configured") : null;
  }
  const { reason, because } = standing.barred;
  if (reason === "NotEnrolled" && !isHalfDone(observation)) {
    return hold("NothingDue", `${because}, and nothing is half done`);
  }
  return hold(reason, because);
}

/** A rotation was begun and not ended: a pending pair, or a second key. */
function isHalfDone({ custody, keys }: Observation): boolean {
  return keys.length > 1 || (custody.kind === "present" && custody.pending !== null);
}

/** The same name with another UserId inherits nothing. */
function recreated({ iamUser, custody, record, account }: Observation): Ruling | null {
  if (iamUser === null) return hold("NotEnrolled", "there is no such user any more");
  const owner = custody.kind === "present" ? custody.owner : null;
  const isOthers = owner !== null && (owner.userId !== iamUser.id || owner.account !== account);
  if (!isOthers && record.userId === iamUser.id && record.account === account) return null;
  const former = isOthers ? owner.userId : record.userId;
  return hold("OtherUserSameName", `custody or journal belong to ${former}, and the user is ${iamUser.id} now`);
}

function taken(situation: Situation, parts: Parts): Ruling | null {
  if (parts.isCustodyEmpty) return onlyKeyTaken(situation.observation);
  if (parts.currentId === null) return handMadeTaken(situation, parts);
  if (parts.current === null) return currentMissing(situation, parts.currentId);
  if (parts.current.status === "active") return null;
  return hold("CurrentKeyDisabled", `somebody disabled ${parts.current.id}, the current key`);
}

/** In a first rotation the hand-made key is what its consumers hold, until the pending one takes its place. */
function handMadeTaken(situation: Situation, { old }: Parts): Ruling | null {
  const { keys, record } = situation.observation;
  if (old.some(({ status }) => status === "active")) return null;
  const [disabled] = old;
  if (disabled !== undefined) {
    return hold("CurrentKeyDisabled", `somebody disabled ${disabled.id}, the key in use`);
  }
  const gone = record.intent?.before.find((id) => !keys.some((key) => key.id === id));
  return gone === undefined ? null : currentMissing(situation, gone);
}

function currentMissing({ observation, now }: Situation, currentId: NonNullable<Parts["currentId"]>): Ruling {
  const missingSince = memoryOf(observation.record, currentId)?.missingSince ?? now;
  if (now - missingSince < MISSING_FOR_MS) {
    const until = plus(missingSince, MISSING_FOR_MS);
    return hold("NeedsEvidence", `IAM does not list ${currentId}, the current key, just now`, until);
  }
  return hold("CurrentKeyGone", `somebody deleted ${currentId}, the current key`);
}

/** With no pair in custody, keys that were there and are not, or are disabled, were taken by somebody. */
function onlyKeyTaken({ keys, custody, record }: Observation): Ruling | null {
  if (keys.length > 0) {
    if (keys.some(({ status }) => status === "active")) return null;
    return hold("CurrentKeyDisabled", `every key of the user is disabled`);
  }
  const wasEmptyBefore =
    custody.kind === "absent" || (custody.kind === "present" && custody.intent?.before.length === 0);
  if (wasEmptyBefore && Object.keys(record.keys).length === 0) return null;
  return hold("CurrentKeyGone", "the user has no key any more, and Keyturn deleted none of the last");
}
