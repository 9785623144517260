import type { ActStep, Outcome } from "../rotation/decision.ts";
import { asRotationError } from "../rotation/errors.ts";
import { type Acting, begin, type Refusal, withdrawn } from "./acting.ts";
import { createReplacement } from "./create-replacement.ts";
import { deactivate } from "./deactivate.ts";
import { deleteKey } from "./delete.ts";
import { deliver } from "./deliver.ts";
import { promote, withdrawPending } from "./promote.ts";
import { prove, withProbe } from "./prove.ts";
import { reactivate } from "./reactivate.ts";

/** Does exactly one step. A failure is an outcome, too: it ends this user's turn, and nobody else's. */
export async function act(acting: Acting, step: ActStep): Promise<Outcome> {
  try {
    const now = acting.world.clock.now();
    // A probe is on record before it is sent; the other acts have nothing to say before they look.
    const moved = await begin(acting, (record) =>
      step.kind === "prove" ? withProbe(record, step.keyId, now) : record,
    );
    const refusal = moved === null ? await perform(acting, step) : withdrawn(moved);
    return refusal === null ? { kind: "done", step } : { ...refusal, step };
  } catch (thrown) {
    const error = asRotationError(thrown, `doing ${step.kind} for ${acting.subject.user}`);
    return { kind: "failed", step, error };
  }
}

function perform(acting: Acting, step: ActStep): Promise<Refusal | null> {
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
  }
}
