import { days } from "../../src/rotation/time.ts";

/** When a workload calls: every `periodMs`, each time up to `jitterMs` late, on weekdays only or on all days. */
export interface RhythmOptions {
  readonly name: string;
  readonly periodMs: number;
  readonly jitterMs: number;
  readonly isOnWeekdays: boolean;
  readonly phaseMs: number;
  readonly seed: number;
}

/** Instants of calls, computed and never stepped. All times are epoch milliseconds. */
export interface Rhythm {
  readonly name: string;
  /** The longest time between two calls. */
  readonly gapMs: number;
  /** The first call at an instant or later. */
  readonly next: (atMs: number) => number;
  /** The last call before an instant. */
  readonly last: (atMs: number) => number;
  /** How many calls there are from an instant until before another, weekends counted in. */
  readonly count: (fromMs: number, toMs: number) => number;
}

export function rhythmOf({ name, periodMs, jitterMs, isOnWeekdays, phaseMs, seed }: RhythmOptions): Rhythm {
  const jitter = (index: number): number => {
    if (jitterMs === 0) return 0;
    const mixed = Math.imul((index ^ seed) + 0x9e3779b9, 2_246_822_519) >>> 0;
    return Math.floor((mixed / 4_294_967_296) * jitterMs);
  };
  const at = (index: number): number => phaseMs + index * periodMs + jitter(index);
  const isFree = (atMs: number): boolean => {
    if (!isOnWeekdays) return false;
    // 1970-01-01 was a Thursday.
    const day = (Math.floor(atMs / days(1)) + 4) % 7;
    return day === 0 || day === 6;
  };
  const indexAt = (ms: number): number => Math.floor((ms - phaseMs) / periodMs);
  return {
    name,
    gapMs: periodMs + jitterMs + (isOnWeekdays ? days(2) : 0),
    next: (ms) => {
      let index = indexAt(ms);
      let atMs = at(index);
      while (atMs < ms || isFree(atMs)) atMs = at((index += 1));
      return atMs;
    },
    last: (ms) => {
      let index = indexAt(ms);
      let atMs = at(index);
      while (atMs >= ms || isFree(atMs)) atMs = at((index -= 1));
      return atMs;
    },
    count: (fromMs, toMs) => Math.max(1, indexAt(toMs - 1) - indexAt(fromMs) + 1),
  };
}
