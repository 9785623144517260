import type { Rule, Situation } from "../../rotation/decision.ts";
import type { AccessKeyId } from "../../rotation/keys.ts";
import { partsOf } from "../parts.ts";
import { nextDelivery } from "./deliver.ts";
import { redeliveryOf } from "./deliver-again.ts";
import { windowClosed } from "../window.ts";

/** Rule 7. Only a pair that answered in this very sweep is delivered or promoted. */
export const prove: Rule = {
  name: "prove",
  judge(situation) {
    const keyId = keyToFollow(situation);
    if (keyId === null || situation.observation.proved.includes(keyId)) return null;
    const because = `${keyId} must answer in this sweep before it is handed on`;
    return { step: { kind: "prove", keyId }, reason: "ReplacementNotProved", because };
  },
};

/** The key that a delivery or a promotion is about to follow; null while every destination backs off, or is asked. */
function keyToFollow(situation: Situation): AccessKeyId | null {
  const { pending } = partsOf(situation.observation);
  const next = nextDelivery(situation)?.step.kind;
  if (pending !== null && windowClosed(situation, pending.id) !== null) return null;
  if (pending !== null) return next === "hold" || next === "look" ? null : pending.id;
  const step = redeliveryOf(situation)?.step;
  return step?.kind === "deliver" ? step.keyId : null;
}
