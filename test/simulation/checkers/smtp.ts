import type { Checker } from "../checker.ts";
import { isUrgent } from "../leaks.ts";
import { isRaced, subjectOf, violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/** Who may send mail, and is not said not to, keeps all keys: nobody can see whether a password was derived from one. */
export function smtp(stage: Stage): Checker {
  const invariant = "SMTP";
  return {
    invariant,
    before: ({ name, run, user, input, sent }) => {
      if (name !== "iam.DeleteAccessKey" && !(name === "iam.UpdateAccessKey" && input["Status"] === "Inactive")) return;
      const mayMail = "mail" in (stage.cloud.iam.users.get(user)?.inline ?? {});
      if (!mayMail || subjectOf(stage, user)?.profile.smtp === "none") return;
      if (isUrgent(stage, user)) return;
      // A leaked key is cut unseen where nothing can be read: from one that is gone nothing is taken.
      if (stage.cloud.iam.keys.get(String(input["AccessKeyId"]))?.isDeleted !== false) return;
      // It was granted since this run read the policies: the next run knows.
      if (sent.wasRegranted || isRaced(stage, run, user, "policies")) return;
      violate(stage, invariant, user, `${name} for a user that may send mail`);
    },
  };
}
