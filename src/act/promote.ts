import { must } from "../rotation/errors.ts";
import { type Acting, history, mustAnswer, type StepOf, withKey } from "./acting.ts";

/** Makes the pending key current, for all that read custody. The rotation's intent and its orphans are over with it. */
export async function promote(acting: Acting, { keyId }: StepOf<"promote">): Promise<null> {
  const { world, subject, ledger } = acting;
  mustAnswer(acting, keyId);
  await world.custody.promote(subject.user, keyId);
  const promotedAt = world.clock.now();
  await ledger.save((record) => ({
    ...withKey(record, keyId, { promotedAt }),
    intent: null,
    orphans: { ...record.orphans, count: 0 },
  }));
  await history(acting, "promoted", keyId);
  return null;
}

/** A replacement that somebody deleted loses its label; the rotation starts again. */
export async function withdrawPending(acting: Acting, { keyId }: StepOf<"withdraw-pending">): Promise<null> {
  const { world, subject, observation, ledger } = acting;
  must(!observation.keys.some(({ id }) => id === keyId), `IAM no longer lists ${keyId}`);
  await world.custody.withdrawPending(subject.user, keyId);
  await ledger.save((record) => ({ ...record, intent: null }));
  await history(acting, "withdrawn", keyId);
  return null;
}
