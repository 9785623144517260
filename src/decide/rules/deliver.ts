import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import { describeMs } from "../../rotation/time.ts";
import { destinationsBehind, runningBackOff } from "../deliveries.ts";
import { partsOf } from "../parts.ts";
import { deliverTo, hold } from "../rulings.ts";
import { windowClosed } from "../window.ts";

/** Rule 8. Every destination gets the pending key before it becomes current. Rules during a back-off, too. */
export const deliver: Rule = { name: "deliver", judge: (situation) => nextDelivery(situation) };

/** The next delivery of the pending key, or the hold while all that are behind back off; null when none is behind. */
export function nextDelivery(situation: Situation): Ruling | null {
  const { observation, now } = situation;
  const { pending } = partsOf(observation);
  if (pending === null) return null;
  const behind = destinationsBehind(observation, pending.id).map(({ name }) => name);
  if (behind.length === 0) return null;
  const next = behind.find((name) => runningBackOff(observation, name, now) === null);
  if (next !== undefined) {
    const ruling = deliverTo(next, pending.id, `${next} does not have ${pending.id} yet`);
    return windowClosed(situation, `delivering ${pending.id} to ${next}`) ?? ruling;
  }
  const [until = null] = behind
    .flatMap((name) => runningBackOff(observation, name, now)?.until ?? [])
    .toSorted((one, other) => one - other);
  const wait = until === null ? "" : ` for another ${describeMs(until - now)}`;
  const failed = `delivering ${pending.id} to ${behind.join(", ")} failed`;
  return hold("DestinationBackingOff", `${failed}, and is not tried again${wait}`, until);
}
