import type { Outcome } from "../rotation/decision.ts";
import { RotationError, must } from "../rotation/errors.ts";
import type { Observation } from "../rotation/observation.ts";
import type { Acting, StepOf } from "./acting.ts";
import { begin, history, withKey } from "./acting.ts";
import { recheck } from "./recheck.ts";

/**
 * Takes the old key out of use. Decided twice, and on record with its evidence before the call: a deactivation whose
 * answer is lost must not look like somebody else's hand.
 */
export async function deactivate(acting: Acting, step: StepOf<"deactivate">): Promise<Outcome> {
  const { world, subject, ledger } = acting;
  const moved = await begin(acting);
  if (moved !== null) return { kind: "withdrawn", step, because: moved };
  const second = await recheck(acting, step);
  if (second.kind === "moved") return second.outcome;
  const { fresh } = second;
  assertReplaced(fresh, step);

  await history({ ...acting, observation: fresh }, "deactivating", step.keyId);
  const at = world.clock.now();
  const { quietSince, isWaived } = step;
  await ledger.save(() =>
    withKey(fresh.record, step.keyId, (known) => ({
      ...known,
      deactivation: { at, answeredAt: null, quietSince, isWaived },
    })),
  );
  await world.accessKeys.setStatus(subject.user, step.keyId, "inactive").catch(async (error: unknown) => {
    const isRefused = error instanceof RotationError && !error.outcomeUnknown;
    if (isRefused)
      await ledger.save((record) => withKey(record, step.keyId, (known) => ({ ...known, deactivation: null })));
    throw error;
  });
  const answeredAt = world.clock.now();
  await ledger.save((record) =>
    withKey(record, step.keyId, (known) => ({
      ...known,
      inactiveSince: answeredAt,
      deactivation: { at, answeredAt, quietSince, isWaived },
    })),
  );
  return { kind: "done", step };
}

/** What must be true of the world, whatever was decided: somebody else is in the key's place. */
function assertReplaced({ keys, custody }: Observation, step: StepOf<"deactivate">): void {
  const isCurrent = custody.kind === "present" && custody.current?.keyId === step.keyId;
  const isPending = custody.kind === "present" && custody.pending?.keyId === step.keyId;
  must(!isCurrent && !isPending, `${step.keyId} is neither current nor pending`);
  const isOtherActive = keys.some(({ id, status }) => id !== step.keyId && status === "active");
  must(isOtherActive, `another key than ${step.keyId} is active`);
}
