import { days, hours, minutes } from "../../../src/rotation/time.ts";
import type { Dice } from "../dice.ts";
import { hashed } from "./signers.ts";
import type { Span } from "./troubles.ts";

/** When Keyturn runs: every hour, now and then late, and at times not at all for days. */
export interface Sweeps {
  /** The first sweep at an instant or later. */
  readonly next: (atMs: number) => number;
  /** The last sweep before an instant. */
  readonly last: (atMs: number) => number;
  /** When none is made. */
  readonly gaps: readonly Span[];
}

export function drawSweeps(dice: Dice, fromMs: number): Sweeps {
  const seed = dice.between(0, 1_000_000_000);
  const gaps: readonly Span[] = Array.from({ length: dice.pick([0, 0, 0, 1, 2]) }, () => {
    const startMs = fromMs + dice.between(0, days(40));
    return { fromMs: startMs, untilMs: startMs + dice.pick([hours(6), days(1), days(3), days(9)]) };
  });
  const at = (index: number): number => {
    const lateMs = hashed(seed, index * 1_000) < 0.03 ? minutes(40) : 0;
    return fromMs + index * hours(1) + lateMs + Math.floor(hashed(seed + 1, index * 1_000) * 40_000);
  };
  const isLeftOut = (index: number): boolean => gaps.some((gap) => gap.fromMs <= at(index) && at(index) < gap.untilMs);
  const step = (index: number, by: 1 | -1): number => {
    let found = index;
    while (isLeftOut(found)) found += by;
    return found;
  };
  return {
    gaps,
    next: (ms) => {
      let index = step(Math.max(0, Math.floor((ms - fromMs) / hours(1)) - 1), 1);
      while (at(index) < ms) index = step(index + 1, 1);
      return at(index);
    },
    last: (ms) => {
      let index = step(Math.ceil((ms - fromMs) / hours(1)) + 1, -1);
      while (at(index) >= ms) index = step(index - 1, -1);
      return at(index);
    },
  };
}

/** A retirement is watched for so long. */
export const HORIZON_MS = days(120);
