import { quietMs } from "../../src/rotation/policy.ts";
import type { Profile } from "../../src/rotation/policy.ts";
import { days, hours, minutes, seconds } from "../../src/rotation/time.ts";
import type { CallKind } from "./consumers.ts";
import type { Dice } from "./dice.ts";
import { rhythmOf } from "./rhythm.ts";
import type { RhythmOptions } from "./rhythm.ts";
import { profileShape, rhythmShape, silenceAllowedMs } from "./shapes.ts";
import { START_MS } from "./stage.ts";
import { withWindow } from "./windows.ts";
import { drawStored } from "./workplaces.ts";
import type { StoredPlan } from "./workplaces.ts";

/** How somebody comes by the pair: "worker" and "typed-in" say of which of them, the others how long they keep it. */
type HoldPlan =
  | { readonly kind: "worker"; readonly worker: number }
  | { readonly kind: "typed-in"; readonly key: number }
  | { readonly kind: "cached"; readonly cacheMs: number }
  | { readonly kind: "pulls"; readonly everyMs: number };

export interface ConsumerPlan {
  readonly name: string;
  readonly hold: HoldPlan;
  readonly rhythm: RhythmOptions;
  readonly call: CallKind;
  /** Slower than its profile declares: that its key is taken is no mistake. */
  readonly isForgiven: boolean;
}

/** One user as it is when the life begins. Keys that are active are numbered: the first, the second. */
export interface UserPlan {
  readonly name: string;
  readonly profile: Profile;
  readonly tagKey: string;
  readonly isEnrolledTwice: boolean;
  readonly mayMail: boolean;
  readonly keys: readonly { readonly ageMs: number; readonly isActive: boolean }[];
  readonly workers: number;
  /** Those of them that store first, by their places; left out of lives that were kept before there were any. */
  readonly stored?: readonly (StoredPlan | null)[];
  readonly hasReaders: boolean;
  readonly consumers: readonly ConsumerPlan[];
}

const CALLS: readonly CallKind[] = [
  { service: "lambda", operation: "Invoke", isManagement: false, region: "us-east-1" },
  { service: "s3", operation: "GetObject", isManagement: false, region: "us-east-1" },
  { service: "ec2", operation: "DescribeInstances", isManagement: true, region: "us-east-1" },
  { service: "kms", operation: "Encrypt", isManagement: true, region: "eu-central-1" },
];
const [INVOKE] = CALLS as readonly [CallKind];
/** What nobody can tell from our own probes. */
const STS: CallKind = { service: "sts", operation: "GetCallerIdentity", isManagement: true, region: "us-east-1" };

const KEY_SHAPES = [
  "one",
  "one",
  "one",
  "one",
  "none",
  "two",
  "two, one unused",
  "one and an inactive",
  "inactive",
] as const;
type KeyShape = (typeof KEY_SHAPES)[number];

const ACTIVITIES: Readonly<Record<KeyShape, readonly boolean[]>> = {
  none: [],
  one: [true],
  two: [true, true],
  "two, one unused": [true, true],
  "one and an inactive": [true, false],
  inactive: [false],
};

/** Draws one user of some shape, its profile, its destinations and whoever calls with its keys. */
export function drawUser(of: (concern: string) => Dice, index: number): UserPlan {
  const name = `p${String(index)}`;
  const dice = of(`user ${name}`);
  const profile = withWindow(of(`window ${name}`), profileShape(of(`profile ${name}`), name));
  const shape = dice.pick(KEY_SHAPES);
  const keys = ACTIVITIES[shape].map((isActive) => ({ ageMs: drawAgeMs(dice, profile), isActive }));
  const workers = drawWorkers(dice, profile);
  const user = {
    name,
    profile,
    tagKey: dice.chance(0.1) ? "Keyturn" : "keyturn",
    isEnrolledTwice: dice.chance(0.02),
    mayMail: dice.chance(0.04),
    keys,
    workers,
    stored: drawAllStored(of(`stored ${name}`), workers),
    hasReaders: profile.isPulled || workers === 0 || dice.chance(0.35),
  };
  return { ...user, consumers: drawConsumers(of, user, shape) };
}

const drawAllStored = (dice: Dice, workers: number): (StoredPlan | null)[] =>
  Array.from({ length: workers }, () => drawStored(dice));

