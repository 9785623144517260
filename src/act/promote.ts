import { must } from "../rotation/errors.ts";
import { type Acting, DONE, type Done, doneWith, lineOf, mustAnswer, type StepOf, withKey } from "./acting.ts";

/** Makes the pending key current, for all that read custody. The rotation's intent and its orphans are over with it. */
export async function promote(acting: Acting, { keyId }: StepOf<"promote">): Promise<Done> {
  const { world, subject, profile, observation, ledger } = acting;
  const { custody } = observation;
  mustAnswer(acting, keyId);
  must(custody.kind === "present" && custody.pending?.keyId === keyId, `${keyId} is pending`);
  const { current, pending } = custody;
  await world.custody.promote(subject.user, pending, current);
  const promotedAt = world.clock.now();
  const change = { intent: null, orphans: { ...ledger.record().orphans, count: 0 } };
  ledger.stage(
    (record) => ({ ...withKey(record, keyId, { promotedAt }), ...change }),
    lineOf(acting, "promoted", { keyId }),
  );
  // Each replica has to be asked whether it shows the new version.
  if (profile.replicaRegions.length > 0) return DONE;
  return doneWith(acting, { custody: { ...custody, current: pending, pending: null, previous: current } });
}

/** Takes AWSPENDING off a replacement that somebody deleted, so that the rotation starts again, or off one that is current. */
export async function withdrawPending(acting: Acting, { keyId }: StepOf<"withdraw-pending">): Promise<Done> {
  const { world, subject, observation, ledger } = acting;
  const { keys, custody } = observation;
  const isCurrent = custody.kind === "present" && custody.current?.keyId === keyId;
  must(isCurrent || !keys.some(({ id }) => id === keyId), `${keyId} is current, or IAM no longer lists it`);
  await world.custody.withdrawPending(subject.user, keyId);
  const line = lineOf(acting, isCurrent ? "promoted" : "withdrawn", { keyId });
  ledger.stage((record) => ({ ...record, intent: null }), line);
  return DONE;
}
