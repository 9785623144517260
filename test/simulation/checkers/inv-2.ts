import { minutes } from "../../../src/rotation/time.ts";
import type { CloudAnswer } from "../../world/call.ts";
import type { SimulatedKey } from "../../world/iam-state.ts";
import type { Checker } from "../checker.ts";
import { custodyName, isRaced, subjectOf, violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/** The clocks of two runs differ by minutes. */
const CLOCKS_MS = minutes(5);

/** A key is deleted only after it was Inactive for the whole soak, as far as a listing could tell; or it is an orphan of ours. */
export function inv2(stage: Stage): Checker {
  const invariant = "INV-2";
  const activeMs = new Map<string, number>();
  const made = new Set<string>();
  const handedOut = new Set<string>();

  const isOrphan = (key: SimulatedKey): boolean => {
    const secret = stage.cloud.secretsManager.named(custodyName(key.caller.name));
    const versions = [...(secret?.versions.values() ?? [])];
    const isKept = versions.some(({ text }) => text.includes(key.id) && text.includes("SecretAccessKey"));
    return made.has(key.id) && !isKept && !handedOut.has(key.id) && key.uses.length === 0;
  };

  return {
    invariant,
    before: ({ name, run, user, input }) => {
      if (name !== "iam.DeleteAccessKey") return;
      const key = stage.cloud.iam.keys.get(String(input["AccessKeyId"]));
      if (key === undefined || key.isDeleted || isOrphan(key)) return;
      const says = (text: string): void => violate(stage, invariant, user, `deleting ${key.id}, ${text}`);
      if (key.status === "Active" && !isRaced(stage, run, user)) says("it is Active");
      const soakMs = subjectOf(stage, user)?.profile.policy.soakForMs ?? 0;
      const soakedMs = stage.clock.now() - (activeMs.get(key.id) ?? 0);
      if (soakedMs < soakMs - CLOCKS_MS) says(`it was seen Active ${String(soakedMs / 3_600_000)} h ago`);
    },
    after: ({ name, answer, isStale }) => {
      if (isStale) return;
      if (name === "iam.CreateAccessKey") {
        made.add(String((answer?.["AccessKey"] as CloudAnswer | undefined)?.["AccessKeyId"]));
      }
      if (name !== "iam.ListAccessKeys") return;
      for (const key of (answer?.["AccessKeyMetadata"] ?? []) as readonly CloudAnswer[]) {
        if (key["Status"] === "Active") activeMs.set(String(key["AccessKeyId"]), stage.clock.now());
      }
    },
    delivering: ({ pair }) => {
      handedOut.add(pair.keyId);
    },
  };
}
