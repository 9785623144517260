import type { Profile } from "../../src/rotation/policy.ts";
import { LAST_USED_LAG_MS, quietMs } from "../../src/rotation/policy.ts";
import { days, hours } from "../../src/rotation/time.ts";
import type { SimulatedKey } from "../world/iam-state.ts";
import { nextPair } from "./consumers.ts";
import type { FaultPlan } from "./plan.ts";
import { untilLookMs } from "./leaks.ts";
import { custodyPair, isPendingPair } from "./stage.ts";
import type { SimulatedSubject, Stage } from "./stage.ts";
import { isOpenAt } from "./windows.ts";
import { untilOpenMs } from "./windows.ts";

const LEAST_MS = hours(1);
const MOST_MS = hours(12);
/** Who has just done something, or been done something to, is looked at each hour for so long. */
const LIVELY_MS = hours(4);
/** How long before and after the time at which something may be done each hour counts. */
const BEFORE_MS = hours(2);
const AFTER_MS = hours(4);

/**
 * How long until the next sweep. A deployment sweeps each hour; of a thousand such sweeps 996 only wait, and what they
 * wait for is known here. So sweeps come hourly while something happens or may soon, and every twelve hours otherwise.
 * In an hourly life they come as in a deployment.
 */
export function untilNextSweepMs(stage: Stage, plan: FaultPlan, isHourly: boolean): number {
  const leakMs = untilLookMs(stage);
  if (leakMs <= LEAST_MS) return LEAST_MS;
  const open = stage.subjects.filter(({ user }) => isOpen(stage, user));
  const windowMs = Math.min(...stage.subjects.map(({ profile }) => untilInWindowMs(profile, stage.clock.now())));
  if (open.length === 0) return Math.max(LEAST_MS, Math.min(MOST_MS, leakMs, windowMs));
  if (isHourly || plan.isPassing(stage.clock.now())) return LEAST_MS;
  return Math.max(LEAST_MS, Math.min(MOST_MS, leakMs, windowMs, ...open.map((subject) => dullForMs(stage, subject))));
}

/** How long until the first hour in which the profile's window is open; for ever where it has none, or it is open now. */
function untilInWindowMs({ policy: { window } }: Profile, nowMs: number): number {
  if (window === null || isOpenAt(window, nowMs)) return Number.POSITIVE_INFINITY;
  for (let aheadMs = hours(1); aheadMs < MOST_MS; aheadMs += hours(1))
    if (isOpenAt(window, nowMs + aheadMs)) return aheadMs;
  return Number.POSITIVE_INFINITY;
}

/** The other key than the current one, of a user who has two. */
function oldKeyOf(stage: Stage, user: string): SimulatedKey | undefined {
  const currentId = custodyPair(stage, user, "AWSCURRENT")?.keyId;
  const keys = stage.cloud.iam.keysOf(user);
  return keys.length < 2 ? undefined : keys.find(({ id }) => id !== currentId);
}

/** For how long an old key has been silent beyond what quiet asks for; less than 0 while it has not. */
function silentBeyondMs(
  stage: Stage,
  { policy }: Profile,
  { user, old }: { readonly user: string; readonly old: SimulatedKey },
): number {
  const youngestMs = stage.cloud.iam.keysOf(user).at(-1)?.createdAtMs ?? 0;
  const usedMs = Math.max(old.uses.at(-1)?.atMs ?? 0, youngestMs + policy.cacheForMs);
  return stage.clock.now() - usedMs - quietMs(policy);
}

/** Whether a sweep may find something to do: a key that is due, an old one silent for long, or one whose soak is over. */
export function isRipeNow(stage: Stage, subject: SimulatedSubject): boolean {
  const { user, profile } = subject;
  const nowMs = stage.clock.now();
  const keys = stage.cloud.iam.keysOf(user);
  if (keys.length < 2) return keys.every(({ createdAtMs }) => nowMs - createdAtMs >= profile.policy.rotateAfterMs);
  const old = oldKeyOf(stage, user);
  if (old === undefined) return false;
  if (old.status === "Inactive") return nowMs - (old.changes.at(-1)?.atMs ?? 0) >= profile.policy.soakForMs;
  const silentMs = silentBeyondMs(stage, profile, { user, old });
  return silentMs > hours(3) && silentMs < hours(7);
}

/**
 * Whether a use of the old key comes in these hours, and a hand-over may come right after it: last-used then shows that
 * alone, and only who looks each hour sees both.
 */
function mayBeHidden({ clock }: Stage, { profile, consumers }: SimulatedSubject, old: SimulatedKey): boolean {
  const nowMs = clock.now();
  return (
    profile.isPulled &&
    consumers.some((consumer) => {
      const isSeldom = consumer.hold.kind === "typed-in" && consumer.rhythm.gapMs > days(1);
      if (!isSeldom || nextPair(consumer, nowMs)?.keyId !== old.id) return false;
      return consumer.rhythm.next(nowMs) - nowMs < MOST_MS || nowMs - consumer.rhythm.last(nowMs) < LIVELY_MS;
    })
  );
}

/** For how long nothing is to be expected of a user whose rotation waits; less than 0 while something may happen. */
function dullForMs(stage: Stage, subject: SimulatedSubject): number {
  const { user, profile } = subject;
  const nowMs = stage.clock.now();
  const keys = stage.cloud.iam.keysOf(user);
  const changedMs = keys.map(({ changes }) => changes.at(-1)?.atMs ?? 0);
  const disturbedMs = Math.max(...changedMs, stage.meddledMs.get(user) ?? 0);
  if (nowMs - disturbedMs < LIVELY_MS) return 0;
  const { window } = profile.policy;
  if (isPendingPair(stage, user)) return window === null ? 0 : untilOpenMs(window, nowMs, MOST_MS);
  const old = oldKeyOf(stage, user);
  if (old === undefined) return MOST_MS;
  const until = (beyondMs: number): number => (beyondMs < AFTER_MS ? -BEFORE_MS - beyondMs : MOST_MS);
  if (old.status === "Active") {
    if (mayBeHidden(stage, subject, old)) return 0;
    const beyondMs = silentBeyondMs(stage, profile, { user, old });
    // It waits for the next opening, however long ago it could have gone.
    const isHandMade = custodyPair(stage, user, "AWSCURRENT") === null;
    if (window !== null && (beyondMs > 0 || isHandMade)) return untilOpenMs(window, nowMs, MOST_MS);
    return Math.min(until(beyondMs), until(beyondMs - LAST_USED_LAG_MS));
  }
  const soakedMs = nowMs - (old.changes.at(-1)?.atMs ?? 0);
  return Math.min(until(soakedMs - profile.policy.soakForMs), until(soakedMs - days(30)));
}

const isOpen = (stage: Stage, user: string): boolean =>
  stage.cloud.iam.keysOf(user).length > 1 || isPendingPair(stage, user);
