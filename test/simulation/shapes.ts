import type { Profile, RotationPolicy } from "../../src/rotation/policy.ts";
import { LAST_USED_LAG_MS, quietMs } from "../../src/rotation/policy.ts";
import { userName } from "../../src/rotation/keys.ts";
import { days, hours, minutes, seconds } from "../../src/rotation/time.ts";
import type { Dice } from "./dice.ts";
import type { RhythmOptions } from "./rhythm.ts";

/** What is open about a profile before its sums are made to come out. */
interface Sketch {
  readonly quietForMs: number;
  readonly idleAtMostMs: number | null;
  readonly soakForMs: number;
  readonly cacheForMs: number;
  readonly isPulled: boolean;
  readonly spareMs: number;
}

function sketch(dice: Dice): Sketch {
  const cacheForMs = dice.pick([minutes(5), hours(1), hours(1), hours(12), days(2)]);
  const soakForMs = dice.pick([minutes(255), days(1), days(3), days(7)]);
  const spareMs = days(dice.between(1, 20));
  const common = { cacheForMs, soakForMs, spareMs, isPulled: false, idleAtMostMs: null };
  switch (
    dice.pick(["quick", "quick", "quick", "ordinary", "declared", "declared", "hasty", "pulled", "pulled"] as const)
  ) {
    case "quick":
      return { ...common, quietForMs: days(dice.between(2, 4)) };
    case "ordinary":
      return { ...common, quietForMs: days(10), soakForMs: days(7), cacheForMs: hours(1) };
    case "declared":
      return { ...common, quietForMs: days(dice.between(2, 5)), idleAtMostMs: days(dice.pick([3, 5, 8, 15, 31])) };
    case "hasty":
      return { ...common, quietForMs: hours(dice.pick([2, 8, 30])), cacheForMs: minutes(5) };
    case "pulled":
      return {
        ...common,
        quietForMs: days(dice.between(2, 7)),
        idleAtMostMs: days(dice.pick([3, 7, 10, 28])),
        isPulled: true,
      };
  }
}

/** A profile that `keyturn.config.ts` would not be refused for, and the longest silence that it allows a consumer. */
export function profileShape(dice: Dice, name: string): Profile {
  const { quietForMs, idleAtMostMs, soakForMs, cacheForMs, isPulled, spareMs } = sketch(dice);
  const deliverWithinMs = days(1);
  const silenceMs = isPulled ? (idleAtMostMs ?? 0) + quietForMs : Math.max(quietForMs, idleAtMostMs ?? 0);
  const waitMs = silenceMs + cacheForMs + LAST_USED_LAG_MS;
  const rotateAfterMs = deliverWithinMs + waitMs + soakForMs + spareMs;
  const policy: RotationPolicy = {
    rotateAfterMs,
    deliverWithinMs,
    quietForMs,
    idleAtMostMs,
    soakForMs,
    maxAgeMs: rotateAfterMs + deliverWithinMs + waitMs + days(dice.between(0, 4)),
    cutExposedWithinMs: hours(1),
    cacheForMs,
    adopt: dice.chance(0.3) ? "at-once" : "when-due",
    adoption: idleAtMostMs !== null && dice.chance(0.2) ? "optional" : "required",
    window: null,
  };
  return {
    name,
    users: [userName(dice.chance(0.01) ? "somebody-else" : `user-${name}`)],
    policy,
    isPulled,
    smtp: dice.chance(0.5) ? "none" : null,
    regions: dice.chance(0.7) ? ["us-east-1"] : ["us-east-1", "eu-central-1"],
    unaskedRegions: dice.chance(0.1) ? { "eu-central-1": "nobody works there at all" } : {},
    replicaRegions: dice.chance(0.15) ? ["eu-central-1"] : [],
    readers: isPulled && dice.chance(0.5) ? ["reader-0", "reader-1"] : [],
  };
}

/**
 * The longest silence of a consumer that keeps to what its profile declares. One that is alone need not declare any: its
 * old key stays until it was seen to use the new one, or was silent for 90 days.
 */
export function silenceAllowedMs({ policy, isPulled }: Profile): number {
  if (isPulled) return policy.idleAtMostMs ?? 0;
  const isAlone = policy.idleAtMostMs === null && policy.adoption === "required";
  return isAlone ? days(60) : quietMs(policy);
}

type Beat = Pick<RhythmOptions, "name" | "periodMs" | "jitterMs" | "isOnWeekdays">;

const BEATS: readonly Beat[] = [
  { name: "every second", periodMs: seconds(1), jitterMs: 0, isOnWeekdays: false },
  { name: "every minute", periodMs: minutes(1), jitterMs: 0, isOnWeekdays: false },
  { name: "hourly", periodMs: hours(1), jitterMs: minutes(20), isOnWeekdays: false },
  { name: "four times a day", periodMs: hours(6), jitterMs: hours(1), isOnWeekdays: false },
  { name: "daily", periodMs: days(1), jitterMs: hours(3), isOnWeekdays: false },
  { name: "weekdays", periodMs: days(1), jitterMs: hours(2), isOnWeekdays: true },
  { name: "weekly", periodMs: days(7), jitterMs: hours(12), isOnWeekdays: false },
  { name: "fortnightly", periodMs: days(14), jitterMs: hours(20), isOnWeekdays: false },
  { name: "monthly", periodMs: days(30), jitterMs: hours(22), isOnWeekdays: false },
];

const gapMs = ({ periodMs, jitterMs, isOnWeekdays }: Beat): number =>
  periodMs + jitterMs + (isOnWeekdays ? days(2) : 0);

/** A rhythm within the silence allowed, and no quicker than asked; the slow ones are the dangerous ones. */
export function rhythmShape(
  dice: Dice,
  allowedMs: number,
  options: { readonly atLeastMs: number; readonly startMs: number },
): RhythmOptions {
  const fitting = BEATS.filter((beat) => gapMs(beat) <= allowedMs && beat.periodMs >= options.atLeastMs);
  const usable = fitting.length === 0 ? BEATS.filter((beat) => gapMs(beat) <= allowedMs).slice(-1) : fitting;
  const slowest = usable.at(-1);
  const isAtLimit = dice.chance(0.25);
  const limit = { name: "as slow as allowed", periodMs: allowedMs - seconds(2), jitterMs: 0, isOnWeekdays: false };
  const usual = slowest !== undefined && dice.chance(0.3) ? slowest : dice.pick(usable);
  const beat = isAtLimit ? limit : usual;
  const phaseMs = options.startMs + dice.between(0, beat.periodMs);
  return { ...beat, phaseMs, seed: dice.between(0, 1_000_000) };
}
