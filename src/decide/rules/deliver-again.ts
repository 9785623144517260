import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import { awaitedAt, broughtBack, destinationNotOurs, destinationsBehind, runningBackOff } from "../deliveries.ts";
import { partsOf } from "../parts.ts";
import { retirementOf } from "../retirement.ts";
import { deliverTo } from "../rulings.ts";
import { windowClosed } from "../window.ts";

/** Rule 10. A destination added later, one that is back on an older pair, or whose live version is not ours when the old key is about to go. */
export const deliverAgain: Rule = { name: "deliver-again", judge: (situation) => redeliveryOf(situation) };

/** The current key's next delivery, or the look that must come before it; null when every destination is as it should be. */
export function redeliveryOf(situation: Situation): Ruling | null {
  const { observation, now } = situation;
  const { current, pending } = partsOf(observation);
  // A current key that is disabled is here only while an operator's `rotate` replaces it.
  if (current?.status !== "active" || pending !== null) return null;
  const isFree = (name: string): boolean => runningBackOff(observation, name, now) === null;
  const isStored = (name: string): boolean => awaitedAt(observation, name, current.id) !== null;
  const behind = destinationsBehind(observation, current.id).find(({ name }) => isFree(name) && !isStored(name));
  if (behind !== undefined) {
    const ruling = deliverTo(
      behind.name,
      current.id,
      `${behind.name} was not given ${current.id}, the current key, yet`,
    );
    return windowClosed(situation, `delivering ${current.id} to ${behind.name}`) ?? ruling;
  }
  // Whoever brings an older version back brings an older pair back: that is asked at every look, and not just at the end.
  const back = broughtBack(situation, isFree);
  // On an older pair that still works its consumer can wait, and on one that is gone it cannot.
  const canWait = back?.step.kind === "deliver" && observation.keys.length > 1;
  const closed = canWait ? windowClosed(situation, `delivering ${current.id} to ${back.step.destination} again`) : null;
  if (closed !== null) return closed;
  if (back !== null || retirementOf(situation)?.step.kind !== "deactivate") return back;
  const ruling = destinationNotOurs(situation);
  // What cannot be read is the next rules' to hold; a failed re-delivery waits for its back-off there, too.
  if (ruling?.step.kind === "hold") return null;
  return ruling?.step.kind === "deliver" && !isFree(ruling.step.destination) ? null : ruling;
}
