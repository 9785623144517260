import { minutes } from "../../src/rotation/time.ts";
import { settle } from "./consumers.ts";
import { count } from "./coverage.ts";
import type { Dice } from "./dice.ts";
import { excuseTheDead } from "./excuse.ts";
import { mendAll, obey } from "./mend.ts";
import { MISCHIEF } from "./mischief.ts";
import type { Deed } from "./mischief.ts";
import type { Stage } from "./stage.ts";

/** What people do to the account, from the seed. */
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

export function deedsOf(stage: Stage, dice: Dice, span: { readonly fromMs: number; readonly untilMs: number }): Deeds {
  const planned: Planned[] = [];

  function plan(atMs: number, of: Omit<Planned, "atMs" | "isInSweep">): void {
    planned.push({ ...of, atMs, isInSweep: of.when !== undefined || dice.chance(0.25) });
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

  const total = dice.chance(0.25) ? 0 : dice.between(1, 12);
  for (let index = 0; index < total; index += 1) {
    const subject = dice.pick(stage.subjects);
    const weights = MISCHIEF.flatMap((deed) => Array.from({ length: deed.weight }, () => deed));
    const { name, act, lastsMs, when } = dice.pick(weights);
    const waits = when === undefined ? {} : { when: () => when({ stage, dice, subject }) };
    const begin = (deed: Deed["act"]) => (): void => {
      const undo = deed({ stage, dice, subject });
      if (undo === null || lastsMs === null) return;
      const forMs = dice.between(minutes(10), lastsMs);
      plan(stage.clock.now() + forMs, { name: `undo: ${name}`, user: subject.user, act: undo });
    };
    plan(dice.between(span.fromMs, span.untilMs), { name, user: subject.user, act: begin(act), ...waits });
  }

  return {
    until: async (atMs) => {
      for (;;) {
        const next = planned.find((deed) => deed.atMs <= atMs && !deed.isInSweep);
        if (next === undefined) break;
        stage.clock.advance(Math.max(0, next.atMs - stage.clock.now()));
        carryOut(next);
      }
      if (dice.chance(stage.isHealed ? 0.2 : 0.02)) await obey(stage);
    },
    meanwhile: (operation) => {
      const next = planned[0];
      if (next === undefined || next.atMs > stage.clock.now()) return;
      const due = planned.filter((deed) => deed.isInSweep && deed.atMs <= stage.clock.now());
      const waiting = due.find(({ when }) => when === undefined || when());
      // Most sweeps only look. What is done in the middle of an act is the dangerous thing.
      const isActing =
        waiting?.when !== undefined ||
        operation === "iam.GetUser" ||
        operation === "journal.write" ||
        operation === "journal.append";
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
