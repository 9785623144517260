import { settle } from "./consumers.ts";
import { count } from "./coverage.ts";
import { diceOf } from "./dice.ts";
import type { Dice } from "./dice.ts";
import type { DeedPlan } from "./draw-deeds.ts";
import { excuseTheDead } from "./excuse.ts";
import { mendAll, obey } from "./mend.ts";
import { MISCHIEF } from "./mischief.ts";
import { PAGES_MISCHIEF } from "./mischief-at-pages.ts";
import type { Stage } from "./stage.ts";

const ALL = [...MISCHIEF, ...PAGES_MISCHIEF];

/** What people do to the account. */
export interface Deeds {
  /** Does what is due until an instant, and lets the time pass to each of them. */
  readonly until: (atMs: number) => Promise<void>;
  /** Between any two calls of a sweep. */
  readonly meanwhile: (operation: string) => void;
  /** All that was broken is put right. */
  readonly mend: () => void;
}

interface Planned {
  readonly atMs: number;
  /** It waits for a sweep, and happens in the middle of it. */
  readonly isInSweep: boolean;
  readonly when?: () => boolean;
  readonly name: string;
  readonly user: string;
  readonly act: () => void;
}

/** Does the deeds that were drawn. The dice decide at which call of a sweep one happens, and when operators look. */
export function deedsOf(stage: Stage, dice: Dice, drawn: readonly DeedPlan[]): Deeds {
  const planned: Planned[] = [];

  function plan(deed: Planned): void {
    planned.push(deed);
    planned.sort((one, other) => one.atMs - other.atMs);
  }

  function carryOut(deed: Planned): void {
    planned.splice(planned.indexOf(deed), 1);
    if (stage.isHealed) return;
    settle(stage);
    stage.trace.note(deed.user, "person", () => deed.name + (deed.isInSweep ? ", in the middle of a sweep" : ""));
    count(stage.coverage, "deed", deed.name);
    deed.act();
    stage.meddledMs.set(deed.user, stage.clock.now());
    excuseTheDead(stage, deed.user);
  }

  function planDrawn({ name, atMs, user: index, seed, isInSweep, isUndoneInSweep, lastsMs }: DeedPlan): void {
    const subject = stage.subjects[index];
    const deed = ALL.find((known) => known.name === name);
    if (subject === undefined || deed === undefined) throw new RangeError(`nobody can do this: ${name}`);
    const doing = { stage, subject, dice: diceOf(seed, "deed") };
    const act = (): void => {
      const undo = deed.act(doing);
      if (undo === null || lastsMs === null) return;
      const undone = { name: `undo: ${name}`, user: subject.user, act: undo, isInSweep: isUndoneInSweep };
      plan({ ...undone, atMs: stage.clock.now() + lastsMs });
    };
    const { when } = deed;
    const common = { name, atMs, user: subject.user, act };
    if (when === undefined) plan({ ...common, isInSweep });
    else plan({ ...common, isInSweep: true, when: () => when(doing) });
  }

  for (const deed of drawn) planDrawn(deed);

  return {
    until: async (atMs) => {
      for (;;) {
        const next = planned.find((deed) => deed.atMs <= atMs && !deed.isInSweep);
        if (next === undefined) break;
        stage.clock.advance(Math.max(0, next.atMs - stage.clock.now()));
        carryOut(next);
      }
      if (dice.chance(stage.isHealed ? 0.4 : 0.1)) await obey(stage);
    },
    meanwhile: (operation) => {
      const next = planned[0];
      if (next === undefined || next.atMs > stage.clock.now()) return;
      const nowMs = stage.clock.now();
      const waiting = planned.find(
        ({ isInSweep, atMs, when }) => isInSweep && atMs <= nowMs && (when === undefined || when()),
      );
      // Most sweeps only look. What is done in the middle of an act is the dangerous thing.
      const isActing = waiting?.when !== undefined || operation === "iam.GetUser" || operation === "journal.write";
      if (waiting !== undefined && dice.chance(isActing ? 0.3 : 0.008)) carryOut(waiting);
    },
    mend: () => {
      settle(stage);
      mendAll(stage);
      for (const { user } of stage.subjects) {
        stage.meddledMs.set(user, stage.clock.now());
        excuseTheDead(stage, user);
      }
    },
  };
}
