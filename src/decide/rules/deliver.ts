import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import { describeMs } from "../../rotation/time.ts";
import { unaskedLive } from "../answers.ts";
import { awaitedAt, destinationsBehind, runningBackOff, storedRuling } from "../deliveries.ts";
import { partsOf } from "../parts.ts";
import { deliverTo, hold, look } from "../rulings.ts";
import { windowClosed } from "../window.ts";

/** Rule 8. Every destination gets the pending key before it becomes current. Rules during a back-off, too. */
export const deliver: Rule = { name: "deliver", judge: (situation) => nextDelivery(situation) };

/**
 * The next delivery of the pending key, or the look at where it is stored, or the hold while all that are behind wait; null
 * when none is behind.
 */
export function nextDelivery(situation: Situation): Ruling | null {
  const { observation, now } = situation;
  const { pending } = partsOf(observation);
  if (pending === null) return null;
  const behind = destinationsBehind(observation, pending.id).map(({ name }) => name);
  if (behind.length === 0) return null;
  const stored = behind.filter((name) => awaitedAt(observation, name, pending.id) !== null);
  const isFree = (name: string): boolean => runningBackOff(observation, name, now) === null;
  const questions = unaskedLive(observation, stored);
  if (questions.length > 0) return look(questions, `whether ${pending.id} is live where it is stored`);
  const inItsWindow = (ruling: Ruling): Ruling =>
    (ruling.step.kind === "deliver"
      ? windowClosed(situation, `delivering ${pending.id} to ${ruling.step.destination}`)
      : null) ?? ruling;
  const next = behind.find((name) => !stored.includes(name) && isFree(name));
  if (next !== undefined) return inItsWindow(deliverTo(next, pending.id, `${next} does not have ${pending.id} yet`));
  const open = stored.filter((name) => isFree(name)).map((name) => storedRuling(situation, name, pending.id));
  const [waiting = null] = open.toSorted((one) => (one?.step.kind === "deliver" ? -1 : 0));
  if (waiting !== null) return inItsWindow(waiting);
  const [until = null] = behind
    .flatMap((name) => runningBackOff(observation, name, now)?.until ?? [])
    .toSorted((one, other) => one - other);
  const wait = until === null ? "" : ` for another ${describeMs(until - now)}`;
  const failed = `delivering ${pending.id} to ${behind.join(", ")} failed`;
  return hold("DestinationBackingOff", `${failed}, and is not tried again${wait}`, until);
}
