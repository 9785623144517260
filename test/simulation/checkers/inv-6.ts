import type { CallEvent, Checker } from "../checker.ts";
import { isLeaked, isRevoking, isUrgent } from "../leaks.ts";
import type { Run } from "../run.ts";
import { custodyPair, isRaced, subjectOf, violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

type Doing = Pick<CallEvent, "run" | "sent">;

/** Nothing is done to a user that is not enrolled or is held, nor to a key that somebody else made beside ours. */
export function inv6(stage: Stage): Checker {
  const invariant = "INV-6";
  /** A hold stands in no word's way; in that of the sweep which follows some it does. */
  const isTyped = ({ word }: Run, what: string): boolean =>
    word === "rollback" || word === "reactivate" || (word !== null && what.startsWith("secretsmanager."));
  const check = ({ run, sent }: Doing, user: string, [what, isGivingBack]: readonly [string, boolean]): void => {
    const tags = stage.cloud.iam.users.get(user)?.tags ?? [];
    const keys = tags.map(({ Key }) => Key.toLowerCase());
    const enrolments = tags.filter(({ Key }) => /^keyturn(-(?!hold$).+)?$/i.test(Key));
    const profile = subjectOf(stage, user)?.profile.name;
    const isEnrolled = enrolments.length === 1 && enrolments[0]?.Value === profile;
    // An operator's `revoke` is the stronger word.
    const isHeld =
      (keys.includes("keyturn-hold") || stage.heldByWord.has(user)) &&
      !isGivingBack &&
      !sent.wasRevoked &&
      !isRevoking(stage, user) &&
      !isTyped(run, what);
    if ((isEnrolled && !isHeld) || sent.wasRetagged || isRaced(stage, run, user, "tags")) return;
    violate(stage, invariant, user, `${what} for a user that is ${isEnrolled ? "held" : "not enrolled"}`);
  };
  return {
    invariant,
    before: ({ name, run, user, input, sent }) => {
      // A mark is written for whoever is enrolled, held or not.
      if (input["SecretString"] === '{"Version":1}') return;
      // The second half of a promotion that was begun in time.
      const currentId = custodyPair(stage, user, "AWSCURRENT")?.keyId;
      const isHalfDone = currentId !== undefined && currentId === custodyPair(stage, user, "AWSPENDING")?.keyId;
      if (input["VersionStage"] === "AWSPENDING" && isHalfDone) return;
      check({ run, sent }, user, [name, name === "iam.UpdateAccessKey" && input["Status"] === "Active"]);
      const keyId = String(input["AccessKeyId"]);
      // A leaked one was named to us, whoever made it; and one that somebody disabled goes to make room.
      const wasInactive = sent.wasRaced || stage.cloud.iam.keys.get(keyId)?.status === "Inactive";
      const isForRoom = name === "iam.DeleteAccessKey" && wasInactive && isUrgent(stage, user);
      if (stage.strangers.has(keyId) && !isLeaked(stage, keyId) && !isForRoom)
        violate(stage, invariant, user, `${name} for ${keyId}, which a person made`);
    },
    delivering: ({ run, subject, destination, sent }) => {
      check({ run, sent }, subject.user, [`a delivery to ${destination}`, false]);
    },
  };
}
