import type { ActStep, Outcome } from "../rotation/decision.ts";
import type { Observation } from "../rotation/observation.ts";
import type { Acting } from "./acting.ts";
import { judge } from "../judge.ts";

/**
 * Observes and decides again, right before what is hard to undo. Gives the fresh observation when the answer is the
 * same, and `withdrawn` when the world has moved on.
 */
export async function recheck(
  { world, subject, observation, ledger }: Acting,
  step: ActStep & { readonly keyId: string },
): Promise<
  { readonly kind: "same"; readonly fresh: Observation } | { readonly kind: "moved"; readonly outcome: Outcome }
> {
  const again = await judge(world, subject, {
    proved: observation.proved,
    revision: ledger.revision(),
    isThorough: true,
  });
  const { kind } = again.decision.step;
  if (kind === step.kind && "keyId" in again.decision.step && again.decision.step.keyId === step.keyId) {
    return { kind: "same", fresh: again.observation };
  }
  const because = `on a second look: ${again.decision.because}`;
  return { kind: "moved", outcome: { kind: "withdrawn", step, because } };
}
