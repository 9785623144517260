import type { Outcome } from "../rotation/decision.ts";
import { must } from "../rotation/errors.ts";
import type { Delivery, Receipt, UserRecord } from "../rotation/record.ts";
import { hours, minutes, plus } from "../rotation/time.ts";
import type { Destination } from "../rotation/world.ts";
import type { Acting, StepOf } from "./acting.ts";
import { begin, history } from "./acting.ts";

const BACK_OFF_FIRST_MS = minutes(50);
const BACK_OFF_MAX_MS = hours(6);

/**
 * Hands one pair to one destination. Only a key that IAM lists as Active and that answered in this sweep goes out. The
 * attempt is on record before the call: a destination that may hold a key is never forgotten.
 */
export async function deliver(acting: Acting, step: StepOf<"deliver">): Promise<Outcome> {
  const { world, subject, profile, observation } = acting;
  const key = observation.keys.find(({ id }) => id === step.keyId);
  must(key?.status === "active", `${step.keyId} is listed as Active`);
  must(observation.proved.includes(step.keyId), `${step.keyId} answered in this sweep`);
  const destination = world.destinations.of(profile.name).find(({ name }) => name === step.destination);
  must(destination !== undefined && !destination.readsCustody, `${step.destination} is filled by a delivery`);

  const moved = await begin(acting);
  if (moved !== null) return { kind: "withdrawn", step, because: moved };
  const ready = await destination.preflight();
  if (ready.kind === "blocked") {
    // With a back-off the destinations after this one get their turn.
    await acting.ledger.save((record) => withBackOff(record, step.destination, world.clock.now()));
    return { kind: "blocked", step, destination: destination.name, because: ready.because };
  }
  const credential = await world.custody.credential(subject.user, step.keyId);
  must(credential.id === step.keyId, `custody hands out the pair of ${step.keyId}`);
  await set(acting, step, { destination, anchor: ready.anchor, credential });
  await history(acting, `delivered to ${step.destination}`, step.keyId);
  return { kind: "done", step };
}

async function set(
  { world, ledger }: Acting,
  step: StepOf<"deliver">,
  at: {
    readonly destination: Destination;
    readonly anchor: string | null;
    readonly credential: Parameters<Destination["deliver"]>[0];
  },
): Promise<void> {
  const attemptedAt = world.clock.now();
  await ledger.save((record) =>
    withDelivery(record, step, (known) => ({
      destination: step.destination,
      slots: at.destination.slots,
      keyId: step.keyId,
      attemptedAt,
      deliveredAt: step.isConfirming ? (known?.deliveredAt ?? null) : null,
      confirmedAt: known?.confirmedAt ?? null,
      receipt: known?.receipt ?? { version: null, anchor: at.anchor },
    })),
  );
  try {
    const receipt = await at.destination.deliver(at.credential, at.anchor);
    const now = world.clock.now();
    await ledger.save((record) =>
      withoutBackOff(
        withDelivery(record, step, (known) => ({
          destination: step.destination,
          slots: at.destination.slots,
          keyId: step.keyId,
          attemptedAt,
          deliveredAt: step.isConfirming ? (known?.deliveredAt ?? now) : now,
          confirmedAt: step.isConfirming ? now : (known?.confirmedAt ?? null),
          receipt: step.isConfirming ? confirmed(receipt, known) : receipt,
        })),
        step.destination,
      ),
    );
  } catch (error) {
    await ledger.save((record) => withBackOff(record, step.destination, world.clock.now()));
    throw error;
  }
}

/** A confirming delivery finds the pair live already: the version to tell the old pair by is the first delivery's. */
const confirmed = (receipt: Receipt, known: Delivery | undefined): Receipt => ({
  ...receipt,
  anchor: known?.receipt?.anchor ?? receipt.anchor,
});

function withDelivery(
  record: UserRecord,
  { destination, keyId }: StepOf<"deliver">,
  change: (known: Delivery | undefined) => Delivery,
): UserRecord {
  const isThis = (entry: Delivery): boolean => entry.destination === destination && entry.keyId === keyId;
  const others = record.deliveries.filter((entry) => !isThis(entry));
  return {
    ...record,
    deliveries: [...others, change(record.deliveries.find((entry) => isThis(entry)))],
  };
}

function withoutBackOff(record: UserRecord, destination: string): UserRecord {
  return {
    ...record,
    backOffs: record.backOffs.filter((entry) => entry.destination !== destination),
  };
}

function withBackOff(record: UserRecord, destination: string, now: UserRecord["since"]): UserRecord {
  const failures = (record.backOffs.find((entry) => entry.destination === destination)?.failures ?? 0) + 1;
  const waitMs = Math.min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * 2 ** (failures - 1));
  const entry = { destination, failures, until: plus(now, waitMs) };
  return { ...record, backOffs: [...withoutBackOff(record, destination).backOffs, entry] };
}
