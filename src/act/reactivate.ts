import type { Outcome } from "../rotation/decision.ts";
import type { Acting, StepOf } from "./acting.ts";
import { begin, history, withKey } from "./acting.ts";

/** Gives back a key that we took and that was needed after all. Once a rotation; from then on it waits for a release. */
export async function reactivate(acting: Acting, step: StepOf<"reactivate">): Promise<Outcome> {
  const { world, subject, ledger } = acting;
  const moved = await begin(acting);
  if (moved !== null) return { kind: "withdrawn", step, because: moved };
  await world.accessKeys.setStatus(subject.user, step.keyId, "active");
  const reactivatedAt = world.clock.now();
  await ledger.save((record) =>
    withKey(record, step.keyId, (known) => ({
      ...known,
      reactivatedAt,
      isReactivatedByUs: true,
      inactiveSince: null,
      deactivation: null,
    })),
  );
  await history(acting, "reactivated", step.keyId);
  return { kind: "done", step };
}
