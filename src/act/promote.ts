import type { Outcome } from "../rotation/decision.ts";
import { must } from "../rotation/errors.ts";
import type { Acting, StepOf } from "./acting.ts";
import { begin, history, withKey } from "./acting.ts";

/** Makes the pending key current, for all that read custody. The rotation's intent and its orphans are over with it. */
export async function promote(acting: Acting, step: StepOf<"promote">): Promise<Outcome> {
  const { world, subject, observation, ledger } = acting;
  const key = observation.keys.find(({ id }) => id === step.keyId);
  must(key?.status === "active", `${step.keyId} is listed as Active`);
  must(observation.proved.includes(step.keyId), `${step.keyId} answered in this sweep`);
  const moved = await begin(acting);
  if (moved !== null) return { kind: "withdrawn", step, because: moved };

  await world.custody.promote(subject.user, step.keyId);
  const now = world.clock.now();
  await ledger.save((record) => ({
    ...withKey(record, step.keyId, (known) => ({ ...known, promotedAt: now })),
    intent: null,
    orphans: { ...record.orphans, count: 0 },
  }));
  await history(acting, "promoted", step.keyId);
  return { kind: "done", step };
}

/** A replacement that somebody deleted loses its label; the rotation starts again. */
export async function withdrawPending(acting: Acting, step: StepOf<"withdraw-pending">): Promise<Outcome> {
  const { world, subject, observation, ledger } = acting;
  must(!observation.keys.some(({ id }) => id === step.keyId), `IAM no longer lists ${step.keyId}`);
  const moved = await begin(acting);
  if (moved !== null) return { kind: "withdrawn", step, because: moved };
  await world.custody.withdrawPending(subject.user, step.keyId);
  await ledger.save((record) => ({ ...record, intent: null }));
  await history(acting, "withdrawn", step.keyId);
  return { kind: "done", step };
}
