import type { Checker } from "../checker.ts";
import { violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/** Every irreversible act has its evidence on record before it happens. */
export function inv11(stage: Stage): Checker {
  const invariant = "INV-11";
  const onRecord = new Set<string>();
  return {
    invariant,
    appended: (run, { what, keyId, details }) => {
      const evidence = details["evidence"];
      // That it is leaked, or that somebody said so, is evidence.
      const isMarked = details["reason"] === "KeyExposed" || details["reason"] === "RetireAsked";
      if (Array.isArray(evidence) && (evidence.length > 0 || isMarked))
        onRecord.add(`${String(run.id)} ${what} ${String(keyId)}`);
    },
    before: ({ name, run, user, input }) => {
      const isDeactivation = name === "iam.UpdateAccessKey" && input["Status"] === "Inactive";
      if (!isDeactivation && name !== "iam.DeleteAccessKey") return;
      const what = isDeactivation ? "deactivating" : "deleting";
      const keyId = String(input["AccessKeyId"]);
      if (onRecord.has(`${String(run.id)} ${what} ${keyId}`)) return;
      violate(stage, invariant, user, `${what} ${keyId} without its evidence on record`);
    },
  };
}
