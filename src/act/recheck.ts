import { judge } from "../judge.ts";
import { observe } from "../observe/observe.ts";
import { type Acting, type Refusal, type StepOf, withdrawn } from "./acting.ts";
import type { Decision } from "../rotation/decision.ts";
import type { Observation } from "../rotation/observation.ts";
import type { Instant } from "../rotation/time.ts";

/** What was seen and decided on the second look. */
export interface Second {
  readonly kind: "same";
  readonly fresh: Observation;
  readonly decision: Decision;
  readonly now: Instant;
}

/**
 * Observes and decides again, right before what is hard to undo. Gives the fresh observation when the answer is the
 * same, and withdraws when the world has moved on.
 */
export async function recheck(
  { world, subject, observation, ledger, there, decision: first }: Acting,
  step: StepOf<"deactivate" | "delete">,
): Promise<Refusal | Second> {
  const { proved, stalled, dead } = observation;
  // Before a key is taken that did not leak nobody but IAM says what is there.
  const known = { proved, stalled, dead, there: first.reason === "KeyExposed" ? there : null };
  const sight = await observe(world, subject, { ...known, revision: ledger.revision(), isThorough: true });
  const { decision, observation: fresh, now } = await judge(world, subject, sight.observation);
  const isSame = decision.step.kind === step.kind && decision.step.keyId === step.keyId;
  // What the second look has seen is not forgotten, whatever becomes of the step.
  ledger.stage(() => fresh.record);
  return isSame ? { kind: "same", fresh, decision, now } : withdrawn(`on a second look: ${decision.because}`);
}
