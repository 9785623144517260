import { minutes } from "../../../src/rotation/time.ts";
import type { Checker } from "../checker.ts";
import { isLeaked, isUrgent } from "../leaks.ts";
import type { Run } from "../run.ts";
import { custodyName, isRaced, subjectOf, violate } from "../stage.ts";
import type { Stage } from "../stage.ts";
import { isOpenAt } from "../windows.ts";

/** The clock of a run is some minutes off, and what it decided is done a little later. */
const CLOCKS_MS = minutes(2);
const LATER_MS = minutes(5);

/**
 * Nothing is delivered, promoted or taken outside of the profile's window; but for a leaked key, and for a consumer that
 * somebody brought back to a pair that is gone.
 */
export function inItsWindow(stage: Stage): Checker {
  const invariant = "WINDOW";
  /** When a key of the user's was last leaked, and not cut yet: what was sent then may arrive late. */
  const urgentMs = new Map<string, number>();
  const wasUrgent = (user: string): boolean => {
    if (isUrgent(stage, user)) urgentMs.set(user, stage.clock.now());
    return stage.clock.now() - (urgentMs.get(user) ?? Number.NEGATIVE_INFINITY) < LATER_MS;
  };
  const check = (run: Run, user: string, what: string): void => {
    const { window = null } = subjectOf(stage, user)?.profile.policy ?? {};
    // A rollback is an act of the person who typed it.
    if (window === null || wasUrgent(user) || run.word === "rollback") return;
    const nowMs = stage.clock.now();
    // What was urgent when it was decided a person may have ended while the process stood still.
    if (run.stalledMs > minutes(1) && (stage.meddledMs.get(user) ?? 0) > run.startedMs) return;
    // A process that stood still goes on with what it has decided.
    const decidedMs = run.stalledMs > minutes(1) ? run.startedMs : nowMs - LATER_MS;
    if ([decidedMs - CLOCKS_MS, decidedMs, nowMs, nowMs + CLOCKS_MS].some((atMs) => isOpenAt(window, atMs))) return;
    violate(stage, invariant, user, `${what}, and the window ${window.text} is closed`);
  };
  return {
    invariant,
    delivering: ({ run, subject, destination, pair, sent }) => {
      const { user, workers } = subject;
      const holder = workers.find(({ name }) => name === destination);
      const live = stage.cloud.iam.keys.get(holder?.pair().keyId ?? "");
      const isGone = live === undefined || live.isDeleted || live.status !== "Active";
      // Of several versions with this pair only the last is known to have it: that another is brought back looks the same.
      const isSame = live?.id === pair.keyId;
      // It is so, or was when the run looked.
      const isAlone = stage.cloud.iam.keysOf(user).length === 1;
      if ((isAlone && (isGone || isSame)) || sent.wasUrgent || isRaced(stage, run, user)) return;
      check(run, user, `${destination} is given ${pair.keyId}`);
    },
    before: ({ name, run, user, input }) => {
      const keyId = String(input["AccessKeyId"]);
      wasUrgent(user);
      if (name === "secretsmanager.UpdateSecretVersionStage" && input["VersionStage"] === "AWSCURRENT") {
        const versions = stage.cloud.secretsManager.named(custodyName(user))?.versions;
        // A word may empty custody at any hour.
        const isPair = versions?.get(String(input["MoveToVersionId"]))?.text.includes("AccessKeyId") === true;
        if (isPair) check(run, user, "a pair becomes current");
      }
      const isTaken = name === "iam.UpdateAccessKey" && input["Status"] === "Inactive";
      if (isTaken && !isLeaked(stage, keyId)) check(run, user, `${keyId} is deactivated`);
    },
  };
}
