import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import type { AccessKeyId } from "../../rotation/keys.ts";
import type { Observation } from "../../rotation/observation.ts";
import type { UserRecord } from "../../rotation/record.ts";
import { isRevoking, isTakenByUs } from "../exposure.ts";
import { goneAt, type Parts, partsOf } from "../parts.ts";
import { hold } from "../rulings.ts";

/** Rule 3. Whoever is not enrolled, is held, or had the key taken away by somebody, is left as it is, and reported. */
export const notOursToTouch: Rule = {
  name: "not-ours-to-touch",
  judge(situation) {
    const { observation } = situation;
    return barred(situation) ?? recreated(observation) ?? taken(situation, partsOf(observation));
  },
};

function barred({ observation, profile }: Situation): Ruling | null {
  const { standing, keys, custody } = observation;
  if (standing.barred === null) {
    return profile === null ? hold("UnknownProfile", "no profile of that name is configured") : null;
  }
  const { reason, because } = standing.barred;
  if (reason === "HeldByOperator" && isRevoking(observation)) return null;
  // A rotation was begun and not ended: a pending pair, or a second key.
  const isHalfDone = keys.length > 1 || (custody.kind === "present" && custody.pending !== null);
  if (reason !== "NotEnrolled" || isHalfDone) return hold(reason, because);
  return hold("NothingDue", `${because}, and nothing is half done`);
}

/** The same name with another UserId inherits nothing. */
function recreated({ iamUser, custody, record, account }: Observation): Ruling | null {
  if (iamUser === null) return hold("NotEnrolled", "there is no such user any more");
  const owners = [custody.kind === "present" ? custody.owner : null, record];
  const other = owners.find((owner) => owner !== null && (owner.userId !== iamUser.id || owner.account !== account));
  if (!other) return null;
  return hold("OtherUserSameName", `custody or journal belong to ${other.userId}, and the user is ${iamUser.id} now`);
}

function taken(situation: Situation, parts: Parts): Ruling | null {
  // Rule 4 cut it, or an operator's `revoke` is the word that ends this.
  if (situation.observation.blindSpots.length > 0 || isTakenByUs(situation.observation)) return null;
  if (parts.isCustodyEmpty) return onlyKeyTaken(situation.observation);
  if (parts.currentId === null) return handMadeTaken(situation, parts);
  if (parts.current === null) return currentMissing(situation, parts.currentId);
  const { record } = situation.observation;
  if (parts.current.status === "active" || isAsked(record, parts.current.id)) return null;
  return hold("CurrentKeyDisabled", `somebody disabled ${parts.current.id}, the current key`);
}

/** An operator's `rotate` is the word that ends the hold of a user whose key somebody took away, unless it was said before that. */
function isAsked({ rotateAsked, keys }: UserRecord, id: AccessKeyId | null): boolean {
  const takenAt = id === null ? null : (keys[id]?.inactiveSince ?? null);
  return rotateAsked?.replaces === id && (takenAt === null || rotateAsked.at >= takenAt);
}

/** In a first rotation the hand-made key is what its consumers hold, until the pending one takes its place. */
function handMadeTaken(situation: Situation, { old }: Parts): Ruling | null {
  const { keys, record } = situation.observation;
  if (old.some(({ status }) => status === "active")) return null;
  const [disabled] = old;
  if (disabled !== undefined && isAsked(record, disabled.id)) return null;
  if (disabled !== undefined) return hold("CurrentKeyDisabled", `somebody disabled ${disabled.id}, the key in use`);
  const gone = record.intent?.before.find((id) => !keys.some((key) => key.id === id));
  return gone === undefined || isAsked(record, null) ? null : currentMissing(situation, gone);
}

function currentMissing({ observation, now }: Situation, id: AccessKeyId): Ruling {
  const until = goneAt(observation, id, now);
  if (now < until) return hold("NeedsEvidence", `IAM does not list ${id}, the current key, just now`, until);
  return hold("CurrentKeyGone", `somebody deleted ${id}, the current key`);
}

/** With no pair in custody, keys that were there and are not, or are disabled, were taken by somebody. */
function onlyKeyTaken({ keys, custody, record }: Observation): Ruling | null {
  if (keys.some(({ id, status }) => status === "active" || isAsked(record, id))) return null;
  if (keys.length > 0) return hold("CurrentKeyDisabled", "every key of the user is disabled");
  const hadNoKey = custody.kind === "absent" || (custody.kind === "present" && custody.intent?.before.length === 0);
  if ((hadNoKey && Object.keys(record.keys).length === 0) || isAsked(record, null)) return null;
  return hold("CurrentKeyGone", "the user has no key any more, and Keyturn deleted none of the last");
}
