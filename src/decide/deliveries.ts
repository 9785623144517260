import type { Ruling } from "../rotation/decision.ts";
import type { AccessKeyId } from "../rotation/keys.ts";
import type { DestinationFacts, Observation } from "../rotation/observation.ts";
import type { BackOff, Delivery } from "../rotation/record.ts";
import { type Instant, latest } from "../rotation/time.ts";
import { liveAt, liveUnknown, unaskedLive } from "./answers.ts";
import { partsOf } from "./parts.ts";
import { deliverTo, look } from "./rulings.ts";

/** What last went, or may have gone, to a destination. */
export function lastDeliveryTo({ record }: Observation, destination: string): Delivery | undefined {
  return record.deliveries
    .filter((delivery) => delivery.destination === destination)
    .toSorted((one, other) => one.attemptedAt - other.attemptedAt)
    .at(-1);
}

/** The destinations that are filled by a delivery (not by promotion) and were not confirmed to hold this key last. */
export function destinationsBehind(observation: Observation, keyId: AccessKeyId): readonly DestinationFacts[] {
  return observation.destinations.filter(({ name, slots, readsCustody }) => {
    const last = lastDeliveryTo(observation, name);
    // Under the same name it may have become another place since: another account, other names of secrets.
    const isThere = last?.keyId === keyId && last.deliveredAt !== null && isSame(last.slots, slots);
    return !readsCustody && !isThere;
  });
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((slot) => other.includes(slot));

/** The back-off of a destination that failed and is not to be tried yet. */
export function runningBackOff({ record }: Observation, destination: string, now: Instant): BackOff | null {
  return record.backOffs.find((entry) => entry.destination === destination && entry.until > now) ?? null;
}

/** A destination that the journal says held, or may have held, a key, and that the profile no longer has. */
export function formerDestination({ record, destinations }: Observation, keyId: AccessKeyId): string | undefined {
  const isConfigured = (destination: string): boolean => destinations.some(({ name }) => name === destination);
  const held = record.deliveries.filter((delivery) => delivery.keyId === keyId);
  return held.find(({ destination }) => !isConfigured(destination))?.destination;
}

/** Whether a destination confirmed this key, or it was once current: then Keyturn made it. */
export function isDelivered({ record }: Observation, keyId: AccessKeyId): boolean {
  if ((record.keys[keyId]?.promotedAt ?? null) !== null) return true;
  return record.deliveries.some((delivery) => delivery.keyId === keyId && delivery.deliveredAt !== null);
}

/** When the last of the configured destinations confirmed this key; null where none is filled by a delivery. */
export function lastDeliveredAt(observation: Observation, keyId: AccessKeyId): Instant | null {
  const last = observation.destinations.map(({ name }) => lastDeliveryTo(observation, name));
  return latest(...last.map((delivery) => (delivery?.keyId === keyId ? delivery.deliveredAt : null)));
}

/** When one of them was last delivered the same pair again, to be sure. */
export function lastConfirmedAt({ record }: Observation, keyId: AccessKeyId): Instant | null {
  return latest(...record.deliveries.filter((delivery) => delivery.keyId === keyId).map((it) => it.confirmedAt));
}

/** What the destinations' live state still asks for, once everything else allows the deactivation. */
export function destinationNotOurs(observation: Observation): Ruling | null {
  const { currentId } = partsOf(observation);
  const questions = unaskedLive(observation);
  if (questions.length > 0) return look(questions, "whether what is live still carries our pair");
  for (const { name, readsCustody } of observation.destinations) {
    const ruling = readsCustody || currentId === null ? null : redelivery(observation, name, currentId);
    if (ruling !== null) return ruling;
  }
  return null;
}

function redelivery(observation: Observation, name: string, keyId: AccessKeyId): Ruling | null {
  const live = liveAt(observation, name)?.live;
  if (live === "previous") {
    return deliverTo(name, keyId, `${name} is back on what was live before our delivery, and is given ${keyId} again`);
  }
  if (live !== "foreign") return liveUnknown(observation, name);
  const { deliveries } = observation.record;
  const delivery = deliveries.find((entry) => entry.destination === name && entry.keyId === keyId);
  if ((delivery?.confirmedAt ?? null) !== null) return null;
  return deliverTo(name, keyId, `somebody deployed ${name} since; it is given ${keyId} once more`, true);
}
