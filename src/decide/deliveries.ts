import type { Ruling, Situation } from "../rotation/decision.ts";
import type { AccessKeyId } from "../rotation/keys.ts";
import type { DestinationFacts, Observation } from "../rotation/observation.ts";
import type { BackOff, Delivery, UserRecord } from "../rotation/record.ts";
import { hours, type Instant, latest } from "../rotation/time.ts";
import { healthOpen, liveAt, liveUnknown, unaskedLive } from "./answers.ts";
import { partsOf } from "./parts.ts";
import { deliverTo, hold, look } from "./rulings.ts";

interface Journalled {
  readonly record: Pick<UserRecord, "deliveries">;
}

/** What last went, or may have gone, to a destination. */
export function lastDeliveryTo({ record }: Journalled, destination: string): Delivery | undefined {
  return record.deliveries
    .filter((delivery) => delivery.destination === destination)
    .reduce<Delivery | undefined>((last, it) => (last && last.attemptedAt > it.attemptedAt ? last : it), undefined);
}

/** The last delivery to a destination that it confirmed. */
export function lastGivenTo({ deliveries }: Pick<UserRecord, "deliveries">, destination: string): Delivery | undefined {
  return lastDeliveryTo({ record: { deliveries: deliveries.filter((it) => it.deliveredAt !== null) } }, destination);
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

/** What a destination that has stored a key, and does not show it yet, waits for; null where it waits for nothing. */
export function awaitedAt(observation: Observation, destination: string, keyId: AccessKeyId): string | null {
  const last = lastDeliveryTo(observation, destination);
  return last?.keyId === keyId ? (last.receipt?.awaits ?? null) : null;
}

/** What was made to put a stored pair live has failed, and is made again after this time: a build that fails is dear. */
const FAILED_AGAIN_AFTER_MS = hours(6);

/** What a stored pair asks for once it was looked at: to be delivered again where what we made has failed, or to be waited for. */
export function storedRuling({ observation, now }: Situation, name: string, keyId: AccessKeyId): Ruling | null {
  const awaited = awaitedAt(observation, name, keyId);
  if (awaited === null) return null;
  const live = liveAt(observation, name)?.live;
  const last = lastDeliveryTo(observation, name);
  const words = `${name} has stored ${keyId}, which is not live before ${awaited}`;
  if (live === "failed" && last !== undefined && now - last.attemptedAt >= FAILED_AGAIN_AFTER_MS) {
    return deliverTo(name, keyId, `${words}: that has failed, and is begun again`);
  }
  if (live === "failed") return hold("DestinationNotLive", `${words}: that has failed. Mend it, and deploy`);
  const isOurs = live === "previous" && last?.receipt?.version !== null;
  return hold(isOurs ? "DestinationStored" : "DestinationNotLive", words);
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

function liveUnasked(observation: Observation): Ruling | null {
  const questions = unaskedLive(observation);
  if (questions.length > 0) return look(questions, "whether what is live still carries our pair");
  return null;
}

/**
 * What is asked at every look: whether a destination is back on an older pair, and is to be given the current one. Where
 * nothing is in motion, that is how somebody's rollback is noticed.
 */
export function broughtBack(situation: Situation, isFree: (name: string) => boolean): Ruling | null {
  const { observation } = situation;
  const { currentId } = partsOf(observation);
  const unasked = liveUnasked(observation);
  if (unasked !== null) return unasked;
  const free = observation.destinations.filter(({ name, readsCustody }) => !readsCustody && isFree(name));
  const rulings = free.map(({ name }) => (currentId === null ? null : redelivery(situation, name, currentId)));
  return rulings.find((ruling) => ruling?.reason === "DestinationBehind") ?? null;
}

/** What the destinations' live state still asks for, once everything else allows the deactivation. */
export function destinationNotOurs(situation: Situation): Ruling | null {
  const { observation } = situation;
  const { currentId } = partsOf(observation);
  const unasked = liveUnasked(observation);
  if (unasked !== null) return unasked;
  for (const { name, readsCustody } of observation.destinations) {
    const ruling = readsCustody || currentId === null ? null : redelivery(situation, name, currentId);
    if (ruling !== null) return ruling;
  }
  return null;
}

function redelivery(situation: Situation, name: string, keyId: AccessKeyId): Ruling | null {
  const { observation } = situation;
  if (awaitedAt(observation, name, keyId) !== null) return storedRuling(situation, name, keyId);
  const live = liveAt(observation, name)?.live;
  if (live === "previous") {
    return deliverTo(name, keyId, `${name} is back on what was live before our delivery, and is given ${keyId} again`);
  }
  if (live !== "foreign") return liveUnknown(observation, name);
  const { deliveries } = observation.record;
  const delivery = deliveries.find((entry) => entry.destination === name && entry.keyId === keyId);
  if ((delivery?.confirmedAt ?? null) !== null) return null;
  // A consumer that signs with another key was given it by somebody, and keeps it: rule 13 holds and says so.
  const ill = healthOpen(observation, keyId);
  return ill ?? deliverTo(name, keyId, `somebody deployed ${name} since; it is given ${keyId} once more`, true);
}
