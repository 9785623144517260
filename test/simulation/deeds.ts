import type { Dice } from "./dice.ts";
import type { Stage } from "./stage.ts";

export interface Deeds {
  readonly until: (atMs: number) => Promise<void>;
  readonly meanwhile: () => void;
  readonly mend: () => Promise<void>;
}

export function deedsOf(_stage: Stage, _dice: Dice, _span: { fromMs: number; untilMs: number }): Deeds {
  return { until: async () => undefined, meanwhile: () => undefined, mend: async () => undefined };
}
