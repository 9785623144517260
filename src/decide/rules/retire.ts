import type { Rule } from "../../rotation/decision.ts";
import { healthOpen } from "../answers.ts";
import { destinationNotOurs } from "../deliveries.ts";
import { partsOf } from "../parts.ts";
import { retirementOf } from "../retirement.ts";
import { hold } from "../rulings.ts";

/** Rule 13. The old key goes Inactive when it is proved that nobody needs it. Unknown is never unused. */
export const retire: Rule = {
  name: "retire",
  judge(situation) {
    const retirement = retirementOf(situation);
    if (retirement?.step.kind !== "deactivate") return retirement;
    const { observation } = situation;
    const { currentId } = partsOf(observation);
    const open = destinationNotOurs(situation) ?? (currentId === null ? null : healthOpen(observation, currentId));
    if (open === null || open.step.kind === "hold" || open.step.kind === "look") return open ?? retirement;
    // A re-delivery that rule 10 did not rule is waiting for its back-off.
    return hold("DestinationBackingOff", open.because);
  },
};
