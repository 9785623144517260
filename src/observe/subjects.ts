import { asRotationError, type RotationError } from "../rotation/errors.ts";
import type { Exposure } from "../rotation/exposure.ts";
import type { UserName } from "../rotation/keys.ts";
import type { Profile } from "../rotation/policy.ts";
import { hours, type Instant } from "../rotation/time.ts";
import type { KeyReport, Revision, SweepMemory, World } from "../rotation/world.ts";
import type { Subject } from "./observe.ts";
import { standingOf, takeCensus } from "./standing.ts";

/** Between two listings of custody the users in motion are known by name. */
const CUSTODY_LISTED_EVERY_MS = hours(12);

/** Whom a deployment serves. */
export interface Serving {
  readonly profiles: Readonly<Record<string, Profile>>;
  /** The tag key that enrols a user in this stage, in lower case. */
  readonly enrolmentTag: string;
  /** Only these users; all of them where it is left out. */
  readonly users?: readonly UserName[] | undefined;
  /** What this run was told of leaked keys. */
  readonly exposures?: ReadonlyMap<UserName, readonly Exposure[]>;
}

export interface Found {
  readonly subjects: readonly Subject[];
  /** A user that has custody and no tag is read alone: that this failed must not end the others' sweep. */
  readonly unread: readonly { readonly user: UserName; readonly error: RotationError }[];
  readonly custodyListedAt: Instant | null;
}

/**
 * The tagged users, and those that have a custody secret, so that a removed tag leaves nothing half done unreported.
 * With the memory of the last sweep they come with what can be read of all at once; without it each is read in full.
 */
export async function findSubjects(world: World, serving: Serving, memory: SweepMemory | null): Promise<Found> {
  const { account } = await world.identity.read();
  const listedAt = world.clock.now();
  const known = memory === null ? null : stillKnown(memory, listedAt);
  const [tagged, inCustody, report] = await Promise.all([
    world.directory.tagged(),
    known ?? world.custody.users(),
    memory === null ? null : readReport(world),
  ]);
  const { profiles, enrolmentTag, users, exposures: told } = serving;
  const census = takeCensus(tagged, { profiles, enrolmentTag, destinations: world.destinations });
  const byName = new Map(tagged.map((user) => [user.name, user]));
  const enrolled = tagged.filter(({ tags }) => tags[enrolmentTag] !== undefined).map(({ name }) => name);
  const wanted = [...new Set([...enrolled, ...inCustody])].filter((name) => users?.includes(name) ?? true);
  const revisions = memory === null ? null : await readRecords(world, wanted);

  async function subjectOf(user: UserName): Promise<Subject> {
    const iamUser = byName.get(user) ?? (await world.directory.read(user));
    const standing = standingOf(iamUser, census, world.destinations);
    const profile = standing.profile === null ? null : (profiles[standing.profile] ?? null);
    const destinations = world.destinations
      .of(profile?.name ?? "")
      .map(({ name, slots, readsCustody, health }) => ({ name, slots, readsCustody, hasHealth: health !== undefined }));
    const [reported, revision] = [report?.get(user) ?? null, revisions?.get(user) ?? null];
    const exposures = told?.get(user) ?? [];
    return { user, account, iamUser, standing, profile, destinations, exposures, listedAt, reported, revision };
  }

  const found = await Promise.all(
    wanted.map((user) =>
      subjectOf(user).catch((thrown: unknown) => {
        const error = asRotationError(thrown, `reading the user ${user}`);
        world.log.event("error", "a user could not be read", { user, error });
        return { user, error };
      }),
    ),
  );
  return {
    subjects: found.filter((one) => "account" in one),
    unread: found.filter((one) => "error" in one),
    custodyListedAt: known === null ? listedAt : (memory?.custodyListedAt ?? null),
  };
}

/** The users that were not at rest after the last sweep, as long as that need not be compared with custody itself. */
function stillKnown({ awake, custodyListedAt }: SweepMemory, now: Instant): readonly UserName[] | null {
  return custodyListedAt !== null && now - custodyListedAt < CUSTODY_LISTED_EVERY_MS ? awake : null;
}

/** Without the report, or the records, everybody is looked at in full: that is slower, and no less safe. */
async function readReport({ directory, log }: World): Promise<KeyReport | null> {
  try {
    return await directory.keyReport();
  } catch (thrown) {
    log.event("warn", "the credential report could not be read", { error: asRotationError(thrown, "reading it") });
    return null;
  }
}

async function readRecords(
  { journal, log }: World,
  users: readonly UserName[],
): Promise<ReadonlyMap<UserName, Revision>> {
  try {
    return await journal.readMany(users);
  } catch (thrown) {
    log.event("warn", "the journal could not be read in batches", { error: asRotationError(thrown, "reading it") });
    return new Map();
  }
}
