import type { Decision } from "../../../src/rotation/decision.ts";
import { LAST_USED_COLLAPSE_MS, LAST_USED_LAG_MS } from "../../../src/rotation/policy.ts";
import type { Profile } from "../../../src/rotation/policy.ts";
import { days, hours, seconds } from "../../../src/rotation/time.ts";
import { lastOldCall, nextCall } from "./signers.ts";
import type { Signer } from "./signers.ts";
import type { Sweeps } from "./sweeps.ts";
import { lastUsedKnowsUntil, outageEndsMs } from "./troubles.ts";
import type { Span, Troubles } from "./troubles.ts";

/** What lies between two sweeps can decide nothing new: `retirements.test.ts` shows it by living through all of it. */
export interface Leaping {
  readonly sweeps: Sweeps;
  readonly signers: readonly Signer[];
  readonly troubles: Troubles;
  readonly profile: Profile;
  readonly oldCreatedMs: number;
}

/** What the last sweep left behind. */
export interface Left {
  readonly nowMs: number;
  readonly decision: Decision | null;
  readonly isAdopted: boolean;
  /** The latest read of custody that CloudTrail has not told apart yet, and no use came after; for a profile that pulls. */
  readonly unexplainedMs: number | null;
  /** Whether it is asked, once a day, which readers sign with the replacement; and until when that was read. */
  readonly isAskingReaders: boolean;
  readonly readersReadMs: number | null;
  /** When the old key went Inactive; null while it is Active. */
  readonly inactiveMs: number | null;
}

/** What was used is known everywhere by then. */
const LATE_MS = LAST_USED_LAG_MS + LAST_USED_COLLAPSE_MS + hours(1);

/** The next sweep in which anything may be decided, or learnt, that the last did not. */
export function nextSweepMs(leaping: Leaping, left: Left): number {
  const { sweeps, troubles, profile } = leaping;
  const { nowMs, inactiveMs } = left;
  const hourlyMs = sweeps.next(nowMs + 1);
  if (inactiveMs !== null && nowMs < inactiveMs + LATE_MS && mayComeToLight(leaping, inactiveMs)) return hourlyMs;
  const untilMs = sweeps.next(Math.max(hourlyMs, changesMs(leaping, left)));
  const spans = [...troubles.lastUsed.wavers, ...troubles.lastUsed.absent, ...leaping.signers.flatMap(besideHandOvers)];
  const stops = spans.map((span) => stopMs(sweeps, span, hourlyMs));
  // Before nobody can look for a while: a hand-over meanwhile would hide what was used before it.
  for (const { fromMs } of profile.isPulled ? [...troubles.lastUsed.outages, ...sweeps.gaps] : []) {
    if (sweeps.last(fromMs) > nowMs) stops.push(sweeps.last(fromMs));
  }
  if (left.isAskingReaders && inactiveMs === null) stops.push(sweeps.next((left.readersReadMs ?? nowMs) + days(1)));
  // What was hidden before the deactivation comes to light at once.
  for (const { untilMs: thawedMs } of inactiveMs === null ? [] : troubles.lastUsed.frozen) {
    if (thawedMs > nowMs) stops.push(sweeps.next(thawedMs));
  }
  const isAsked = !left.isAdopted && inactiveMs === null && profile.policy.adoption === "required";
  const adoptedMs = isAsked ? adoptionMs(leaping, left) : Number.POSITIVE_INFINITY;
  return Math.max(hourlyMs, Math.min(untilMs, ...stops, sweeps.next(Math.min(adoptedMs, nowMs + days(200)))));
}

/** Whether there is a use shortly before a deactivation that was not known then. */
function mayComeToLight({ signers, troubles }: Leaping, inactiveMs: number): boolean {
  if (troubles.lastUsed.frozen.length > 0) return true;
  const floorMs = inactiveMs - LATE_MS;
  return signers.some((signer) => lastOldCall(signer, inactiveMs + seconds(10), { floorMs }) !== null);
}

/** When what was decided may change by itself. */
function changesMs({ troubles, profile, oldCreatedMs }: Leaping, { nowMs, decision, unexplainedMs }: Left): number {
  if (decision?.step.kind !== "hold") return nowMs;
  if (unexplainedMs !== null && nowMs < toldByMs(troubles, nowMs, unexplainedMs))
    return outageEndsMs(troubles, nowMs) ?? nowMs;
  // A sweep that began a moment earlier decides by then.
  if (decision.step.until !== null) return decision.step.until - seconds(5);
  if (decision.reason === "UseUnknown") return outageEndsMs(troubles, nowMs) ?? nowMs;
  if (decision.reason !== "NotAdopted") return nowMs;
  const { idleAtMostMs, rotateAfterMs } = profile.policy;
  const waivedMs = oldCreatedMs + Math.min(Math.max(days(90), idleAtMostMs ?? 0), rotateAfterMs);
  return waivedMs > nowMs ? waivedMs : Number.POSITIVE_INFINITY;
}

/** Once CloudTrail tells of it, a read of custody is no use any more. One that it has not shown by then was lost. */
function toldByMs({ trail }: Troubles, nowMs: number, readMs: number): number {
  const ends = trail.outages.filter(({ fromMs }) => fromMs <= nowMs).map(({ untilMs }) => untilMs);
  return Math.max(readMs, ...ends) + (trail.lostPages > 0 ? days(2) : LATE_MS);
}

/** A hand-over stands before the uses that came shortly before it: last-used tells of the newest alone. */
const besideHandOvers = ({ handOversMs }: Signer): readonly Span[] =>
  handOversMs.map((atMs) => ({ fromMs: atMs, untilMs: atMs + LATE_MS }));

/** Where an answer may be older than the one before it, no sweep is left out, nor the last one before. */
function stopMs(sweeps: Sweeps, { fromMs, untilMs }: Span, hourlyMs: number): number {
  if (hourlyMs >= untilMs) return Number.POSITIVE_INFINITY;
  return Math.max(hourlyMs, sweeps.last(fromMs));
}

/**
 * While nobody was seen to use the replacement: its next use, and the hours in which that becomes known. Where its newest
 * use may be one of STS, which says nothing, each use counts; else the newest is enough, once all else allows to go on.
 */
function adoptionMs({ signers, troubles }: Leaping, { nowMs, decision }: Left): number {
  const isMixed = signers.some(({ call }) => call.service === "sts");
  if (decision?.reason !== "NotAdopted" && !isMixed) return Number.POSITIVE_INFINITY;
  const knownUntilMs = lastUsedKnowsUntil(troubles, nowMs) - LAST_USED_COLLAPSE_MS;
  const able = signers.filter(({ call }) => call.service !== "sts");
  const usedMs = Math.min(...able.map((signer) => nextCall(signer, "new", knownUntilMs)));
  const frozenMs = troubles.lastUsed.frozen.filter(({ fromMs }) => fromMs <= nowMs).map(({ untilMs }) => untilMs);
  return Math.max(usedMs, ...frozenMs);
}
