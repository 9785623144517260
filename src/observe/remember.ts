import { isOurFootprint, knowsWholeLife, PLANNED_PROBE_MS } from "../rotation/footprint.ts";
import type { AccessKey, AccessKeyId } from "../rotation/keys.ts";
import type { Answer, Evidence, ObservedCustody, ReadersSeen, Sighting } from "../rotation/observation.ts";
import type { Deactivation, Delivery, KeyRecord, Unheard, UserRecord } from "../rotation/record.ts";
import { days, type Instant, latest, minutes, plus } from "../rotation/time.ts";

/** An answer of IAM this soon after a deactivation may still show the key Active: that is no reactivation. */
const LISTING_SETTLES_MS = minutes(5);
/** A run that was frozen right before its call sends it as long as it lives: Lambda ends it after fifteen minutes. */
const UNANSWERED_SETTLES_MS = minutes(20);
/** What is known of a key that is neither listed nor in custody is kept for this long. */
const FORGET_AFTER_MS = days(7);
/** So far a consumer's clock may be ahead of AWS's. */
const CLOCKS_DIFFER_MS = minutes(2);

const NOTHING_KNOWN = {
  promotedAt: null,
  adoptedAt: null,
  latestUse: null,
  latestRead: null,
  handOverAt: null,
  probes: [],
  deactivation: null,
  inactiveSince: null,
  reactivatedAt: null,
  isReactivatedByUs: false,
  releasedAt: null,
  missingSince: null,
} satisfies Omit<KeyRecord, "firstSeenAt">;

/** What is known of a key that was just met. */
export const newKeyRecord = (firstSeenAt: Instant): KeyRecord => ({ ...NOTHING_KNOWN, firstSeenAt });

/** A record for a user that the journal knows nothing of: new to us, or the table was lost. */
export function freshRecord(of: Pick<UserRecord, "user" | "account" | "userId">, since: Instant): UserRecord {
  const nothing = { intent: null, deliveries: [], backOffs: [], keys: {}, notices: {}, rest: null };
  return { v: 1, ...of, since, orphans: { count: 0, lastAt: since }, ...nothing };
}

export interface Seen {
  readonly keys: readonly AccessKey[];
  readonly custody: ObservedCustody;
  readonly isPulled: boolean;
  readonly now: Instant;
}

/**
 * The record with what this look at the world taught it. A time that only the journal could know, and does not, counts
 * as now and is so written down: a lost table makes things wait, and never lets them go too early.
 */
export function remember(record: UserRecord, seen: Seen): UserRecord {
  const keys: Record<AccessKeyId, KeyRecord> = { ...record.keys };
  for (const id of [...seen.keys.map((key) => key.id), ...custodyIds(seen.custody)])
    keys[id] ??= meet(record, id, seen.now);
  for (const key of seen.keys) keys[key.id] = rememberKey(keys[key.id] ?? newKeyRecord(seen.now), key, seen.now);
  const promotedLastAt = latest(...Object.values(record.keys).map(({ promotedAt }) => promotedAt));
  for (const [id, known] of Object.entries(keys) as [AccessKeyId, KeyRecord][]) {
    // What was replaced, or was the last, is what tells that somebody took it away.
    const isReferredTo = seen.keys.length === 0 || record.intent?.before.includes(id) === true;
    const next = rememberPresence(known, id, { ...seen, isReferredTo, promotedLastAt });
    if (next === null) delete keys[id];
    if (next !== null) keys[id] = next;
  }
  // Whoever looks is awake: a rest is written down at the end of a look.
  const deliveries = withoutGone(record, keys);
  const fulfilled = { ...withoutFulfilled(record, seen), ...withoutWord(record, seen.custody) };
  const next = { ...record, ...fulfilled, keys, deliveries, rest: null };
  if (record.unheard === undefined) return next;
  return { ...next, unheard: record.unheard.filter((telling) => !isMoot(telling, seen)) };
}

/** What a place was given last it has, whatever became of its key: else what it was given before would count as there. */
function withoutGone({ deliveries }: UserRecord, keys: UserRecord["keys"]): readonly Delivery[] {
  return deliveries.filter(({ keyId, destination, attemptedAt }) => {
    const others = deliveries.filter((it) => it.destination === destination);
    return keyId in keys || others.every((it) => it.attemptedAt <= attemptedAt);
  });
}

/** An operator's `rotate` is done when another key than the one it named is current. */
function withoutWord({ rotateAsked }: UserRecord, custody: ObservedCustody): Partial<UserRecord> {
  const currentId = custody.kind === "present" ? custody.current?.keyId : null;
  return rotateAsked && currentId && currentId !== rotateAsked.replaces ? { rotateAsked: null } : {};
}

/** What was written down before its call, and after a day still shows not to have been done. */
function isMoot({ code, keyId, at }: Unheard, { keys, now }: Seen): boolean {
  const key = keys.find(({ id }) => id === keyId);
  return key !== undefined && now - at > days(1) && (code === "KeyDeleted" || key.status === "active");
}

