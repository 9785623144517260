import type { Rule } from "../../rotation/decision.ts";
import { destinationNotOurs, retirementOf } from "../retirement.ts";
import { hold } from "../rulings.ts";

/** Rule 13. The old key goes Inactive when it is proved that nobody needs it. Unknown is never unused. */
export const retire: Rule = {
  name: "retire",
  judge(situation) {
    const retirement = retirementOf(situation);
    if (retirement.kind === "none") return null;
    if (retirement.kind === "not-yet") return retirement.ruling;
    const { old, quietSince, isWaived, because } = retirement.case;
    const open = destinationNotOurs(situation, retirement.case);
    if (open?.step.kind === "hold") return open;
    // A re-delivery that rule 10 did not rule is waiting for its back-off.
    if (open !== null) return hold("DestinationBackingOff", open.because);
    return {
      step: { kind: "deactivate", keyId: old.id, quietSince, isWaived },
      reason: "OldKeyQuiet",
      because,
    };
  },
};
