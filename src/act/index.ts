import type { ActStep, Outcome } from "../rotation/decision.ts";
import { asRotationError } from "../rotation/errors.ts";
import { type Acting, type Done, type Refusal, tagsMoved, withdrawn } from "./acting.ts";
import { createReplacement } from "./create-replacement.ts";
import { deactivate } from "./deactivate.ts";
import { deleteKey } from "./delete.ts";
import { deliver } from "./deliver.ts";
import { mark } from "./mark.ts";
import { promote, withdrawPending } from "./promote.ts";
import { prove } from "./prove.ts";
import { reactivate } from "./reactivate.ts";

/** What became of a step, and what it left behind; null when it was not done. */
export type Acted = { readonly outcome: Outcome; readonly done: Done | null };

/**
 * Does exactly one step, under our lease. A failure is an outcome, too: it ends this user's turn, and nobody else's.
 * create-replacement, prove and deliver write the journal themselves before they touch anything: they have something to say.
 */
export async function act(acting: Acting, step: ActStep): Promise<Acted> {
  const { ledger } = acting;
  try {
    const writesFirst = step.kind === "create-replacement" || step.kind === "prove" || step.kind === "deliver";
    const isMark = step.kind === "mark";
    if (!isMark && !writesFirst && !ledger.isHeld()) await ledger.save((record) => record);
    const moved = isMark ? null : await tagsMoved(acting, step);
    const result = moved === null ? await perform(acting, step) : ({ ...withdrawn(moved), isMoved: true } as const);
    if (result.kind === "done") {
      const { proof } = result;
      return { outcome: { kind: "done", step, ...(proof === undefined ? {} : { proof }) }, done: result };
    }
    return { outcome: { ...result, step }, done: null };
  } catch (thrown) {
    if (ledger.isLost()) {
      return { outcome: { ...withdrawn("another run is at work on this user"), step }, done: null };
    }
    const error = asRotationError(thrown, `doing ${step.kind} for ${acting.subject.user}`);
    return { outcome: { kind: "failed", step, error }, done: null };
  }
}

function perform(acting: Acting, step: ActStep): Promise<Done | Refusal> {
  switch (step.kind) {
    case "create-replacement":
      return createReplacement(acting, step);
    case "prove":
      return prove(acting, step);
    case "deliver":
      return deliver(acting, step);
    case "promote":
      return promote(acting, step);
    case "withdraw-pending":
      return withdrawPending(acting, step);
    case "deactivate":
      return deactivate(acting, step);
    case "reactivate":
      return reactivate(acting, step);
    case "delete":
      return deleteKey(acting, step);
    case "mark":
      return mark(acting, step);
  }
}
