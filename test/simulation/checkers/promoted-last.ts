import type { Checker } from "../checker.ts";
import { isUrgent } from "../leaks.ts";
import { custodyName, isRaced, violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/** A pair becomes current, and so reaches whoever reads custody, only when every place that is delivered to was given it. */
export function promotedLast(stage: Stage): Checker {
  const invariant = "INV-1";
  const given = new Set<string>();
  return {
    invariant,
    delivering: ({ destination, pair }) => {
      given.add(`${destination} ${pair.keyId}`);
    },
    before: ({ name, run, user, input }) => {
      if (name !== "secretsmanager.UpdateSecretVersionStage" || input["VersionStage"] !== "AWSCURRENT") return;
      const versions = stage.cloud.secretsManager.named(custodyName(user))?.versions;
      const text = versions?.get(String(input["MoveToVersionId"]))?.text ?? "{}";
      const { AccessKeyId: keyId = "" } = JSON.parse(text) as Readonly<Record<string, string>>;
      for (const { name: destination, readsCustody } of run.configured.get(user) ?? []) {
        if (readsCustody || given.has(`${destination} ${keyId}`) || isRaced(stage, run, user)) continue;
        // For a leaked key each place is tried, and none waited for.
        if (isUrgent(stage, user) && run.troubles.size > 0) continue;
        violate(stage, invariant, user, `${keyId} becomes current and ${destination} was not given it`);
      }
    },
  };
}
