import type { AccessKey, AccessKeyId } from "../rotation/keys.ts";
import type { Observation } from "../rotation/observation.ts";
import type { Intent } from "../rotation/record.ts";
import { hours, type Instant, minutes, plus } from "../rotation/time.ts";
import { authorOf, memoryOf } from "./answers.ts";

/** An intent is void this long after it was written. */
export const INTENT_VALID_MS = minutes(15);
/** IAM gives whole seconds, and its clock may differ a little from the one that dated the intent. */
const INTENT_SKEW_MS = minutes(1);
/** IAM's listing is eventually consistent: a key is gone only when it has been missing for this long. */
const MISSING_FOR_MS = hours(1);

/** Which key plays which part, by custody's labels, the journal and the keys' ages. Never by position in a list. */
export interface Parts {
  /** Neither AWSCURRENT nor AWSPENDING holds a pair: every key is hand-made and to be replaced. */
  readonly isCustodyEmpty: boolean;
  /** The key that custody names, whether IAM lists it or not. */
  readonly currentId: AccessKeyId | null;
  readonly pendingId: AccessKeyId | null;
  readonly current: AccessKey | null;
  readonly pending: AccessKey | null;
  /** Older than the current key and no stranger when that was made, or known to custody or the journal; neither current nor pending. */
  readonly old: readonly AccessKey[];
  /** Made under an intent of ours and in no custody version: perhaps a replacement whose secret was lost. */
  readonly suspects: readonly AccessKey[];
  /** Younger than the current key or than the one before it, in no custody version, and the journal does not say that we had it: somebody else's. */
  readonly strangers: readonly AccessKey[];
}

let told: { readonly of: Observation; readonly parts: Parts } | null = null;

/** The parts that an observation shows; worked out once, since every rule asks. */
export function partsOf(observation: Observation): Parts {
  if (told?.of !== observation) told = { of: observation, parts: partsIn(observation) };
  return told.parts;
}

function partsIn(observation: Observation): Parts {
  const { custody, keys } = observation;
  const currentId = custody.kind === "present" ? (custody.current?.keyId ?? null) : null;
  const pendingId = custody.kind === "present" ? (custody.pending?.keyId ?? null) : null;
  const isCustodyEmpty = currentId === null && pendingId === null;
  const current = keys.find((key) => key.id === currentId) ?? null;
  const pending = keys.find((key) => key.id === pendingId) ?? null;
  // A pending key that IAM does not list was made a moment before it was first seen.
  const pendingSeenAt = pendingId === null ? null : (memoryOf(observation, pendingId)?.firstSeenAt ?? null);
  const referenceAt = (current ?? pending)?.createdAt ?? pendingSeenAt;
  const isOlder = (key: AccessKey): boolean =>
    referenceAt !== null && key.createdAt < referenceAt && memoryOf(observation, key.id)?.isStranger !== true;
  const isOld = (key: AccessKey): boolean => isCustodyEmpty || isKnown(observation, key.id) || isOlder(key);
  const rest = keys.filter((key) => key.id !== currentId && key.id !== pendingId);
  const suspects = rest.filter((key) => isSuspect(observation, key));
  const others = rest.filter((key) => !suspects.includes(key));
  const [old, strangers] = [others.filter((key) => isOld(key)), others.filter((key) => !isOld(key))];
  return { isCustodyEmpty, currentId, pendingId, current, pending, old, suspects, strangers };
}

/** When a key that custody or the journal names, and IAM does not list, counts as gone. */
export function goneAt(observation: Observation, id: AccessKeyId, now: Instant): Instant {
  return plus(memoryOf(observation, id)?.missingSince ?? now, MISSING_FOR_MS);
}

/** Custody's previous version holds it, or the journal says that it went somewhere, was current, or was made ours by a word. */
function isKnown(observation: Observation, id: AccessKeyId): boolean {
  const { custody, record, notes } = observation;
  // An exposed key was named to us, whoever made it.
  if (notes.exposures.some(({ keyId }) => keyId === id)) return true;
  if (custody.kind === "present" && custody.previous?.keyId === id) return true;
  if (record.deliveries.some((delivery) => delivery.keyId === id) || record.rollback?.from === id) return true;
  const { promotedAt = null, takenOverAt = null } = memoryOf(observation, id) ?? {};
  return promotedAt !== null || takenOverAt !== null;
}

function isSuspect(observation: Observation, key: AccessKey): boolean {
  const { custody, record } = observation;
  if (isKnown(observation, key.id) || authorOf(observation, key.id, "CreateAccessKey")?.kind === "other") return false;
  const kept = custody.kind === "present" && custody.intent !== null ? { ...custody.intent, created: null } : null;
  return [record.intent, kept].some((intent) => intent !== null && isMadeUnder(intent, key));
}

function isMadeUnder(intent: Intent, key: AccessKey): boolean {
  if (intent.created === key.id) return true;
  if (intent.before.includes(key.id)) return false;
  const opensAt = plus(intent.at, -INTENT_SKEW_MS);
  return key.createdAt >= opensAt && key.createdAt <= plus(intent.at, INTENT_VALID_MS);
}
