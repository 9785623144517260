import { seededRandom } from "../world/random.ts";

/** Everything that a seed decides is drawn here, in the order of the questions. */
export interface Dice {
  /** At least 0, less than 1. */
  readonly fraction: () => number;
  readonly chance: (probability: number) => boolean;
  /** A whole number: at least `low`, at most `high`. */
  readonly between: (low: number, high: number) => number;
  readonly pick: <Item>(list: readonly Item[]) => Item;
}

/** One source of chance for one concern: what is drawn for faults does not shift what is drawn for users. */
export function diceOf(seed: number, concern: string): Dice {
  let mixed = seed >>> 0;
  for (const letter of concern) mixed = Math.imul(mixed ^ letter.charCodeAt(0), 2_654_435_761) >>> 0;
  const { fraction } = seededRandom(mixed);
  const between = (low: number, high: number): number => low + Math.floor(fraction() * (high - low + 1));
  return {
    fraction,
    chance: (probability) => fraction() < probability,
    between,
    pick: <Item>(list: readonly Item[]): Item => {
      const found = list[between(0, list.length - 1)];
      if (found === undefined) throw new RangeError("nothing to pick from");
      return found;
    },
  };
}
