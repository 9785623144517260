import { lastDeliveryTo } from "../decide/deliveries.ts";
import { must } from "../rotation/errors.ts";
import type { BackOff, Delivery, Receipt, UserRecord } from "../rotation/record.ts";
import type { AccessKeyId } from "../rotation/keys.ts";
import { hours, type Instant, minutes, plus } from "../rotation/time.ts";
import type { Replaced } from "../rotation/world.ts";
import {
  type Acting,
  deadKeys,
  type Done,
  doneWith,
  lineOf,
  mustAnswer,
  pairOf,
  type Refusal,
  type StepOf,
} from "./acting.ts";

const BACK_OFF_FIRST_MS = minutes(50);
const BACK_OFF_MAX_MS = hours(6);

/**
 * Hands one pair to one destination. Only a key that IAM lists as Active and that answered in this sweep goes out. The
 * attempt is on record before the call: a destination that may hold a key is never forgotten.
 */
export async function deliver(acting: Acting, step: StepOf<"deliver">): Promise<Done | Refusal> {
  const { world, profile, ledger } = acting;
  const { keyId, destination: name } = step;
  mustAnswer(acting, keyId);
  const destination = world.destinations.of(profile.name).find((found) => found.name === name);
  must(destination !== undefined && !destination.readsCustody, `${name} is filled by a delivery`);
  const ready = await destination.preflight(keyId, deadKeys(acting.observation));
  if (ready.kind === "blocked") {
    // With a back-off the destinations after this one get their turn.
    await ledger.save((record) => withBackOff(record, name, world.clock.now()));
    return { kind: "blocked", destination: name, because: ready.because };
  }
  const credential = await pairOf(acting, keyId);
  const before = lastDeliveryTo(acting.observation, name)?.attemptedAt;
  const now = world.clock.now();
  // The clock of the run before may have been ahead: the later of two deliveries stays the last.
  const attemptedAt = before !== undefined && before >= now ? plus(before, 1) : now;
  const attempt = { destination: name, slots: destination.slots, keyId, attemptedAt };
  await ledger.save((record) => withAttempt(record, attempt, { ...step, anchor: ready.anchor }));
  const replaced = replacedBy(acting, keyId);
  const receipt = await destination.deliver(credential, ready.anchor, replaced).catch(async (error: unknown) => {
    await ledger.save((record) => withBackOff(record, name, world.clock.now()));
    throw error;
  });
  const what = receipt.awaits === undefined ? "delivered to" : "stored, and not live yet, at";
  const line = lineOf(acting, `${what} ${name}`, { keyId });
  await ledger.save((record) => withReceipt(record, attempt, { ...step, receipt, now: line.at }), line);
  // What was live here before says nothing any more.
  const evidence = acting.observation.evidence.filter(
    ({ answer }) => !("destination" in answer && answer.destination === name),
  );
  return doneWith(acting, { evidence });
}

/** The current pair, while another is to take its place. A pair made by hand is not in custody. */
function replacedBy({ world, subject, observation, decision }: Acting, keyId: AccessKeyId): Replaced | undefined {
  // An exposed pair is not put back.
  if (decision.reason === "KeyExposed") return undefined;
  if (observation.custody.kind !== "present" || observation.custody.pending?.keyId !== keyId) return undefined;
  const old = observation.custody.current?.keyId ?? null;
  return async () => (old === null ? null : world.custody.credential(subject.user, old));
}

type Attempt = Pick<Delivery, "destination" | "slots" | "keyId" | "attemptedAt">;

/**
 * A pair that is confirmed stays delivered while it is; any other is delivered only once that is heard. Where another was
 * handed over since, what was heard of this one's earlier time says nothing of now.
 */
function withAttempt(
  record: UserRecord,
  attempt: Attempt,
  { isConfirming, anchor }: { readonly isConfirming: boolean; readonly anchor: string | null },
): UserRecord {
  const isLast = lastDeliveryTo({ record }, attempt.destination)?.keyId === attempt.keyId;
  return withDelivery(record, attempt, (earlier) => {
    const known = isLast ? earlier : undefined;
    return {
      ...attempt,
      deliveredAt: isConfirming ? (known?.deliveredAt ?? null) : null,
      confirmedAt: known?.confirmedAt ?? null,
      receipt: known?.receipt ?? { version: null, anchor },
    };
  });
}

/**
 * A confirming delivery finds the pair live already: the version to tell the old pair by is the first delivery's. A pair
 * that is only stored is delivered, or confirmed, when it is seen live.
 */
function withReceipt(
  record: UserRecord,
  attempt: Attempt,
  { isConfirming, receipt, now }: { readonly isConfirming: boolean; readonly receipt: Receipt; readonly now: Instant },
): UserRecord {
  const liveAt = receipt.awaits === undefined ? now : null;
  const delivered = withDelivery(record, attempt, (known) => ({
    ...attempt,
    deliveredAt: isConfirming ? (known?.deliveredAt ?? liveAt) : liveAt,
    confirmedAt: (isConfirming ? liveAt : null) ?? known?.confirmedAt ?? null,
    receipt: isConfirming ? { ...receipt, anchor: known?.receipt?.anchor ?? receipt.anchor } : receipt,
  }));
  return { ...delivered, backOffs: backOffsBut(record, attempt.destination) };
}

function withDelivery(
  record: UserRecord,
  { destination, keyId }: Attempt,
  change: (known: Delivery | undefined) => Delivery,
): UserRecord {
  const isThis = (entry: Delivery): boolean => entry.destination === destination && entry.keyId === keyId;
  const others = record.deliveries.filter((entry) => !isThis(entry));
  return { ...record, deliveries: [...others, change(record.deliveries.find((entry) => isThis(entry)))] };
}

const backOffsBut = ({ backOffs }: UserRecord, name: string): readonly BackOff[] =>
  backOffs.filter(({ destination }) => destination !== name);

function withBackOff(record: UserRecord, destination: string, now: Instant): UserRecord {
  const failures = (record.backOffs.find((entry) => entry.destination === destination)?.failures ?? 0) + 1;
  const waitMs = Math.min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * 2 ** (failures - 1));
  return {
    ...record,
    backOffs: [...backOffsBut(record, destination), { destination, failures, until: plus(now, waitMs) }],
  };
}
