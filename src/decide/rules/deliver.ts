import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import { describeMs } from "../../rotation/time.ts";
import { destinationsBehind, runningBackOff } from "../deliveries.ts";
import { partsOf } from "../parts.ts";
import { deliverTo, hold } from "../rulings.ts";

/** Rule 8. Every destination gets the pending key before it becomes current. Rules during a back-off, too. */
export const deliver: Rule = { name: "deliver", judge: (situation) => nextDelivery(situation) };

/** The next delivery of the pending key, or the hold while all that are behind back off; null when none is behind. */
export function nextDelivery({ observation, now }: Situation): Ruling | null {
  const { pending } = partsOf(observation);
  if (pending === null) return null;
  const behind = destinationsBehind(observation, pending.id).map(({ name }) => name);
  if (behind.length === 0) return null;
  const next = behind.find((name) => runningBackOff(observation, name, now) === null);
  if (next !== undefined) return deliverTo(next, pending.id, `${next} does not have ${pending.id} yet`);
  const [until = null] = behind
    .flatMap((name) => runningBackOff(observation, name, now)?.until ?? [])
    .toSorted((one, other) => one - other);
  const wait = until === null ? "" : ` for another ${describeMs(until - now)}`;
  const failed = `delivering ${pending.id} to ${behind.join(", ")} failed`;
  return hold("DestinationBackingOff", `${failed}, and is not tried again${wait}`, until);
}