/**
 * An intent is over when the key that was made under it is current, also when whoever promoted it died before saying so.
 * A current key that is gone is not among those that were there either: it was made before all of them.
 */
function withoutFulfilled({ intent, orphans }: UserRecord, { custody, keys }: Seen): Partial<UserRecord> {
  const current = keys.find(({ id }) => custody.kind === "present" && id === custody.current?.keyId);
  if (!intent || !current || intent.before.includes(current.id)) return {};
  const isMadeSince = current.createdAt >= plus(intent.at, -CLOCKS_DIFFER_MS);
  const isOfIt = intent.created === null ? isMadeSince : intent.created === current.id;
  return isOfIt ? { intent: null, orphans: { ...orphans, count: 0 } } : {};
}

function custodyIds(custody: ObservedCustody): readonly AccessKeyId[] {
  if (custody.kind !== "present") return [];
  return [custody.current?.keyId, custody.pending?.keyId].filter((id) => id !== null && id !== undefined);
}

/** A run that died may have tried the key that it made: its intent stands for the probes that were not written down. */
function meet({ intent }: UserRecord, id: AccessKeyId, now: Instant): KeyRecord {
  const isOlder = intent === null || intent.before.includes(id);
  const planned = isOlder ? [] : [{ from: intent.at, to: plus(intent.at, PLANNED_PROBE_MS) }];
  return { ...newKeyRecord(now), probes: planned };
}

function rememberKey(before: KeyRecord, key: AccessKey, now: Instant): KeyRecord {
  if (key.status === "inactive") return rememberInactive(before, now);
  const { deactivation } = before;
  if (key.status !== "active" || (deactivation === null && before.inactiveSince === null)) return before;
  if (deactivation !== null && now < settledAt(deactivation)) return before;
  const next = { ...before, inactiveSince: null, deactivation: null, reactivatedAt: now, releasedAt: null };
  // An unanswered deactivation had no effect, or somebody undid it at once: the silence begins anew, and no more. Kept,
  // it would pass for the hand of whoever disables the key later.
  return before.inactiveSince === null ? { ...next, releasedAt: now } : next;
}

/** Before that a key which is listed as Active may be Inactive by our hand, or be about to. */
function settledAt({ at, answeredAt }: Deactivation): Instant {
  return answeredAt === null ? plus(at, UNANSWERED_SETTLES_MS) : plus(answeredAt, LISTING_SETTLES_MS);
}

/** The answer to our deactivation may have been lost: seeing the key Inactive is the answer. */
function rememberInactive(before: KeyRecord, now: Instant): KeyRecord {
  const { deactivation } = before;
  return {
    ...before,
    inactiveSince: before.inactiveSince ?? now,
    deactivation: deactivation === null ? null : { ...deactivation, answeredAt: deactivation.answeredAt ?? now },
  };
}

/** Null: gone for long, and to be forgotten. */
function rememberPresence(
  known: KeyRecord,
  id: AccessKeyId,
  seen: Seen & { readonly isReferredTo: boolean; readonly promotedLastAt: Instant | null },
): KeyRecord | null {
  const { custody, now } = seen;
  const isListed = seen.keys.some((key) => key.id === id);
  const missingSince = isListed ? null : (known.missingSince ?? now);
  const isInCustody = custody.kind === "unreadable" || custodyIds(custody).includes(id);
  const isKept = isInCustody || seen.isReferredTo;
  if (missingSince !== null && !isKept && now - missingSince > FORGET_AFTER_MS) return null;
  return { ...known, missingSince, ...promotion(known, id, seen) };
}

/** Promoted when every replica shows it: until then the time moves on with every look. */
function promotion(
  known: KeyRecord,
  id: AccessKeyId,
  { custody, now, promotedLastAt }: Seen & { readonly promotedLastAt: Instant | null },
): Partial<KeyRecord> {
  const { promotedAt, adoptedAt } = known;
  if (custody.kind !== "present" || custody.current?.keyId !== id) return { promotedAt, adoptedAt };
  // Another key was promoted later, and somebody moved the label back: readers take this pair from now on.
  if (promotedAt !== null && promotedLastAt !== null && promotedAt < promotedLastAt) {
    return { promotedAt: now, adoptedAt: null, readers: null };
  }
  return { promotedAt: custody.replicasBehind.length > 0 ? now : (promotedAt ?? now), adoptedAt };
}

/** The record with what the evidence taught it: uses, hand-overs, adoption. None of them ever moves back. */
export function rememberEvidence(record: UserRecord, evidence: readonly Evidence[], seen: Seen): UserRecord {
  return evidence.reduce((learnt, entry) => rememberAnswer(learnt, entry, seen), record);
}