function drawAgeMs(dice: Dice, { policy: { rotateAfterMs } }: Profile): number {
  const isNearlyDue = dice.chance(0.6);
  const ageMs = isNearlyDue
    ? dice.between(rotateAfterMs - days(12), rotateAfterMs + days(3))
    : dice.between(0, days(400));
  return Math.max(hours(1), ageMs);
}

function drawWorkers(dice: Dice, { isPulled, policy }: Profile): number {
  if (isPulled && dice.chance(0.7)) return 0;
  const most = policy.idleAtMostMs === null ? 1 : 2;
  return dice.chance(0.2) ? 0 : dice.between(1, most);
}

/** Without a declared silence last-used speaks for one consumer only. */
function drawConsumers(
  of: (concern: string) => Dice,
  { name, profile, keys, workers, hasReaders }: Omit<UserPlan, "consumers">,
  shape: KeyShape,
): ConsumerPlan[] {
  const dice = of(`consumers ${name}`);
  const active = keys.filter(({ isActive }) => isActive).length;
  const isAlone = profile.policy.idleAtMostMs === null;
  const draw = (what: string, hold: HoldPlan | "reader", isSlow = false): ConsumerPlan =>
    drawConsumer(of(`${what} ${name}`), profile, { name: `${what} of user-${name}`, hold, isSlow });
  // Somebody whom no destination reaches: it goes on with the pair that was typed in, however seldom.
  if (isAlone && active > 0 && dice.chance(0.12)) return [draw("out of reach", { kind: "typed-in", key: 0 }, true)];
  const [isTypedIn, hasSleeper, most] = [dice.chance(0.2), dice.chance(0.2), dice.between(1, 2)];
  const found = Array.from({ length: workers }, (_, worker) =>
    draw(`worker ${String(worker)}`, { kind: "worker", worker }),
  );
  const readers = hasReaders ? Math.min(most, isAlone ? 1 - found.length : most) : 0;
  for (let reader = 0; reader < readers; reader += 1) found.push(draw(`reader ${String(reader)}`, "reader"));
  if (isAlone) return found;
  if (active > 1 && shape !== "two, one unused") found.push(draw("second typed-in", { kind: "typed-in", key: 1 }));
  if (active > 0 && isTypedIn) found.push(draw("typed-in", { kind: "typed-in", key: 0 }));
  if (active > 0 && hasSleeper) found.push(drawSleeper(of(`sleeper ${name}`), profile, name));
  return found;
}

function drawConsumer(
  dice: Dice,
  profile: Profile,
  as: { readonly name: string; readonly hold: HoldPlan | "reader"; readonly isSlow: boolean },
): ConsumerPlan {
  const declaredMs = silenceAllowedMs(profile);
  // Most of those who might be silent for months are not.
  const isSlow = dice.chance(0.25) || as.isSlow || profile.isPulled;
  const allowedMs = isSlow ? declaredMs : Math.min(declaredMs, quietMs(profile.policy));
  const rhythm = rhythmShape(dice, allowedMs, { atLeastMs: profile.isPulled ? hours(1) : 0, startMs: START_MS });
  const call = dice.chance(0.03) ? STS : dice.pick(CALLS);
  const hold = as.hold === "reader" ? readerHold(dice, profile, rhythm) : as.hold;
  return { name: as.name, hold, rhythm, call, isForgiven: false };
}

function readerHold(dice: Dice, profile: Profile, rhythm: RhythmOptions): HoldPlan {
  const cacheMs = Math.floor(profile.policy.cacheForMs * dice.fraction());
  if (!profile.isPulled) return { kind: "cached", cacheMs: Math.max(seconds(30), cacheMs) };
  // A laptop that does not pull at each use pulls within the silence that its profile declares.
  const spareMs = silenceAllowedMs(profile) - rhythmOf(rhythm).gapMs;
  return { kind: "pulls", everyMs: dice.chance(0.5) ? 0 : Math.max(0, Math.floor(spareMs * dice.fraction())) };
}

/** Somebody a little slower than the profile declares: its use comes to light when the key has just been taken. */
function drawSleeper(dice: Dice, { policy }: Profile, name: string): ConsumerPlan {
  const periodMs = quietMs(policy) + minutes(15) + dice.between(0, hours(4));
  const phaseMs = START_MS - dice.between(0, days(1));
  return {
    name: `sleeper of user-${name}`,
    hold: { kind: "typed-in", key: 0 },
    rhythm: { name: "slower than declared", periodMs, jitterMs: 0, isOnWeekdays: false, phaseMs, seed: 0 },
    call: INVOKE,
    isForgiven: true,
  };
}
