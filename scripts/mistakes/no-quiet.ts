import { partsOf } from "../../src/decide/parts.ts";
import type { Rule } from "../../src/rotation/decision.ts";

/** Takes the old key away as soon as the new one is current. Whoever still holds the old one is not asked for. */
export const retire: Rule = {
  name: "retire",
  judge({ observation, now }) {
    const { current, old } = partsOf(observation);
    const key = old.find(({ status }) => status === "active");
    if (current === null || key === undefined) return null;
    return {
      step: { kind: "deactivate", keyId: key.id, quietSince: now, isWaived: false },
      reason: "OldKeyQuiet",
      because: `${current.id} is current, so ${key.id} is taken for needless`,
    };
  },
};
