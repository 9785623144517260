import { knowsWholeLife } from "../rotation/footprint.ts";
import type { AccessKey } from "../rotation/keys.ts";
import type { NoticeCode } from "../rotation/notice.ts";
import type { Observation } from "../rotation/observation.ts";
import { LAST_USED_LAG_MS, quietMs, type RotationPolicy } from "../rotation/policy.ts";
import { days, describeMs, type Instant, plus } from "../rotation/time.ts";
import { longestGapMs } from "../rotation/window.ts";

/** A notice before the registry has given it severity and advice. */
export interface Finding {
  readonly code: NoticeCode;
  readonly text: string;
  /** What it is about, where one code can be about several things: the same code and subject are the same notice. */
  readonly subject: string;
  /** A `Bug` stops the user and is urgent, wherever it was met. */
  readonly isBug?: boolean;
  /** Time's move, and nobody else's. */
  readonly isTimes?: boolean;
  /** Whose advice fits better than the code's own. */
  readonly advisedBy?: NoticeCode;
}

/** An ordinary rotation by the defaults has retired the old key before this. */
const WARN_BEFORE_MS = days(3);
const REMIND_EVERY_MS = days(7);

interface Hour {
  readonly observation: Observation;
  readonly policy: RotationPolicy;
  readonly now: Instant;
  /** What keeps the keys from being replaced, in a sentence. */
  readonly inTheWay: string;
  /** Whether that is evidence that could not be had. */
  readonly isUnknown: boolean;
}

/** The deadlines of the policy that this user's keys have passed. */
export function deadlines(hour: Hour): Finding[] {
  const aging = agingKeys(hour.observation);
  const [oldest] = aging.toSorted((a, b) => a.createdAt - b.createdAt);
  const late = oldest === undefined ? [] : deliveryLate(oldest, hour);
  return [...aging.flatMap((key) => overdue(key, hour)), ...late, ...evidenceLate(hour)];
}

/**
 * The active keys that must be replaced in time: not the pending one, nor a stranger, whose age is its owner's. A key of
 * which a younger journal cannot tell whose it is may be ours.
 */
function agingKeys(observation: Observation): readonly AccessKey[] {
  const { keys, custody, record } = observation;
  const active = keys.filter((key) => key.status === "active");
  if (custody.kind !== "present") return active;
  const pendingId = custody.pending?.keyId ?? null;
  const currentId = custody.current?.keyId ?? null;
  const reference = keys.find((key) => key.id === (currentId ?? pendingId));
  return active.filter((key) => {
    const { id, createdAt } = key;
    if (id === pendingId) return false;
    if (reference === undefined || id === currentId || id === custody.previous?.keyId) return true;
    const isOurs = record.keys[id]?.takenOverAt !== undefined || record.rollback?.from === id;
    const wasDelivered = isOurs || record.deliveries.some((delivery) => delivery.keyId === id);
    const isUnknown = !knowsWholeLife(record, key) && record.keys[id]?.isStranger !== true;
    return wasDelivered || isUnknown || createdAt < reference.createdAt;
  });
}

/** At maxAge − 3 d, at maxAge, then weekly: each deadline is a subject of its own, and so is said once. */
function overdue(key: AccessKey, { policy, now, inTheWay }: Hour): Finding[] {
  const ageMs = now - key.createdAt;
  const beyondMs = ageMs - policy.maxAgeMs;
  if (beyondMs < -WARN_BEFORE_MS) return [];
  const deadline = beyondMs < 0 ? "soon" : `week ${String(Math.floor(beyondMs / REMIND_EVERY_MS))}`;
  const text = `${key.id} is ${describeMs(ageMs)} old, and may be ${describeMs(policy.maxAgeMs)}. In the way: ${inTheWay}`;
  return [{ code: "KeyOverdue", text, subject: `${key.id}:${deadline}` }];
}

/** The key that consumers hold was due, its replacement had its time, and still none is promoted. */
function deliveryLate(key: AccessKey, { observation, policy, now, inTheWay }: Hour): Finding[] {
  const { custody, record } = observation;
  const currentId = custody.kind === "present" ? (custody.current?.keyId ?? null) : null;
  if (currentId !== null && currentId !== key.id) return [];
  const dueAt = plus(key.createdAt, policy.rotateAfterMs);
  // A hand-made key may have been due for years before we met it; its replacement had no time before that.
  const isAtOnce = currentId === null && policy.adopt === "at-once";
  const metAt = currentId === null ? record.since : key.createdAt;
  const withinMs = policy.deliverWithinMs + longestGapMs(policy.window);
  const lateAt = plus(isAtOnce || metAt > dueAt ? metAt : dueAt, withinMs);
  if (now < lateAt) return [];
  const late = `should have been everywhere ${describeMs(now - lateAt)} ago`;
  const text = `The replacement of ${key.id} ${late}. In the way: ${inTheWay}`;
  return [{ code: "DeliveryLate", text, subject: key.id }];
}

/** The old key's use cannot be told, and it could have gone three days ago: it may be far from too old, and is not wanted. */
function evidenceLate({ observation, policy, now, inTheWay, isUnknown }: Hour): Finding[] {
  const { custody, record, keys } = observation;
  const currentId = custody.kind === "present" ? custody.current?.keyId : null;
  const promotedAt = currentId ? (record.keys[currentId]?.promotedAt ?? null) : null;
  const old = keys.find(({ id, status }) => status === "active" && id !== currentId);
  if (!isUnknown || promotedAt === null || old === undefined) return [];
  const waitMs = policy.cacheForMs + quietMs(policy) + LAST_USED_LAG_MS + longestGapMs(policy.window);
  const goesAt = plus(promotedAt, waitMs);
  if (now - goesAt < WARN_BEFORE_MS) return [];
  const text = `${old.id} could have gone ${describeMs(now - goesAt)} ago. In the way: ${inTheWay}`;
  return [{ code: "EvidenceLate", text, subject: old.id }];
}
