import { isLeaked } from "../leaks.ts";
import { custodyName, custodyPair, START_MS, subjectOf } from "../stage.ts";
import type { SimulatedSubject, Stage } from "../stage.ts";
import type { Workplace } from "../workplaces.ts";

/** Whether somebody fetches the user's pair in custody, and so whoever has a key of it could. */
export function readsCustody(stage: Stage, user: string): boolean {
  const subject = subjectOf(stage, user);
  if (subject === undefined) return false;
  return subject.profile.isPulled || subject.destinations.some((destination) => destination.readsCustody);
}

/** The person's word, or deed, that keeps a leaked key of a user from being cut; null where there is none. */
export function standsInTheWay(stage: Stage, subject: SimulatedSubject, isRevoked: boolean): string | null {
  const { user, profile } = subject;
  const found = stage.cloud.iam.users.get(user);
  if (found === undefined) return "there is no such user";
  const enrolments = found.tags.filter(({ Key }) => /^keyturn(-(?!hold$).+)?$/i.test(Key));
  if (enrolments.length !== 1 || enrolments[0]?.Value !== profile.name) return "it is not enrolled";
  if (!profile.users.includes(user)) return "its profile does not serve it";
  if (sharesSlot(stage, subject)) return "it shares a place with another";
  const secret = stage.cloud.secretsManager.named(custodyName(user));
  const owner = secret?.tags.find(({ Key }) => Key === "keyturn:user-id")?.Value ?? found.id;
  // Custody may have been made since, for a mark; the journal knows the former one.
  const remadeMs = stage.remadeMs.get(user) ?? Number.NEGATIVE_INFINITY;
  if (owner !== found.id || remadeMs > stage.journalLostMs) return "it was made again";
  if (isRevoked) return null;
  if (found.tags.some(({ Key }) => Key.toLowerCase() === "keyturn-hold")) return "it is held";
  return isTaken(stage, user) ? "somebody took the key that is in use" : null;
}

/** The current key, or one of before the first rotation, does not work by somebody's hand. */
function isTaken(stage: Stage, user: string): boolean {
  const currentId = custodyPair(stage, user, "AWSCURRENT")?.keyId ?? null;
  const current = currentId === null ? undefined : stage.cloud.iam.keys.get(currentId);
  if (current?.status === "Inactive" && !current.isDeleted && isLeaked(stage, current.id)) {
    // It was Inactive before it leaked: somebody has moved custody's label to it, or taken it.
    const leakMs = Math.min(...stage.leaks.filter(({ keyId }) => keyId === current.id).map(({ atMs }) => atMs));
    if (current.changedAtMs < leakMs) return true;
    // Without the journal nobody knows any more whose doing it was.
    return stage.takenByPeople.has(current.id) || stage.journalLostMs > current.changedAtMs;
  }
  if (current !== undefined) return current.isDeleted || current.status !== "Active";
  const own = [...stage.cloud.iam.keys.values()].filter(({ caller }) => caller.name === user);
  return own.some(({ id, status, changedAtMs, isDeleted }) => {
    // One that was Inactive when Keyturn came is somebody's doing, too; so is one of which the lost journal knew better.
    const isUnknown = changedAtMs <= START_MS || (!isDeleted && stage.journalLostMs > changedAtMs);
    return stage.takenByPeople.has(id) || (status === "Inactive" && isUnknown);
  });
}

const sharesSlot = (stage: Stage, { user, destinations }: SimulatedSubject): boolean =>
  stage.subjects.some(
    (other) => other.user !== user && other.destinations.some((destination) => destinations.includes(destination)),
  );

/** A place that says it has the current pair, and lost it: where nobody can be seen to use either, nothing tells. What is stored is not lost. */
export function isLost(workplace: Workplace): boolean {
  const { deliveries, pair, builds, losesPushes } = workplace;
  if (losesPushes) return true;
  if (deliveries.length === 0 || deliveries.at(-1) === pair().keyId) return false;
  if (!workplace.isRolledBack()) return builds?.isAwaited() !== true;
  // What was built since the delivery counts as having its pair, also where somebody goes back to it.
  return builds !== null && !workplace.isBroughtBack();
}
