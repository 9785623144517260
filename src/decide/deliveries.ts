import type { AccessKeyId } from "../rotation/keys.ts";
import type { DestinationFacts, Observation } from "../rotation/observation.ts";
import type { BackOff, Delivery } from "../rotation/record.ts";
import type { Instant } from "../rotation/time.ts";
import { latest } from "../rotation/time.ts";

/** What last went, or may have gone, to a destination. */
function lastDeliveryTo({ record }: Observation, destination: string): Delivery | null {
  return record.deliveries
    .filter((delivery) => delivery.destination === destination)
    .reduce<Delivery | null>(
      (last, delivery) => (last === null || delivery.attemptedAt >= last.attemptedAt ? delivery : last),
      null,
    );
}

/** The destinations that are filled by a delivery (not by promotion) and were not confirmed to hold this key last. */
export function destinationsBehind(observation: Observation, keyId: AccessKeyId): readonly DestinationFacts[] {
  return observation.destinations.filter((destination) => {
    if (destination.readsCustody) return false;
    const last = lastDeliveryTo(observation, destination.name);
    return last === null || last.keyId !== keyId || last.deliveredAt === null;
  });
}

/** The back-off of a destination that failed and is not to be tried yet. */
export function runningBackOff({ record }: Observation, destination: string, now: Instant): BackOff | null {
  return record.backOffs.find((entry) => entry.destination === destination && entry.until > now) ?? null;
}

/** Destinations that the journal says held, or may have held, a key, and that the profile no longer has. */
export function formerDestinations({ record, destinations }: Observation, keyId: AccessKeyId): readonly string[] {
  const configured = new Set(destinations.map(({ name }) => name));
  const held = record.deliveries.filter((delivery) => delivery.keyId === keyId).map((delivery) => delivery.destination);
  return [...new Set(held)].filter((name) => !configured.has(name));
}

/** When the last of the configured destinations confirmed this key; null where none is filled by a delivery. */
export function lastDeliveredAt(observation: Observation, keyId: AccessKeyId): Instant | null {
  return latest(
    ...observation.destinations.map(({ name }) => {
      const last = lastDeliveryTo(observation, name);
      return last?.keyId === keyId ? last.deliveredAt : null;
    }),
  );
}

/** When one of them was last delivered the same pair again, to be sure. */
export function lastConfirmedAt(observation: Observation, keyId: AccessKeyId): Instant | null {
  return latest(
    ...observation.record.deliveries
      .filter((delivery) => delivery.keyId === keyId)
      .map(({ confirmedAt }) => confirmedAt),
  );
}
