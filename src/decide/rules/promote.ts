import type { Rule, Ruling } from "../../rotation/decision.ts";
import { partsOf } from "../parts.ts";
import { windowClosed } from "../window.ts";

/** Rule 9. Relies on rule 8: no destination is behind the pending key. Those that read custody get it by this step. */
export const promote: Rule = {
  name: "promote",
  judge(situation) {
    const { observation } = situation;
    const { custody } = observation;
    const { pending, current } = partsOf(observation);
    if (pending !== null) {
      const because = `${pending.id} is at every destination that is not filled from custody`;
      const ruling: Ruling = { step: { kind: "promote", keyId: pending.id }, reason: "DeliveredEverywhere", because };
      // Those that read custody are delivered by this.
      return windowClosed(situation, `promoting ${pending.id}`) ?? ruling;
    }
    if (current === null || custody.kind !== "present" || !custody.isHalfPromoted) return null;
    // Left there, the label would have the key promoted again when somebody moves AWSCURRENT back by hand.
    const because = `${current.id} is current, and still bears AWSPENDING`;
    return { step: { kind: "withdraw-pending", keyId: current.id }, reason: "DeliveredEverywhere", because };
  },
};
