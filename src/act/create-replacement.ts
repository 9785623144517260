import { RotationError, must } from "../rotation/errors.ts";
import type { AccessKeyId } from "../rotation/keys.ts";
import type { Delivery } from "../rotation/record.ts";
import type { Instant } from "../rotation/time.ts";
import { type Acting, history, type Refusal, type StepOf } from "./acting.ts";

/**
 * Makes the replacement. What could not be stored or delivered is not begun: every destination's pre-flight comes first,
 * custody's last and by a real write. From CreateAccessKey to PutSecretValue nothing else happens: whoever dies in
 * between leaves a key that rule 5 recognises by the intent.
 */
export async function createReplacement(acting: Acting, step: StepOf<"create-replacement">): Promise<Refusal | null> {
  const { world, subject, profile, observation, ledger } = acting;
  const { user, account, iamUser } = subject;
  must(iamUser !== null && observation.keys.length < 2, `${user} exists and has room for a key`);
  for (const destination of world.destinations.of(profile.name)) {
    const answer = await destination.preflight();
    if (answer.kind === "ready") continue;
    return { kind: "blocked", destination: destination.name, because: answer.because };
  }

  await world.custody.ensure(user, { account, userId: iamUser.id }, profile.replicaRegions);
  const before = observation.keys.map(({ id }) => id);
  await world.custody.writeIntent(user, { at: world.clock.now(), before });
  const now = world.clock.now();
  await ledger.save((record) => ({
    ...record,
    intent: { at: now, before, created: null },
    deliveries: [...record.deliveries, ...presumedHolders(acting, step, now)],
  }));

  await history(acting, "created", await createAndStore(acting));
  return null;
}

/** A hand-made key went out without us. On record, a destination that is taken out of the profile is not forgotten. */
function presumedHolders(
  { world, profile, ledger }: Acting,
  { replaces }: StepOf<"create-replacement">,
  now: Instant,
): readonly Delivery[] {
  if (replaces === null) return [];
  const known = ledger.record().deliveries.filter(({ keyId }) => keyId === replaces);
  return world.destinations
    .of(profile.name)
    .filter(({ name, readsCustody }) => !readsCustody && !known.some((entry) => entry.destination === name))
    .map(({ name, slots }) => {
      const unknown = { deliveredAt: null, confirmedAt: null, receipt: null };
      return { destination: name, slots, keyId: replaces, attemptedAt: now, ...unknown };
    });
}

async function createAndStore({ world, subject, ledger }: Acting): Promise<AccessKeyId> {
  const credential = await world.accessKeys.create(subject.user).catch(async (error: unknown) => {
    // A refusal that we heard made no key: its intent must not cast suspicion on somebody else's.
    const isUnknown = !(error instanceof RotationError) || error.outcomeUnknown;
    if (!isUnknown) await ledger.save((record) => ({ ...record, intent: null }));
    throw error;
  });
  const answered = (): Promise<void> =>
    ledger.save((record) => ({ ...record, intent: record.intent && { ...record.intent, created: credential.id } }));
  try {
    await world.custody.storePending(subject.user, credential);
  } catch (error) {
    // The secret is lost with this process. The answer on record is what lets rule 5 remove the key.
    await answered();
    throw error;
  }
  await answered();
  return credential.id;
}
