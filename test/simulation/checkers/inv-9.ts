import type { Checker } from "../checker.ts";
import { isLeaked } from "../leaks.ts";
import type { Run } from "../run.ts";
import { subjectOf, violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/** Unknown never retires a key: the run itself was told by last-used, and read CloudTrail to its end in every Region asked. */
export function inv9(stage: Stage): Checker {
  const invariant = "INV-9";
  const told = new WeakMap<Run, Set<string>>();
  const toldIn = (run: Run): Set<string> => {
    const known = told.get(run) ?? new Set<string>();
    told.set(run, known);
    return known;
  };
  return {
    invariant,
    after: ({ name, run, input, region, answer, isHeard }) => {
      if (!isHeard) return;
      if (name === "iam.GetAccessKeyLastUsed") toldIn(run).add(`last-used ${String(input["AccessKeyId"])}`);
      if (name !== "cloudtrail.LookupEvents" || answer?.["NextToken"] !== undefined) return;
      const [attribute] = input["LookupAttributes"] as readonly Readonly<Record<string, string>>[];
      toldIn(run).add(`${region} ${attribute?.["AttributeKey"] ?? ""} ${attribute?.["AttributeValue"] ?? ""}`);
    },
    before: ({ name, run, user, input }) => {
      if (name !== "iam.UpdateAccessKey" || input["Status"] !== "Inactive") return;
      const keyId = String(input["AccessKeyId"]);
      // A leak, and an operator's word, wait for no proof.
      if (isLeaked(stage, keyId) || stage.retiring.has(keyId)) return;
      const known = toldIn(run);
      const says = (what: string): void => violate(stage, invariant, user, `deactivating ${keyId}, ${what}`);
      if (!known.has(`last-used ${keyId}`)) says("last-used did not say anything of it");
      const unasked = subjectOf(stage, user)?.profile.unaskedRegions ?? {};
      for (const region of stage.cloud.regions) {
        if (!(region in unasked) && !known.has(`${region} AccessKeyId ${keyId}`))
          says(`CloudTrail of ${region} is not read`);
      }
    },
  };
}
