import { days, minutes } from "../../../src/rotation/time.ts";
import type { CloudAnswer } from "../../world/call.ts";
import type { SimulatedKey } from "../../world/iam-state.ts";
import type { Checker } from "../checker.ts";
import { isLeaked, isUrgent } from "../leaks.ts";
import type { Run } from "../run.ts";
import { custodyName, custodyPair, isRaced, subjectOf, violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/** The clocks of two runs differ by minutes. */
const CLOCKS_MS = minutes(5);
const UNMISSED_MS = days(90);

/** A key is deleted only after it was Inactive for the whole soak, as far as a listing could tell; or it is an orphan of ours. */
export function inv2(stage: Stage): Checker {
  const invariant = "INV-2";
  const activeMs = new Map<string, number>();
  /** What runs have seen since the last sweep was over. */
  const fresh: { readonly run: Run; readonly user: string; readonly id: string; readonly atMs: number }[] = [];
  /** Users whom a run wrote down. */
  const written = new Set<string>();
  const takenMs = new Map<string, number>();
  const made = new Set<string>();
  const handedOut = new Set<string>();
  const wasCurrent = new Set<string>();

  const isOrphan = (key: SimulatedKey): boolean => {
    const secret = stage.cloud.secretsManager.named(custodyName(key.caller.name));
    const versions = [...(secret?.versions.values() ?? [])];
    // What was withdrawn before it was current lies there without a label, and nobody reads it.
    const isKept = versions.some(
      ({ text, stages }) =>
        text.includes(key.id) && text.includes("SecretAccessKey") && (stages.size > 0 || wasCurrent.has(key.id)),
    );
    // Of one that leaked, and that nobody was given, the uses are a thief's.
    const isUnused = key.uses.length === 0 || isLeaked(stage, key.id);
    return made.has(key.id) && !isKept && !handedOut.has(key.id) && isUnused;
  };

  const isReplaced = (user: string): boolean => {
    const current = stage.cloud.iam.keys.get(custodyPair(stage, user, "AWSCURRENT")?.keyId ?? "");
    return current?.status === "Active" && !current.isDeleted && !isLeaked(stage, current.id);
  };

  /** A key that Keyturn took while somebody used it is no longer to be deleted. */
  function needed(key: SimulatedKey, user: string, says: (text: string) => void): void {
    const policy = subjectOf(stage, user)?.profile.policy;
    const takenAtMs = takenMs.get(key.id);
    const usedMs = key.uses.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
    if (policy === undefined || takenAtMs === undefined || usedMs <= takenAtMs - policy.quietForMs) return;
    // Somebody made it active and took it again, before any listing showed that: nobody knows that of whose taking.
    if (key.changes.some(({ works, atMs }) => works && atMs > takenAtMs)) return;
    // Nobody has missed it for so long: where the journal was lost, that must do (decision 18).
    if (stage.clock.now() - usedMs >= UNMISSED_MS) return;
    says(`it was used ${((takenAtMs - usedMs) / 3_600_000).toFixed(1)} h before it was taken`);
  }

  return {
    invariant,
    before: ({ name, run, user, input, sent }) => {
      if (name === "iam.UpdateAccessKey" && input["Status"] === "Inactive") {
        takenMs.set(String(input["AccessKeyId"]), stage.clock.now());
      }
      if (name === "secretsmanager.UpdateSecretVersionStage" && input["VersionStage"] === "AWSCURRENT") {
        const version = stage.cloud.secretsManager
          .named(custodyName(user))
          ?.versions.get(String(input["MoveToVersionId"]));
        for (const id of made) if (version?.text.includes(id) === true) wasCurrent.add(id);
      }
      if (name !== "iam.DeleteAccessKey") return;
      const key = stage.cloud.iam.keys.get(String(input["AccessKeyId"]));
      if (key === undefined || key.isDeleted || isOrphan(key)) return;
      const says = (text: string): void => violate(stage, invariant, user, `deleting ${key.id}, ${text}`);
      // It makes room for the replacement of one that is leaked: `price` watches which may. Or it did when the run looked.
      const isLeaky = sent.wasRaced && stage.leaks.some((leak) => leak.user === user);
      if (isLeaky || (isUrgent(stage, user) && !isReplaced(user))) return;
      if (key.status === "Active" && !sent.wasRaced && !isRaced(stage, run, user)) says("it is Active");
      const soakMs = subjectOf(stage, user)?.profile.policy.soakForMs ?? 0;
      const justSeenMs = fresh.filter((seen) => seen.run === run && seen.id === key.id).map(({ atMs }) => atMs);
      const soakedMs = stage.clock.now() - Math.max(activeMs.get(key.id) ?? 0, ...justSeenMs);
      if (!isLeaked(stage, key.id) && !stage.retiring.has(key.id)) needed(key, user, says);
      if (soakedMs < soakMs - CLOCKS_MS) says(`it was seen Active ${String(soakedMs / 3_600_000)} h ago`);
    },
    after: ({ name, run, user, answer, isStale, isHeard }) => {
      if (isStale) return;
      if (name === "iam.CreateAccessKey") {
        made.add(String((answer?.["AccessKey"] as CloudAnswer | undefined)?.["AccessKeyId"]));
      }
      if (name !== "iam.ListAccessKeys" || !isHeard) return;
      for (const key of (answer?.["AccessKeyMetadata"] ?? []) as readonly CloudAnswer[]) {
        if (key["Status"] !== "Active") continue;
        const id = String(key["AccessKeyId"]);
        fresh.push({ run, user, id, atMs: stage.clock.now() });
        // Somebody gave it back; whoever takes it the next time is asked anew.
        if (stage.clock.now() - (takenMs.get(id) ?? 0) > CLOCKS_MS) takenMs.delete(id);
      }
    },
    swept: () => {
      // What could not be written down nobody knows afterwards.
      for (const { run, user, id, atMs } of fresh) {
        const isTorn = run.isDead || [...run.troubles].some((operation) => operation.startsWith("journal."));
        if (!isTorn || written.has(`${String(run.id)} ${user}`)) activeMs.set(id, atMs);
      }
      fresh.length = 0;
      written.clear();
    },
    wrote: (run, { user }) => {
      written.add(`${String(run.id)} ${user}`);
    },
    delivering: ({ pair }) => {
      handedOut.add(pair.keyId);
    },
  };
}
