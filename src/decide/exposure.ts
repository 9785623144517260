import type { Situation } from "../rotation/decision.ts";
import type { Exposure } from "../rotation/exposure.ts";
import type { AccessKey, AccessKeyId } from "../rotation/keys.ts";
import type { Observation } from "../rotation/observation.ts";
import { memoryOf } from "./answers.ts";
import { lastDeliveryTo } from "./deliveries.ts";
import { partsOf } from "./parts.ts";

export const isExposed = ({ notes }: Observation, id: AccessKeyId | null): boolean =>
  notes.exposures.some(({ keyId }) => keyId === id);

/** Listed as Active, and not exposed. */
export function isSound(observation: Observation, key: AccessKey | null): key is AccessKey {
  return key?.status === "active" && !isExposed(observation, key.id);
}

/** A sound key that is current, or about to be: what takes the place of an exposed one. */
export function heirOf(observation: Observation): AccessKey | null {
  const { pending, current } = partsOf(observation);
  return [pending, current].find((key) => isSound(observation, key)) ?? null;
}

/** The exposed keys that work, or of which that cannot be told; those marked first come first. */
export function uncut(observation: Observation): readonly Exposure[] {
  const { keys, notes, blindSpots } = observation;
  const isBlind = blindSpots.some(({ about }) => about === "keys");
  const open = notes.exposures.filter(({ keyId }) => {
    const memory = memoryOf(observation, keyId);
    // For minutes after a deactivation IAM's listing may still show the key as it was.
    if ((memory?.deactivation?.answeredAt ?? null) !== null) return false;
    if (isBlind) return memory !== null && memory.inactiveSince === null;
    return keys.some(({ id, status }) => id === keyId && status !== "inactive");
  });
  return open.toSorted((one, other) => one.at - other.at);
}

/**
 * A quarantine policy is attached that is not on record yet. It is marked, and told, also where custody's pairs cannot be
 * read; what is on record must be known, or keys that are newer than an old policy were condemned by it.
 */
export function isNewlyQuarantined({ iamUser, notes, blindSpots }: Observation): boolean {
  const policies = iamUser?.quarantines?.join(" ") ?? "";
  const isSeen = notes.isUnread !== true && blindSpots.every(({ about }) => about === "custody");
  return isSeen && policies !== "" && policies !== (notes.quarantine?.policies ?? "");
}

/** A destination was given an exposed key last, and nothing in its place. */
export function holdsExposed(observation: Observation): boolean {
  return observation.destinations.some(({ name }) =>
    isExposed(observation, lastDeliveryTo(observation, name)?.keyId ?? null),
  );
}

/** Whether rule 4 has something to do: an exposed key works, is what consumers are to use, or left them without one. */
export function isEmergency(observation: Observation): boolean {
  const { custody, keys, blindSpots } = observation;
  if (uncut(observation).length > 0) return true;
  if (custody.kind === "unreadable" || blindSpots.some(({ about }) => about === "keys")) return false;
  const { currentId, pendingId } = partsOf(observation);
  if (isExposed(observation, pendingId)) return true;
  if (currentId !== null) return isExposed(observation, currentId);
  if (pressing(observation).length === 0) return false;
  return pendingId !== null || !keys.some((key) => isSound(observation, key)) || holdsExposed(observation);
}

/** Of these what is not over: a key that was cut, and whose successor is current, says nothing of one that leaks later. */
function unsettled(observation: Observation): readonly Exposure[] {
  const { currentId, pendingId } = partsOf(observation);
  const open = uncut(observation);
  return pressing(observation).filter(
    (exposure) =>
      currentId === null ||
      exposure.keyId === currentId ||
      exposure.keyId === pendingId ||
      open.some(({ keyId }) => keyId === exposure.keyId),
  );
}

/** The exposures that matter now: of keys that are there, or were the last that consumers had. */
function pressing(observation: Observation): readonly Exposure[] {
  const { keys, notes } = observation;
  const { currentId } = partsOf(observation);
  return notes.exposures.filter(
    ({ keyId }) => keyId === currentId || keys.length === 0 || keys.some(({ id }) => id === keyId),
  );
}

/** Whether an operator's `revoke` is at work: it goes on where the user is held. */
export function isRevoking(observation: Observation): boolean {
  return isEmergency(observation) && unsettled(observation).some(({ by }) => by === "revoke");
}

/** Whether a key that consumers had was taken from them by this emergency, and not by somebody else. */
export function isTakenByUs(observation: Observation): boolean {
  if (!isEmergency(observation)) return false;
  return unsettled(observation).some(
    ({ keyId, by }) => by === "revoke" || (memoryOf(observation, keyId)?.deactivation ?? null) !== null,
  );
}

/** Whether the user fetches its pair from custody, and so could be followed there by whoever has its key. */
export function readsCustody({ observation, profile }: Situation): boolean {
  return profile?.isPulled === true || observation.destinations.some((destination) => destination.readsCustody);
}
