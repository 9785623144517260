import { userName } from "../../../src/rotation/keys.ts";
import type { Checker } from "../checker.ts";
import { violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/** Secret material is in custody and destinations only: never in the journal, a notice, a log line or a result. */
export function inv8(stage: Stage): Checker {
  const invariant = "INV-8";
  const check = (where: string, text: string): void => {
    for (const { secret, id, caller } of stage.cloud.iam.keys.values()) {
      // As JSON would write it, too: a slash may be escaped, and a plus never is.
      if (text.includes(secret)) violate(stage, invariant, caller.name, `the secret of ${id} is in ${where}`);
    }
  };
  return {
    invariant,
    noticed: (_, notices) => {
      check("a notice", JSON.stringify(notices));
    },
    swept: ({ runs }) => {
      for (const { run, result } of runs) {
        for (const { decisions, error } of result?.users ?? []) {
          for (const line of decisions) check("a result", line.error?.message ?? line.because);
          if (error !== undefined) check("a result", error.message);
        }
        for (const { outcome } of run.log.outcomes)
          if (outcome.kind !== "done") check("an outcome", JSON.stringify(outcome));
        for (const event of run.log.events) {
          if (event.level !== "info") check("a log line", JSON.stringify(event) + String(event.fields["error"]));
        }
      }
    },
    ended: async () => {
      for (const { user } of stage.subjects) {
        // A record that cannot be read is its own story.
        const record = await stage.journal.read(userName(user)).catch(() => null);
        check("the journal", JSON.stringify([record, await stage.journal.history(userName(user))]));
      }
    },
  };
}
