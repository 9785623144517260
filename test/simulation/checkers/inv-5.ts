import { minutes } from "../../../src/rotation/time.ts";
import { worksAt } from "../../world/iam-state.ts";
import type { Checker, Sent } from "../checker.ts";
import { isLeaked } from "../leaks.ts";
import type { Run } from "../run.ts";
import { custodyName, custodyPair, isRaced, violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/**
 * No destination, and no reader of custody, is given a pair that does not work. That one which was filled goes dead is
 * what the consumers' own calls show (PROMISE).
 */
export function inv5(stage: Stage): Checker {
  const invariant = "INV-5";
  const check = (run: Run, user: string, [where, keyId]: readonly [string, string], sent: Sent): void => {
    const key = stage.cloud.iam.keys.get(keyId);
    const works = key !== undefined && key.status === "Active" && !key.isDeleted && worksAt(key, stage.clock.now());
    // What arrives late finds what somebody did while it was under way, and its run may have looked again meanwhile.
    const meddledMs = stage.meddledMs.get(user) ?? Number.NEGATIVE_INFINITY;
    // Whoever made a key takes it to be there: IAM's listing may be older than it.
    const isMaker = key !== undefined && key.createdAtMs >= run.startedMs;
    const isUnseen = sent.wasRaced || isMaker || stage.clock.now() - meddledMs < minutes(2);
    const isOvertaken = stage.takenByPeople.has(keyId) && isUnseen;
    // A leaked key is taken also where its promotion had no answer, and that may arrive late.
    const isLate = key !== undefined && isLeaked(stage, keyId) && worksAt(key, sent.atMs);
    if (!works && !isOvertaken && !isLate && !isRaced(stage, run, user))
      violate(stage, invariant, user, `${where} is given ${keyId}, which does not work`);
  };
  return {
    invariant,
    delivering: ({ run, subject, destination, pair, isOvertaken, sent }) => {
      if (!isOvertaken) check(run, subject.user, [destination, pair.keyId], sent);
    },
    before: ({ name, run, user, input, sent }) => {
      if (name !== "secretsmanager.UpdateSecretVersionStage" || input["VersionStage"] !== "AWSCURRENT") return;
      const versions = stage.cloud.secretsManager.named(custodyName(user))?.versions;
      const text = versions?.get(String(input["MoveToVersionId"]))?.text ?? "{}";
      const { AccessKeyId: keyId } = JSON.parse(text) as Readonly<Record<string, string>>;
      // A word empties custody, where what it shows is of a key that somebody took.
      const shown = stage.cloud.iam.keys.get(custodyPair(stage, user, "AWSCURRENT")?.keyId ?? "");
      if (keyId === undefined && run.word !== null && (shown?.isDeleted !== false || shown.status !== "Active")) return;
      check(run, user, ["custody", keyId ?? "the marker"], sent);
    },
  };
}
