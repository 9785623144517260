import type { Checker } from "../checker.ts";
import type { Run } from "../run.ts";
import { violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/** What somebody types is that person's act, also while sweeps are paused. */
const ACTS: ReadonlySet<string> = new Set(["revoke", "rollback", "reactivate"]);

/** Whoever began after the sweeps were paused looks, and does nothing; but for a mark, and what somebody types. */
export function paused(stage: Stage): Checker {
  const invariant = "PAUSE";
  const check = (run: Run, user: string, what: string): void => {
    if (stage.pausedMs === null || run.startedMs <= stage.pausedMs || ACTS.has(run.word ?? "")) return;
    violate(stage, invariant, user, `${what} while Keyturn is paused`);
  };
  return {
    invariant,
    before: ({ name, run, user, input }) => {
      // A mark needs custody. A word may empty it, and only that.
      const isMark = input["SecretString"] === '{"Version":1}';
      if (isMark || (run.word !== null && name.startsWith("secretsmanager."))) return;
      check(run, user, name);
    },
    delivering: ({ run, subject, destination }) => {
      check(run, subject.user, `a delivery to ${destination}`);
    },
  };
}
