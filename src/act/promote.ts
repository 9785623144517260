import { must } from "../rotation/errors.ts";
import { latest, seconds } from "../rotation/time.ts";
import { type Acting, DONE, type Done, doneWith, lineOf, mustAnswer, type StepOf, withKey } from "./acting.ts";

/** IAM takes some seconds to refuse a key that was deactivated: 3 to 4, as others measured. */
const CUT_SETTLES_MS = seconds(15);

/** Makes the pending key current, for all that read custody. The rotation's intent and its orphans are over with it. */
export async function promote(acting: Acting, { keyId }: StepOf<"promote">): Promise<Done> {
  const { world, subject, profile, observation, ledger } = acting;
  const { custody } = observation;
  mustAnswer(acting, keyId);
  must(custody.kind === "present" && custody.pending?.keyId === keyId, `${keyId} is pending`);
  const { current, pending } = custody;
  await untilCut(acting);
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

/** A key that was cut works on for some seconds, and must not read what becomes current now. */
async function untilCut({ world, observation: { notes }, ledger }: Acting): Promise<void> {
  const cutAt = latest(
    ...notes.exposures.map(({ keyId }) => ledger.record().keys[keyId]?.deactivation?.answeredAt ?? null),
  );
  const leftMs = cutAt === null ? 0 : cutAt + CUT_SETTLES_MS - world.clock.now();
  if (leftMs > 0) await world.clock.sleep(leftMs);
}

/** Takes AWSPENDING off a replacement that somebody deleted or disabled, so that the rotation starts again, or that is exposed, or off one that is current. */
export async function withdrawPending(acting: Acting, { keyId }: StepOf<"withdraw-pending">): Promise<Done> {
  const { world, subject, observation, ledger } = acting;
  const { keys, custody, notes } = observation;
  const isCurrent = custody.kind === "present" && custody.current?.keyId === keyId;
  const isExposed = notes.exposures.some((exposure) => exposure.keyId === keyId);
  const isActive = keys.some(({ id, status }) => id === keyId && status === "active");
  must(isCurrent || isExposed || !isActive, `${keyId} is current or exposed, or IAM does not list it as Active`);
  await world.custody.withdrawPending(subject.user, keyId);
  const line = lineOf(acting, isCurrent ? "promoted" : "withdrawn", { keyId });
  ledger.stage((record) => ({ ...record, intent: null }), line);
  return DONE;
}
