import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import { destinationsBehind, runningBackOff } from "../deliveries.ts";
import { partsOf } from "../parts.ts";
import { destinationNotOurs, retirementOf } from "../retirement.ts";

/** Rule 10. A destination added later, or one whose live version is not ours when the old key is about to go. */
export const deliverAgain: Rule = {
  name: "deliver-again",
  judge: (situation) => redeliveryOf(situation),
};

/** The current key's next delivery, or the look that must come before it; null when every destination is as it should be. */
export function redeliveryOf(situation: Situation): Ruling | null {
  const { observation, now } = situation;
  const { current, pending } = partsOf(observation);
  if (current === null || pending !== null) return null;
  const behind = destinationsBehind(observation, current.id).find(
    ({ name }) => runningBackOff(observation, name, now) === null,
  );
  if (behind !== undefined) {
    return {
      step: { kind: "deliver", keyId: current.id, destination: behind.name, isConfirming: false },
      reason: "DestinationBehind",
      because: `${behind.name} was not given ${current.id}, the current key, yet`,
    };
  }
  const retirement = retirementOf(situation);
  if (retirement.kind !== "ready") return null;
  const ruling = destinationNotOurs(situation, retirement.case);
  // What cannot be read is the next rules' to hold; a failed re-delivery waits for its back-off there, too.
  if (ruling === null || ruling.step.kind === "hold") return null;
  if (ruling.step.kind !== "deliver") return ruling;
  return runningBackOff(observation, ruling.step.destination, now) === null ? ruling : null;
}
