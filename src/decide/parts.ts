import type { AccessKey, AccessKeyId } from "../rotation/keys.ts";
import type { Observation } from "../rotation/observation.ts";
import type { Intent } from "../rotation/record.ts";
import type { Instant } from "../rotation/time.ts";
import { minutes, plus } from "../rotation/time.ts";
import { authorOf, memoryOf } from "./answers.ts";

/** An intent is void this long after it was written. */
export const INTENT_VALID_MS = minutes(15);
/** IAM gives whole seconds, and its clock may differ a little from the one that dated the intent. */
const INTENT_SKEW_MS = minutes(1);

/** Which key plays which part, by custody's labels, the journal and the keys' ages. Never by position in a list. */
export interface Parts {
  /** Neither AWSCURRENT nor AWSPENDING holds a pair: every key is hand-made and to be replaced. */
  readonly isCustodyEmpty: boolean;
  /** The key that custody names, whether IAM lists it or not. */
  readonly currentId: AccessKeyId | null;
  readonly pendingId: AccessKeyId | null;
  readonly current: AccessKey | null;
  readonly pending: AccessKey | null;
  /** Older than the current key, or known to custody or the journal, and neither current nor pending. */
  readonly old: readonly AccessKey[];
  /** Made under an intent of ours and in no custody version: perhaps a replacement whose secret was lost. */
  readonly suspects: readonly AccessKey[];
  /** Younger than the current key, in no custody version and not in the journal: somebody else's. */
  readonly strangers: readonly AccessKey[];
}

export function partsOf(observation: Observation): Parts {
  const { custody, keys } = observation;
  const currentId = custody.kind === "present" ? (custody.current?.keyId ?? null) : null;
  const pendingId = custody.kind === "present" ? (custody.pending?.keyId ?? null) : null;
  const isCustodyEmpty = currentId === null && pendingId === null;
  const current = keys.find((key) => key.id === currentId) ?? null;
  const pending = keys.find((key) => key.id === pendingId) ?? null;
  const rest = keys.filter((key) => key.id !== currentId && key.id !== pendingId);
  const suspects = rest.filter((key) => isSuspect(observation, key));
  const unsuspected = rest.filter((key) => !suspects.includes(key));
  const referenceAt = (current ?? pending)?.createdAt ?? firstSeenAt(observation, pendingId);
  const isOld = (key: AccessKey): boolean =>
    isCustodyEmpty || isKnown(observation, key.id) || (referenceAt !== null && key.createdAt < referenceAt);
  return {
    isCustodyEmpty,
    currentId,
    pendingId,
    current,
    pending,
    suspects,
    old: unsuspected.filter((key) => isOld(key)),
    strangers: unsuspected.filter((key) => !isOld(key)),
  };
}

/** For a pending key that IAM does not list: it was made a moment before it was first seen. */
function firstSeenAt({ record }: Observation, id: AccessKeyId | null): Instant | null {
  return id === null ? null : (memoryOf(record, id)?.firstSeenAt ?? null);
}

/** Custody's previous version holds it, or the journal says that it once went somewhere or was current. */
function isKnown({ custody, record }: Observation, id: AccessKeyId): boolean {
  if (custody.kind === "present" && custody.previous?.keyId === id) return true;
  if (record.deliveries.some((delivery) => delivery.keyId === id)) return true;
  return (record.keys[id]?.promotedAt ?? null) !== null;
}

function isSuspect(observation: Observation, key: AccessKey): boolean {
  if (isKnown(observation, key.id)) return false;
  if (authorOf(observation, key.id, "CreateAccessKey")?.kind === "other") return false;
  return intentsOf(observation).some((intent) => isMadeUnder(intent, key));
}

function intentsOf({ custody, record }: Observation): readonly Intent[] {
  const intents: Intent[] = record.intent === null ? [] : [record.intent];
  if (custody.kind === "present" && custody.intent !== null) {
    intents.push({ ...custody.intent, created: null });
  }
  return intents;
}

function isMadeUnder(intent: Intent, key: AccessKey): boolean {
  if (intent.created === key.id) return true;
  if (intent.before.includes(key.id)) return false;
  const opensAt = plus(intent.at, -INTENT_SKEW_MS);
  return key.createdAt >= opensAt && key.createdAt <= plus(intent.at, INTENT_VALID_MS);
}
