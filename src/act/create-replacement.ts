import { newKeyRecord } from "../observe/remember.ts";
import { RotationError, must } from "../rotation/errors.ts";
import type { CreatedKey } from "../rotation/world.ts";
import type { Custody, CustodyVersion } from "../rotation/observation.ts";
import type { Delivery, Intent } from "../rotation/record.ts";
import type { Instant } from "../rotation/time.ts";
import { type Acting, DONE, type Done, doneWith, lineOf, type Refusal, type StepOf } from "./acting.ts";

/**
 * Makes the replacement. What could not be stored or delivered is not begun: every destination's pre-flight comes first,
 * custody's last and by a real write. From CreateAccessKey to PutSecretValue nothing else happens: whoever dies in
 * between leaves a key that rule 5 recognises by the intent.
 */
export async function createReplacement(acting: Acting, step: StepOf<"create-replacement">): Promise<Done | Refusal> {
  const { world, subject, profile, observation, ledger } = acting;
  must(subject.iamUser !== null && observation.keys.length < 2, `${subject.user} exists and has room for a key`);
  for (const destination of world.destinations.of(profile.name)) {
    const answer = await destination.preflight();
    if (answer.kind === "ready") continue;
    return { kind: "blocked", destination: destination.name, because: answer.because };
  }

  const at = world.clock.now();
  const intent: Intent = { at, before: observation.keys.map(({ id }) => id), created: null };
  const presumed = presumedHolders(acting, step, at);
  await ledger.save(
    (record) => ({ ...record, intent, deliveries: [...record.deliveries, ...presumed] }),
    lineOf(acting, "creating", { keyId: null }),
  );
  const marker = await writeIntent(acting, intent);
  const key = await create(acting);
  const pending = await store(acting, key);
  ledger.stage((record) => ({ ...record, keys: { ...record.keys, [key.id]: newKeyRecord(world.clock.now()) } }));
  return created(acting, key, { marker, pending });
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

async function writeIntent(acting: Acting, { at, before }: Intent): Promise<CustodyVersion | null> {
  const { world, profile, observation, subject } = acting;
  const owner = { account: subject.account, userId: subject.iamUser?.id ?? "" };
  const place = { owner, replicaRegions: profile.replicaRegions, isAbsent: observation.custody.kind === "absent" };
  return clearing(acting, world.custody.writeIntent(subject.user, { at, before }, place), () => true);
}

/** A refusal that we heard made no key: its intent must not cast suspicion on somebody else's. */
function create(acting: Acting): Promise<CreatedKey> {
  const isHeard = (error: unknown): boolean => error instanceof RotationError && !error.outcomeUnknown;
  return clearing(acting, acting.world.accessKeys.create(acting.subject.user), isHeard);
}

async function clearing<T>({ ledger }: Acting, call: Promise<T>, isVoid: (error: unknown) => boolean): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (isVoid(error)) await ledger.save((record) => ({ ...record, intent: null }));
    throw error;
  }
}

async function store({ world, subject, ledger }: Acting, key: CreatedKey): Promise<CustodyVersion> {
  ledger.stage((record) => ({ ...record, intent: record.intent && { ...record.intent, created: key.id } }));
  try {
    return await world.custody.storePending(subject.user, key);
  } catch (error) {
    // The secret is lost with this process. The answer on record is what lets rule 5 remove the key.
    await ledger.save((record) => record);
    throw error;
  }
}

/** What is known of the world by the answers to our own calls; replicas have to be asked, and a marker that was not ours, too. */
function created(
  acting: Acting,
  key: CreatedKey,
  { marker, pending }: { readonly marker: CustodyVersion | null; readonly pending: CustodyVersion },
): Done {
  const { observation, profile, ledger } = acting;
  const { id, createdAt } = key;
  const keys = [...observation.keys, { id, createdAt, status: "active" as const }];
  const before = custodyBefore(acting, marker);
  const made = { ...acting, made: key };
  if (before === null || profile.replicaRegions.length > 0) return { ...DONE, made: key };
  return doneWith(made, { keys, custody: { ...before, pending, intent: ledger.record().intent } });
}

function custodyBefore({ observation, subject }: Acting, marker: CustodyVersion | null): PresentCustody | null {
  if (observation.custody.kind === "present") return observation.custody;
  if (marker === null) return null;
  const owner = { account: subject.account, userId: subject.iamUser?.id ?? "" };
  const nothing = { pending: null, previous: null, intent: null, replicasBehind: [], isHalfPromoted: false };
  return { kind: "present", owner, current: marker, ...nothing };
}

type PresentCustody = Extract<Custody, { readonly kind: "present" }>;
