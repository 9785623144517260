import { asRotationError, must } from "../rotation/errors.ts";
import { type CustodyNotes, type Exposure, NO_NOTES } from "../rotation/exposure.ts";
import type { AccessKey, AccessKeyId, IamUser, UserName } from "../rotation/keys.ts";
import type {
  Answer,
  BlindSpot,
  Custody,
  DestinationFacts,
  Evidence,
  Health,
  Observation,
  Question,
  Standing,
} from "../rotation/observation.ts";
import type { Profile } from "../rotation/policy.ts";
import type { KeyRecord, UserRecord } from "../rotation/record.ts";
import type { Instant } from "../rotation/time.ts";
import type { ReportedKey, Revision, World } from "../rotation/world.ts";
import { freshRecord, remember, rememberEvidence, type Seen } from "./remember.ts";

/** One user to look at, with what the sweep knows of it. */
export interface Subject {
  readonly user: UserName;
  readonly account: string;
  /** As the listing showed it; null when only its custody secret is left. */
  readonly iamUser: IamUser | null;
  readonly standing: Standing;
  readonly profile: Profile | null;
  readonly destinations: readonly DestinationFacts[];
  /** What this run was told of leaked keys, whether it could be written down or not. */
  readonly exposures?: readonly Exposure[];
  /** When the listing was read. */
  readonly listedAt: Instant;
  /** Its keys in the credential report; null where there is no report, or nothing of this user in it. */
  readonly reported: readonly ReportedKey[] | null;
  /** The journal as the sweep read it; null where this user's has to be read. */
  readonly revision: Revision | null;
}

/** What one look gave, and the journal's revision it rests on. */
export interface Sight {
  readonly observation: Observation;
  readonly revision: Revision;
}

type Reads = Pick<World, "accessKeys" | "custody" | "journal" | "clock">;
type Asks = Pick<World, "evidence" | "destinations" | "clock">;

/** A key, and when it was made. */
export type Made = Pick<AccessKey, "id" | "createdAt">;

/** What this run knows already when it looks. */
export interface Known {
  readonly proved: Observation["proved"];
  /** The journal as this run knows it; null: to be read. Who knows it wrongly learns that by its next write. */
  readonly revision: Revision | null;
  /** Whether a second key has custody's pairs read back, and not just told by their version ids. */
  readonly isThorough: boolean;
  readonly stalled?: Observation["stalled"];
  /** A key that this run has made, or that answered it: it is there, although IAM's listing may not show it for minutes. */
  readonly there?: Made | null;
  readonly dead?: Observation["dead"];
}

/** Reads the world into one immutable Observation. What could not be read is a named blind spot. Never throws for that. */
export async function observe(world: Reads, subject: Subject, { proved, ...known }: Known): Promise<Sight> {
  const { user, account, iamUser, standing, profile, destinations } = subject;
  const blindSpots: BlindSpot[] = [];
  const [listed, found] = await Promise.all([
    iamUser === null ? [] : seeing("keys", () => world.accessKeys.list(user), blindSpots),
    known.revision ?? seeing("journal", () => world.journal.read(user), blindSpots),
  ]);
  const keys = withThere(listed, known.there ?? null);
  // A key that the record does not know may have been made by another run since the sweep read the records.
  const isBehind = keys?.some(({ id }) => found?.record?.keys[id] === undefined) ?? false;
  const isRead = known.revision === null || known.revision !== subject.revision || !isBehind;
  const revision = isRead ? found : await seeing("journal", () => world.journal.read(user), blindSpots);
  // With one key nothing is about to be taken away, and the versions' ids tell enough.
  const isReadBack = keys === null || (known.isThorough && keys.length > 1);
  const recognise = isReadBack ? undefined : keys.map(({ id }) => id);
  const custody = await seeing("custody", () => world.custody.read(user, recognise), blindSpots);
  const seen = await notesOf(world, subject, custody);
  const now = world.clock.now();
  const recorded = revision?.record ?? freshRecord({ user, account, userId: iamUser?.id ?? "" }, now);
  const notes = withCuts(seen, recorded);
  const { stalled = [], dead = [] } = known;
  const told = { user, account, iamUser, standing, destinations, proved, blindSpots, notes, stalled, dead };
  const observation: Observation = {
    ...told,
    evidence: [],
    record: recorded,
    observedAt: now,
    keys: keys ?? [],
    custody: custody ?? { kind: "unreadable" },
  };
  // With the keys unreadable nothing is learnt of them: an empty list would say that they are gone.
  const record = keys === null ? recorded : withExposures(remember(recorded, seenBy(observation, profile)), notes);
  const learnt = { ...observation, record };
  return { observation: learnt, revision: revision ?? { record: null, number: 0, lease: null } };
}

function withThere(listed: readonly AccessKey[] | null, there: Made | null): readonly AccessKey[] | null {
  if (listed === null || there === null || listed.some(({ id }) => id === there.id)) return listed;
  return [...listed, { id: there.id, createdAt: there.createdAt, status: "active" }];
}

