import type { DecisionResult, SweepResult } from "../../src/sweep.ts";

/** Something that a sweep did to one user, or the reason for which it began to wait. */
interface Happening {
  readonly atMs: number;
  readonly user: string;
  /** An act's step, or `hold`. */
  readonly step: string;
  readonly rule: string;
  readonly reason: string;
  readonly because: string;
  /** done, held, blocked, withdrawn or failed. */
  readonly outcome: string;
}

/** Keeps each act, and each hold once for as long as its reason stays. */
export interface Timeline {
  readonly happenings: readonly Happening[];
  /** `atMs`: when the sweep began. */
  enter(result: SweepResult, atMs: number): void;
}

export function openTimeline(): Timeline {
  const happenings: Happening[] = [];
  const waiting = new Map<string, string>();

  const enterOne = (atMs: number, user: string, decision: DecisionResult): void => {
    const { step, rule, reason, because, outcome, error } = decision;
    const state = `${rule} ${reason} ${outcome}`;
    const isSame = outcome !== "done" && waiting.get(user) === state;
    waiting.set(user, state);
    if (isSame || reason === "NothingDue") return;
    const said = error?.message ?? because;
    happenings.push({ atMs, user, step, rule, reason, because: said, outcome });
  };
  return {
    happenings,
    enter({ users }, atMs) {
      for (const { user, decisions, error } of users) {
        for (const decision of decisions) enterOne(atMs, user, decision);
        if (error === undefined) continue;
        const { code: reason, message: because } = error;
        enterOne(atMs, user, { rule: "sweep", step: "none", reason, because, outcome: "failed" });
      }
    },
  };
}
