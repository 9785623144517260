import { readsCustody, uncut } from "../decide/exposure.ts";
import { partsOf } from "../decide/parts.ts";
import type { CustodyNotes } from "../rotation/exposure.ts";
import { newKeyRecord } from "../observe/remember.ts";
import { RotationError, must } from "../rotation/errors.ts";
import type { CreatedKey } from "../rotation/world.ts";
import type { Custody, CustodyVersion, Observation } from "../rotation/observation.ts";
import type { Delivery, Intent, UserRecord } from "../rotation/record.ts";
import { LAST_USED_COLLAPSE_MS } from "../rotation/policy.ts";
import { type Instant, plus } from "../rotation/time.ts";
import { takeAway } from "./deactivate.ts";
import { guardCustody } from "./guard-custody.ts";
import {
  type Acting,
  deadKeys,
  DONE,
  type Done,
  doneWith,
  lineOf,
  type Refusal,
  type StepOf,
  withKey,
} from "./acting.ts";

/**
 * Makes the replacement. What could not be stored or delivered is not begun: every destination's pre-flight comes first,
 * custody's last and by a real write. From CreateAccessKey to PutSecretValue nothing else happens: whoever dies in
 * between leaves a key that rule 5 recognises by the intent. For an exposed key only custody's pre-flight counts.
 */
export async function createReplacement(acting: Acting, step: StepOf<"create-replacement">): Promise<Done | Refusal> {
  const { world, subject, profile, observation, ledger, decision } = acting;
  const isUrgent = decision.reason === "KeyExposed";
  must(subject.iamUser !== null && observation.keys.length < 2, `${subject.user} exists and has room for a key`);
  for (const destination of isUrgent ? [] : world.destinations.of(profile.name)) {
    const answer = await destination.preflight(null, deadKeys(observation));
    if (answer.kind === "ready") continue;
    return { kind: "blocked", destination: destination.name, because: answer.because };
  }

  const at = world.clock.now();
  const intent: Intent = { at, before: observation.keys.map(({ id }) => id), created: null };
  const presumed = presumedHolders(acting, step, at);
  await ledger.save(
    (record) => ({ ...withStrangers(record, observation), intent, deliveries: [...record.deliveries, ...presumed] }),
    lineOf(acting, "creating", { keyId: null }),
  );
  const marker = await writeIntent(acting, intent);
  const notes = await clearing(acting, guardCustody(acting), () => true);
  if (isUrgent) await cutReaders(acting, at);
  const key = await create(acting);
  const pending = await store(acting, key);
  ledger.stage((record) => ({ ...record, keys: { ...record.keys, [key.id]: newKeyRecord(world.clock.now()) } }));
  return isUrgent ? { ...DONE, made: key } : created(acting, key, { marker, pending, notes });
}

/** Somebody's key stays somebody's, although the replacement that is current next is younger than it. */
function withStrangers(record: UserRecord, observation: Observation): UserRecord {
  const { strangers } = partsOf(observation);
  return strangers.reduce((marked, { id }) => withKey(marked, id, { isStranger: true }), record);
}

/** Where the user reads custody, who has its exposed key would find the replacement there. */
async function cutReaders(acting: Acting, now: Instant): Promise<void> {
  const { observation, profile } = acting;
  if (!readsCustody({ observation, profile, now })) return;
  for (const { keyId, by } of uncut(observation)) {
    const cut = { keyId, quietSince: plus(now, LAST_USED_COLLAPSE_MS), isWaived: false, exposedBy: by };
    await takeAway(acting, cut, lineOf(acting, "deactivating", { keyId }));
  }
}

/**
 * A hand-made key went out without us. On record, a destination that is taken out of the profile is not forgotten. Where
 * another key was delivered and confirmed, that one is there, whatever custody's label was moved to, but for an adoption.
 */
function presumedHolders(
  { world, profile, ledger }: Acting,
  { replaces }: StepOf<"create-replacement">,
  now: Instant,
): readonly Delivery[] {
  if (replaces === null) return [];
  const { deliveries, keys } = ledger.record();
  const isAdopted = keys[replaces]?.takenOverAt !== undefined;
  const known = deliveries.filter((it) => it.keyId === replaces || (it.deliveredAt !== null && !isAdopted));
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
function created(acting: Acting, key: CreatedKey, { marker, pending, notes }: Stored): Done {
  const { observation, profile, ledger } = acting;
  const { id, createdAt } = key;
  const keys = [...observation.keys, { id, createdAt, status: "active" as const }];
  const before = custodyBefore(acting, marker);
  const made = { ...acting, made: key };
  if (before === null || profile.replicaRegions.length > 0) return { ...DONE, made: key };
  return doneWith(made, { keys, custody: { ...before, pending, notes, intent: ledger.record().intent }, notes });
}

interface Stored {
  readonly marker: CustodyVersion | null;
  readonly pending: CustodyVersion;
  readonly notes: CustodyNotes;
}

function custodyBefore({ observation, subject }: Acting, marker: CustodyVersion | null): PresentCustody | null {
  if (observation.custody.kind === "present") return observation.custody;
  if (marker === null) return null;
  const owner = { account: subject.account, userId: subject.iamUser?.id ?? "" };
  const nothing = { pending: null, previous: null, intent: null, replicasBehind: [], isHalfPromoted: false };
  const { notes } = observation;
  return { kind: "present", owner, current: marker, notes, ...nothing };
}

type PresentCustody = Extract<Custody, { readonly kind: "present" }>;
