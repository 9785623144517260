import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import type { AccessKey } from "../../rotation/keys.ts";
import { describeMs, latest } from "../../rotation/time.ts";
import { destinationsBehind, runningBackOff } from "../deliveries.ts";
import { partsOf } from "../parts.ts";
import { hold } from "../rulings.ts";

/** Rule 8. Every destination gets the pending key before it becomes current. Rules during a back-off, too. */
export const deliver: Rule = {
  name: "deliver",
  judge(situation) {
    const { pending } = partsOf(situation.observation);
    return pending === null ? null : nextDelivery(situation, pending);
  },
};

/** The next delivery of the pending key, or the hold while all that are behind back off; null when none is behind. */
export function nextDelivery({ observation, now }: Situation, pending: AccessKey): Ruling | null {
  const behind = destinationsBehind(observation, pending.id);
  if (behind.length === 0) return null;
  const next = behind.find(({ name }) => runningBackOff(observation, name, now) === null);
  if (next !== undefined) {
    return {
      step: { kind: "deliver", keyId: pending.id, destination: next.name, isConfirming: false },
      reason: "DestinationBehind",
      because: `${next.name} does not have ${pending.id} yet`,
    };
  }
  const backOffs = behind.map(({ name }) => runningBackOff(observation, name, now));
  const until = latest(...backOffs.map((entry) => entry?.until ?? null));
  const wait = until === null ? "" : ` for another ${describeMs(until - now)}`;
  const names = behind.map(({ name }) => name).join(", ");
  return hold(
    "DestinationBackingOff",
    `delivering ${pending.id} to ${names} failed, and is not tried again${wait}`,
    until,
  );
}
