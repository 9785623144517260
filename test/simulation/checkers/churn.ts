import type { Checker } from "../checker.ts";
import { violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/** Once all is mended, one of these may still be lost to what went before. */
const CREATIONS_MAX = 3;

/** When nothing goes wrong any more, what is made becomes current: keys that are made and deleted again are no progress. */
export function churn(stage: Stage): Checker {
  const invariant = "INV-10";
  const made = new Map<string, number>();
  return {
    invariant,
    before: ({ name, user, input }) => {
      if (!stage.isHealed) return;
      if (name === "secretsmanager.UpdateSecretVersionStage" && input["VersionStage"] === "AWSCURRENT") {
        made.delete(user);
      }
      if (name !== "iam.CreateAccessKey") return;
      const times = (made.get(user) ?? 0) + 1;
      made.set(user, times);
      if (times > CREATIONS_MAX)
        violate(stage, invariant, user, "keys are made again and again, and none becomes current");
    },
  };
}