function rememberAnswer(record: UserRecord, { answer }: Evidence, seen: Seen): UserRecord {
  if (answer.source === "health") return rememberSigned(record, answer, seen);
  if (answer.source === "destination") return rememberLive(record, answer, seen.now);
  if (answer.source === "authorship" || answer.source === "reads" || answer.source === "quarantine") return record;
  const known = record.keys[answer.keyId];
  if (known === undefined) return record;
  if (answer.source === "attribution") {
    return { ...record, keys: { ...record.keys, [answer.keyId]: { ...known, attribution: answer.attribution } } };
  }
  if (answer.source === "readers") {
    const readers = seenBySome(known.readers ?? null, answer.seen);
    return { ...record, keys: { ...record.keys, [answer.keyId]: { ...known, readers } } };
  }
  let next = known;
  if (answer.source === "cloudtrail" && answer.use.verdict !== "unknown") {
    next = { ...next, handOverAt: latest(next.handOverAt, answer.handOverAt) };
    if (answer.sessions.length > 0) {
      const ends = answer.sessions.map(({ endsAt }) => endsAt);
      next = { ...next, sessionsEndAt: latest(next.sessionsEndAt ?? null, ...ends) };
    }
  }
  if (answer.use.verdict === "used") {
    const sighting = answer.use.latest;
    const isRead = seen.isPulled && answer.source === "last-used" && sighting.service === "secretsmanager";
    next = isRead
      ? { ...next, latestRead: later(next.latestRead, sighting) }
      : { ...next, latestUse: later(next.latestUse, sighting) };
    if (answer.source === "last-used") next = rememberAdoption(record, next, { keyId: answer.keyId, sighting, seen });
  }
  return { ...record, keys: { ...record.keys, [answer.keyId]: next } };
}

/** A pair that was stored is delivered, or confirmed, once it is seen live, or what came after it is. */
function rememberLive(
  record: UserRecord,
  { destination, live }: Extract<Answer, { readonly source: "destination" }>,
  now: Instant,
): UserRecord {
  if (live !== "ours" && live !== "foreign") return record;
  const here = record.deliveries.filter((delivery) => delivery.destination === destination);
  const lastAt = latest(...here.map(({ attemptedAt }) => attemptedAt));
  const deliveries = record.deliveries.map((delivery) => {
    const { deliveredAt, attemptedAt, receipt } = delivery;
    const isLast = delivery.destination === destination && attemptedAt === lastAt;
    if (!isLast || receipt?.awaits === undefined) return delivery;
    const { version, anchor } = receipt;
    const times = deliveredAt === null ? { deliveredAt: now } : { confirmedAt: now };
    return { ...delivery, ...times, receipt: { version, anchor } };
  });
  return { ...record, deliveries };
}

/** Each by the latest of its times: a read that was cut short teaches what it saw, and is no reason to read less next time. */
function seenBySome(known: ReadersSeen | null, found: ReadersSeen): ReadersSeen {
  const names = Object.keys({ ...known?.at, ...found.at });
  const at = names.flatMap((name) => {
    const seenAt = latest(known?.at[name] ?? null, found.at[name] ?? null);
    return seenAt === null ? [] : [[name, seenAt] as const];
  });
  return { at: Object.fromEntries(at), readUntil: latest(known?.readUntil ?? null, found.readUntil) };
}

/** A consumer's own word that it signed with the current key after the promotion is adoption, too. */
function rememberSigned(
  record: UserRecord,
  { keyId, health }: Extract<Answer, { readonly source: "health" }>,
  { custody, now }: Seen,
): UserRecord {
  const known = record.keys[keyId];
  const signedAt = health.verdict === "healthy" ? health.lastSignedAt : null;
  const isCurrent = custody.kind === "present" && custody.current?.keyId === keyId;
  if (!isCurrent || known === undefined || known.adoptedAt !== null || signedAt === null) return record;
  const isAfter = known.promotedAt !== null && signedAt > known.promotedAt && signedAt <= plus(now, CLOCKS_DIFFER_MS);
  return isAfter ? { ...record, keys: { ...record.keys, [keyId]: { ...known, adoptedAt: now } } } : record;
}

function later(known: Sighting | null, found: Sighting): Sighting {
  return known !== null && known.at >= found.at ? known : found;
}

/**
 * The current key is adopted once somebody else than we used it: outside every probe of ours, and not of STS alone.
 * A record younger than the key does not know all of its probes: only uses that it has witnessed count.
 */
function rememberAdoption(
  record: UserRecord,
  known: KeyRecord,
  at: { readonly keyId: AccessKeyId; readonly sighting: Sighting; readonly seen: Seen },
): KeyRecord {
  const { custody, keys, now } = at.seen;
  const isCurrent = custody.kind === "present" && custody.current?.keyId === at.keyId;
  const key = keys.find(({ id }) => id === at.keyId);
  if (!isCurrent || key === undefined || known.adoptedAt !== null) return known;
  const isWitnessed = knowsWholeLife(record, key) || at.sighting.at > record.since;
  const isSomebody = at.sighting.service !== "sts" && !isOurFootprint(at.sighting.at, known.probes);
  return isWitnessed && isSomebody ? { ...known, adoptedAt: now } : known;
}
