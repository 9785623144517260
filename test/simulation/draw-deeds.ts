import { minutes } from "../../src/rotation/time.ts";
import type { Dice } from "./dice.ts";
import type { Deed } from "./mischief.ts";
import { MISCHIEF } from "./mischief.ts";

/** One deed of a person's, before it is known what it will meet. */
export interface DeedPlan {
  readonly atMs: number;
  /** As `mischief.ts` has it. */
  readonly name: string;
  /** Which user of the life. */
  readonly user: number;
  /** What the deed itself draws from: which key, which Worker. */
  readonly seed: number;
  /** Whether it waits for a sweep and happens in the middle of it, and whether what undoes it does. */
  readonly isInSweep: boolean;
  readonly isUndoneInSweep: boolean;
  /** How long it stays; null where nobody undoes it before all is mended. */
  readonly lastsMs: number | null;
}

const weighted = (deeds: readonly Deed[]): Deed[] =>
  deeds.flatMap((deed) => Array.from({ length: deed.weight }, () => deed));

/** Draws what people do. */
export function drawDeeds(
  dice: Dice,
  { fromMs, untilMs, users }: { readonly fromMs: number; readonly untilMs: number; readonly users: number },
  of: readonly Deed[] = MISCHIEF,
): DeedPlan[] {
  const total = dice.chance(0.25) ? 0 : dice.between(1, 12);
  const weights = weighted(of);
  return Array.from({ length: total }, () => {
    const { name, lastsMs } = dice.pick(weights);
    return {
      atMs: dice.between(fromMs, untilMs),
      name,
      user: dice.between(0, users - 1),
      seed: dice.between(1, 1_000_000),
      isInSweep: dice.chance(0.25),
      isUndoneInSweep: dice.chance(0.25),
      lastsMs: lastsMs === null ? null : dice.between(minutes(10), lastsMs),
    };
  });
}
