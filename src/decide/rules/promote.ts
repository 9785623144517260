import type { Rule } from "../../rotation/decision.ts";
import { partsOf } from "../parts.ts";

/** Rule 9. Relies on rule 8: no destination is behind the pending key. Those that read custody get it by this step. */
export const promote: Rule = {
  name: "promote",
  judge({ observation }) {
    const { pending } = partsOf(observation);
    if (pending === null) return null;
    const because = `${pending.id} is at every destination that is not filled from custody`;
    return { step: { kind: "promote", keyId: pending.id }, reason: "DeliveredEverywhere", because };
  },
};
