import { hash } from "node:crypto";
import type { Decision } from "../rotation/decision.ts";
import type { Observation } from "../rotation/observation.ts";
import type { Rest } from "../rotation/record.ts";
import { days, hours, instant, type Instant, plus } from "../rotation/time.ts";
import type { Subject } from "./observe.ts";
import { wordOf } from "./standing.ts";

/** Everybody is looked at in full at least once a day, and not all in the same hour. */
const REST_MIN_MS = hours(12);
const REST_SPREAD_MS = hours(12);
/** Where a pair was delivered, somebody may bring an older version back: with hourly sweeps that is seen within six hours. */
const DRIFT_MIN_MS = hours(3);
const DRIFT_SPREAD_MS = hours(2);

/**
 * Whether nothing can have happened to a user since its last full look, by what a sweep reads of all users at once: the
 * listing, the credential report and the journal. Whoever is in motion, or of whom anything has changed, is not at rest.
 */
export function isAtRest(subject: Subject, now: Instant): boolean {
  const { revision } = subject;
  const rest = revision?.record?.rest ?? null;
  if (rest === null || revision?.lease !== null || now >= rest.until) return false;
  return subject.standing.barred === null && rest.seal === sealOf(subject);
}

/**
 * The rest that a look ends with, or null: for a user of whom nothing is due or open, and whose only key the credential
 * report shows, too. A report from before a change does not, so that nobody rests on an old one.
 */
export function restOf(subject: Subject, observation: Observation, decision: Decision): Rest | null {
  const { profile, reported } = subject;
  const { keys, custody, record, blindSpots, observedAt } = observation;
  const [key] = keys;
  if (profile === null || key?.status !== "active" || keys.length > 1 || blindSpots.length > 0) return null;
  if (decision.reason !== "NothingDue" || subject.standing.barred !== null) return null;
  if (record.intent !== null || record.backOffs.some(({ until }) => until > observedAt)) return null;
  if (custody.kind === "present" && (custody.pending !== null || custody.replicasBehind.length > 0)) return null;
  const [shown] = reported ?? [];
  if (reported?.length !== 1 || shown?.isActive !== true || shown.changedAt < key.createdAt) return null;
  const seal = sealOf(subject);
  // A stored pair that nobody has yet is in motion.
  if (record.deliveries.some(({ receipt }) => receipt?.awaits !== undefined)) return null;
  const isFilled = subject.destinations.some(({ readsCustody }) => !readsCustody);
  const [atLeastMs, spreadMs] = isFilled ? [DRIFT_MIN_MS, DRIFT_SPREAD_MS] : [REST_MIN_MS, REST_SPREAD_MS];
  const lookAt = plus(observedAt, atLeastMs + fractionOf(subject.user) * spreadMs);
  const replacedAt = plus(key.createdAt, profile.policy.rotateAfterMs);
  // Who has named a window is told the day before.
  const toldAt = plus(replacedAt, -days(1));
  const dueAt = profile.policy.window !== null && toldAt > observedAt ? toldAt : replacedAt;
  return { until: instant(Math.floor(Math.min(lookAt, dueAt))), seal };
}

/** All that the bulk readings show of a user and that the last look rested on; another text means another world. */
function sealOf({ account, iamUser, profile, reported, destinations }: Subject): string {
  const shown = reported?.map(({ isActive, changedAt }) => [isActive, changedAt]);
  const user = iamUser && [iamUser.id, iamUser.path, iamUser.smtp, wordOf(iamUser), iamUser.quarantines];
  return hash("sha256", JSON.stringify({ account, user, profile, destinations, shown }), "base64url");
}

/** Spreads users over the hours, always the same. */
const fractionOf = (user: string): number => hash("sha256", user, "buffer").readUInt32BE() / 2 ** 32;
