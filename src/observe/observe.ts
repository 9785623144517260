import { asRotationError, must } from "../rotation/errors.ts";
import type { IamUser, UserName } from "../rotation/keys.ts";
import type { Answer, BlindSpot, Evidence, Observation, Question, Standing } from "../rotation/observation.ts";
import type { Profile } from "../rotation/policy.ts";
import type { UserRecord } from "../rotation/record.ts";
import type { Revision, World } from "../rotation/world.ts";
import { freshRecord, remember, rememberEvidence } from "./remember.ts";

/** One user to look at, with what the sweep knows of it. */
export interface Subject {
  readonly user: UserName;
  readonly account: string;
  /** As the listing showed it; null when only its custody secret is left. */
  readonly iamUser: IamUser | null;
  readonly standing: Standing;
  readonly profile: Profile | null;
}

/** What one look gave, and the journal's revision it rests on. */
export interface Sight {
  readonly observation: Observation;
  readonly revision: Revision;
}

type Reads = Pick<World, "accessKeys" | "custody" | "journal" | "destinations" | "clock">;

/** What this run knows already when it looks. */
export interface Known {
  readonly proved: Observation["proved"];
  /** The journal as this run wrote it under its lease; null: to be read. A run that lost its lease learns it by its next write. */
  readonly revision: Revision | null;
  /** Whether custody's pairs are read back, and not just told by their version ids: before what is hard to undo. */
  readonly isThorough: boolean;
}

/** Reads the world into one immutable Observation. What could not be read is a named blind spot. Never throws for that. */
export async function observe(world: Reads, subject: Subject, { proved, ...known }: Known): Promise<Sight> {
  const { user, account, iamUser, standing, profile } = subject;
  const blindSpots: BlindSpot[] = [];
  const [keys, revision] = await Promise.all([
    iamUser === null ? [] : seeing("keys", () => world.accessKeys.list(user), blindSpots),
    known.revision ?? seeing("journal", () => world.journal.read(user), blindSpots),
  ]);
  const recognise = known.isThorough || keys === null ? undefined : keys.map(({ id }) => id);
  const custody = await seeing("custody", () => world.custody.read(user, recognise), blindSpots);
  const now = world.clock.now();
  const recorded = revision?.record ?? freshRecord({ user, account, userId: iamUser?.id ?? "", now });
  const seen = {
    keys: keys ?? [],
    custody: custody ?? ({ kind: "unreadable" } as const),
    isPulled: profile?.isPulled ?? false,
    now,
  };
  const observation: Observation = {
    user,
    account,
    iamUser,
    standing,
    observedAt: now,
    keys: seen.keys,
    custody: seen.custody,
    destinations: world.destinations
      .of(profile?.name ?? "")
      .map(({ name, slots, readsCustody }) => ({ name, slots, readsCustody })),
    // With the keys unreadable nothing is learnt of them: an empty list would say that they are gone.
    record: keys === null ? recorded : remember(recorded, seen),
    evidence: [],
    proved,
    blindSpots,
  };
  return { observation, revision: revision ?? { record: null, number: 0, lease: null } };
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
  world: Pick<World, "evidence" | "destinations" | "clock">,
  subject: Subject,
  { observation, questions }: { readonly observation: Observation; readonly questions: readonly Question[] },
): Promise<Observation> {
  const found = await Promise.all(questions.map((question) => ask(world, subject, { observation, question })));
  const seen = {
    keys: observation.keys,
    custody: observation.custody,
    isPulled: subject.profile?.isPulled ?? false,
    now: observation.observedAt,
  };
  return {
    ...observation,
    evidence: [...observation.evidence, ...found],
    record: rememberEvidence(observation.record, found, seen),
  };
}

async function ask(
  world: Pick<World, "evidence" | "destinations" | "clock">,
  { user, profile }: Subject,
  { observation, question }: { readonly observation: Observation; readonly question: Question },
): Promise<Evidence> {
  const askedAt = world.clock.now();
  if (question.source !== "destination") {
    const unaskedRegions = profile?.unaskedRegions ?? {};
    return { askedAt, answer: await world.evidence.answer(question, { user, unaskedRegions }) };
  }
  const answer = await liveAt(world, profile, { observation, name: question.destination });
  return { askedAt, answer };
}

/** What is live at a destination; whatever keeps us from telling is `unknown`, with the reason. */
async function liveAt(
  world: Pick<World, "destinations">,
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

function receiptOf(record: UserRecord, destination: string): UserRecord["deliveries"][number]["receipt"] {
  const deliveries = record.deliveries.filter((delivery) => delivery.destination === destination);
  return deliveries.toSorted((one, other) => other.attemptedAt - one.attemptedAt)[0]?.receipt ?? null;
}