/** Custody's tags can be read where its pairs cannot; of what can be read nowhere the run knows what it was told. */
async function notesOf(world: Reads, subject: Subject, custody: Custody | null): Promise<CustodyNotes> {
  const absent = custody?.kind === "absent" ? NO_NOTES : null;
  const read = custody?.kind === "present" ? custody.notes : null;
  const notes =
    read ?? absent ?? (await world.custody.notes(subject.user).catch(() => ({ ...NO_NOTES, isUnread: true as const })));
  const told = (subject.exposures ?? []).filter(({ keyId }) => !notes.exposures.some((it) => it.keyId === keyId));
  return { ...notes, exposures: [...notes.exposures, ...told] };
}

/** What was cut because it was exposed is exposed, whatever became of its mark. */
function withCuts(notes: CustodyNotes, { keys }: UserRecord): CustodyNotes {
  const cuts = (Object.entries(keys) as [AccessKeyId, KeyRecord][]).flatMap(([keyId, { deactivation }]): Exposure[] => {
    const { exposedBy: by, at } = deactivation ?? {};
    const isMarked = notes.exposures.some((exposure) => exposure.keyId === keyId);
    return by === undefined || at === undefined || isMarked ? [] : [{ keyId, at, by }];
  });
  return cuts.length === 0 ? notes : { ...notes, exposures: [...notes.exposures, ...cuts] };
}

/** A key that we took and that is exposed since is on record as exposed. */
function withExposures(record: UserRecord, { exposures }: CustodyNotes): UserRecord {
  const keys = { ...record.keys };
  for (const { keyId, by: exposedBy } of exposures) {
    const known = keys[keyId];
    if (!known?.deactivation || known.deactivation.exposedBy !== undefined) continue;
    keys[keyId] = { ...known, deactivation: { ...known.deactivation, exposedBy } };
  }
  return exposures.length === 0 ? record : { ...record, keys };
}

function seenBy({ keys, custody, observedAt }: Observation, profile: Profile | null): Seen {
  return { keys, custody, isPulled: profile?.isPulled ?? false, now: observedAt };
}

async function seeing<Value>(
  about: BlindSpot["about"],
  read: () => Promise<Value>,
  blindSpots: BlindSpot[],
): Promise<Value | null> {
  try {
    return await read();
  } catch (error) {
    blindSpots.push({ about, because: asRotationError(error, `reading ${about}`).message });
    return null;
  }
}

/** Asks the questions a rule has, and adds the answers and what they teach the record. */
export async function look(
  world: Asks,
  subject: Subject,
  { observation, questions }: { readonly observation: Observation; readonly questions: readonly Question[] },
): Promise<Observation> {
  const found = await Promise.all(questions.map((question) => ask(world, subject, { observation, question })));
  const record = rememberEvidence(observation.record, found, seenBy(observation, subject.profile));
  return { ...observation, evidence: [...observation.evidence, ...found], record };
}

type Asked = { readonly observation: Observation; readonly question: Question };

async function ask(world: Asks, subject: Subject, asked: Asked): Promise<Evidence> {
  const askedAt = world.clock.now();
  const answer = await answerTo(world, subject, asked);
  return { askedAt, answeredAt: world.clock.now(), answer };
}

async function answerTo(world: Asks, { user, profile }: Subject, { observation, question }: Asked): Promise<Answer> {
  if (question.source === "destination")
    return await liveAt(world, profile, { observation, name: question.destination });
  if (question.source === "health") return { ...question, health: await healthAt(world, profile, question) };
  const { unaskedRegions = {}, readers = [] } = profile ?? {};
  return await world.evidence.answer(question, { user, unaskedRegions, readers });
}

/** What is live at a destination; whatever keeps us from telling is `unknown`, with the reason. */
async function liveAt(
  world: Asks,
  profile: Profile | null,
  { observation, name }: { readonly observation: Observation; readonly name: string },
): Promise<Answer> {
  const destination = world.destinations.of(profile?.name ?? "").find((found) => found.name === name);
  try {
    must(destination !== undefined, `${name} is a destination of the profile`);
    const live = await destination.live(receiptOf(observation.record, name));
    const because = live === "unknown" ? "it has no delivery or no deployment to compare with" : null;
    return { source: "destination", destination: name, live, because };
  } catch (error) {
    const because = asRotationError(error, `reading what is live at ${name}`).message;
    return { source: "destination", destination: name, live: "unknown", because };
  }
}

async function healthAt(
  world: Asks,
  profile: Profile | null,
  { destination: name, keyId }: Extract<Question, { readonly source: "health" }>,
): Promise<Health> {
  const destination = world.destinations.of(profile?.name ?? "").find((found) => found.name === name);
  try {
    must(destination?.health !== undefined, `${name} is a destination with a health route`);
    return await destination.health(keyId);
  } catch (error) {
    return { verdict: "unknown", because: asRotationError(error, `asking whether ${name} is well`).message };
  }
}

function receiptOf(record: UserRecord, destination: string): UserRecord["deliveries"][number]["receipt"] {
  const deliveries = record.deliveries.filter((delivery) => delivery.destination === destination);
  return deliveries.toSorted((one, other) => other.attemptedAt - one.attemptedAt)[0]?.receipt ?? null;
}
