import { settle } from "./consumers.ts";
import { count } from "./coverage.ts";
import type { Dice } from "./dice.ts";
import { isLeakFresh, steal } from "./leaks.ts";
import type { Run, Runs } from "./run.ts";
import type { Stage } from "./stage.ts";

/** Something other than the schedule that invokes the function: an event, or a command that somebody types. */
export interface Errand {
  readonly name: string;
  readonly user: string;
  readonly atMs: number;
  /** It is begun in the middle of a sweep, and goes on beside it. */
  readonly isInSweep: boolean;
  /** It waits for this. */
  readonly when: () => boolean;
  readonly act: (begin: (word?: string) => Run) => Promise<void>;
}

export interface Errands {
  readonly plan: (errand: Errand) => void;
  /** When the next one is due that needs no sweep; null where none is before an instant. */
  readonly nextMs: (untilMs: number) => number | null;
  /** Does what is due now. */
  readonly doDue: () => Promise<void>;
  /** Between any two calls of a run. */
  readonly meanwhile: (operation: string) => void;
  /** Waits for what was begun in the middle of a sweep. */
  readonly rest: () => Promise<void>;
}

/** Does errands as they come due. The dice decide at which call of a sweep one begins. */
export function errandsOf(stage: Stage, dice: Dice, runs: () => Runs): Errands {
  const planned: Errand[] = [];
  const underWay: Promise<void>[] = [];
  let isBusy = false;

  const isDue = ({ atMs, when }: Errand): boolean => atMs <= stage.clock.now() && when();

  async function carryOut(errand: Errand): Promise<void> {
    planned.splice(planned.indexOf(errand), 1);
    settle(stage);
    stage.trace.note(errand.user, "errand", () => errand.name + (errand.isInSweep ? ", in the middle of a sweep" : ""));
    count(stage.coverage, "errand", errand.name);
    isBusy = true;
    await errand.act((word) => runs().begin({ isAmongOthers: errand.isInSweep, word: word ?? null }));
    isBusy = false;
    settle(stage);
  }

  return {
    plan: (errand) => {
      planned.push(errand);
      planned.sort((one, other) => one.atMs - other.atMs);
    },
    nextMs: (untilMs) =>
      planned.find(({ atMs, isInSweep, when }) => !isInSweep && atMs <= untilMs && when())?.atMs ?? null,
    doDue: async () => {
      const due = planned.find((errand) => !errand.isInSweep && isDue(errand));
      if (due !== undefined) await carryOut(due);
    },
    meanwhile: (operation) => {
      const isOfCustody = operation.startsWith("secretsmanager.");
      if (isOfCustody && isLeakFresh(stage) && dice.chance(0.3)) {
        for (const { user } of stage.subjects) steal(stage, user);
      }
      if (isBusy || planned.length === 0) return;
      const due = planned.find((errand) => errand.isInSweep && isDue(errand));
      if (due === undefined || !dice.chance(0.1)) return;
      underWay.push(carryOut(due));
    },
    rest: async () => {
      while (underWay.length > 0) await underWay.shift();
    },
  };
}
