import { asRotationError, RotationError } from "../rotation/errors.ts";
import type { Exposure } from "../rotation/exposure.ts";
import type { AccessKeyId, IamUser, UserName } from "../rotation/keys.ts";
import { userName } from "../rotation/keys.ts";
import { type Notice, NOTICES } from "../rotation/notice.ts";
import { type Instant, instant, minutes, seconds } from "../rotation/time.ts";
import type { Notifier, World } from "../rotation/world.ts";
import { sweep, type SweepOptions, type SweepResult } from "../sweep.ts";

type Served = Pick<SweepOptions, "profiles" | "enrolmentTag">;
/** A key that was leaked, and the enrolled user whose it is. */
type Leak = { readonly keyId: AccessKeyId; readonly user: IamUser };

/** Another run has the user for minutes at the most, and a fresh pair may take two to answer. */
const AGAIN_AFTER_MS = seconds(15);
const TIME_FOR_ANOTHER_MS = minutes(4);
const WAKE_TRIES = 3;

/** An operator's word that a key is to go now: marked, replaced and cut in this run, also where sweeps are paused or the user held. */
export async function revoke(
  world: World,
  serving: Served,
  { user: name, key: keyId }: { readonly user: UserName; readonly key: AccessKeyId },
): Promise<unknown> {
  await world.identity.read();
  const user = await world.directory.read(name);
  if (user?.tags[serving.enrolmentTag] === undefined) {
    throw new RotationError("NotFound", `revoking ${keyId} of ${name}, no such user is enrolled here`);
  }
  if (!(await isKnown(world, name, keyId))) {
    throw new RotationError("NotFound", `revoking ${keyId} of ${name}, the user never had such a key`);
  }
  const from = world.clock.now();
  const result = await expose(world, serving, [{ keyId, user }], "revoke");
  const state = await stateOf(world, { user: name, keyId, from });
  return { done: `${keyId} of ${name} is marked as exposed${state}. ${outcomeOf(result)}`, ...result };
}

/** What came of it in a sentence: the last of what was done for an exposed key, or what kept it from being done. */
function outcomeOf({ users }: SweepResult): string {
  const [found] = users;
  if (found === undefined) return "There was no time to do more: the next sweep does.";
  const lastBy = (name: string) => found.decisions.findLast(({ rule }) => rule === name);
  const last = lastBy("exposed") ?? lastBy("not-ours-to-touch");
  const failure = found.error ?? last?.error;
  if (failure !== undefined) return `${last?.because ?? "Nothing was decided"}; then it failed: ${failure.message}`;
  return last?.because ?? "Nothing was left to do.";
}

/**
 * What became of the key. A list of keys may lag behind the cut of this run, which is on record; so is whose hand it was.
 * Where neither says that the key is Inactive it counts as Active.
 */
async function stateOf(
  { accessKeys, journal }: World,
  { user, keyId, from }: { readonly user: UserName; readonly keyId: AccessKeyId; readonly from: Instant },
): Promise<string> {
  const keys = await accessKeys.list(user).catch(() => null);
  const key = keys?.find(({ id }) => id === keyId);
  if (keys !== null && key === undefined) return ", and is deleted";
  const found = await journal.read(user).catch(() => null);
  const cut = found?.record?.keys[keyId]?.deactivation ?? null;
  const isOfThisRun = cut !== null && cut.at >= from;
  if (isOfThisRun && (cut.answeredAt !== null || key?.status === "inactive")) return ", and is Inactive now";
  if (key === undefined) return "";
  return key.status === "inactive" ? ", and was Inactive already" : ", and is STILL ACTIVE";
}

/** What cannot be read speaks against nobody: the mark of a key that does not exist does no harm. */
async function isKnown({ accessKeys, journal }: World, user: UserName, keyId: AccessKeyId): Promise<boolean> {
  try {
    if ((await accessKeys.list(user)).some(({ id }) => id === keyId)) return true;
    return (await journal.read(user)).record?.keys[keyId] !== undefined;
  } catch {
    return true;
  }
}

/** An event of AWS Health: the keys of enrolled users are replaced and cut, and people are told of any other. */
export async function answerLeak(world: World, serving: Served, keyIds: readonly AccessKeyId[]): Promise<unknown> {
  await world.identity.read();
  const asked = await Promise.allSettled(keyIds.map(async (keyId) => ({ keyId, user: await ownerOf(world, keyId) })));
  const found = asked.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const isOurs = (user: IamUser | null): boolean => user?.tags[serving.enrolmentTag] !== undefined;
  const leaks = found.flatMap(({ keyId, user }) => (user !== null && isOurs(user) ? [{ keyId, user }] : []));
  const others = found.filter(({ user }) => !isOurs(user));
  let result: SweepResult | null = null;
  try {
    if (leaks.length > 0) result = await expose(world, serving, leaks, "health");
  } finally {
    await tellOf(world, others);
  }
  // The event comes again for what nobody could tell, and finds the others done.
  for (const answer of asked) if (answer.status === "rejected") throw answer.reason;
  const [ours, rest] = [leaks, others].map((list) => list.map(({ keyId }) => keyId).join(", ") || "none");
  return { done: `AWS Health named keys of enrolled users: ${ours ?? ""}; of others: ${rest ?? ""}.`, ...result };
}

async function ownerOf({ accessKeys, directory }: World, keyId: AccessKeyId): Promise<IamUser | null> {
  const owner = await accessKeys.ownerOf(keyId);
  return owner === null ? null : await directory.read(owner);
}

async function tellOf(world: World, others: readonly { keyId: AccessKeyId; user: IamUser | null }[]): Promise<void> {
  const entry = NOTICES.ExposedElsewhere;
  if (others.length === 0 || entry === undefined) return;
  const notices = others.map(({ keyId, user }) => {
    const whose =
      user === null ? "no user of this account has it (any more)" : `it is ${user.name}'s, who is not enrolled`;
    const text = `AWS Health says that ${keyId} is exposed: ${whose}`;
    const told = { code: "ExposedElsewhere", severity: entry.severity, advice: entry.advice } as const;
    const name = user?.name ?? userName(keyId);
    return { ...told, user: name, at: world.clock.now(), text, dedupeKey: `ExposedElsewhere:${keyId}` };
  });
  const told = await Promise.allSettled(world.notifiers.map(async (notifier) => notifier.notify(notices)));
  const reasons = told.flatMap((sent) => (sent.status === "rejected" ? [sent.reason as unknown] : []));
  const errors = reasons.map((reason) => asRotationError(reason, "telling of a leaked key"));
  for (const error of errors) world.log.event("error", "a notifier failed", { error });
  // Told by one it is told; where nobody heard the event comes again.
  const [first] = errors;
  if (first !== undefined && errors.length === world.notifiers.length) throw first;
}

/**
 * Marks first, and without any lease; then sweeps these users until no other run is in the way. Throws where a mark was
 * refused; and an event, which comes again, also where a user could not be looked at.
 */
async function expose(
  of: World,
  serving: Served,
  leaks: readonly Leak[],
  by: "revoke" | "health",
): Promise<SweepResult> {
  const world = tellingOnce(of);
  const users = [...new Set(leaks.map(({ user }) => user.name))];
  await wake(world, users);
  const marked = await Promise.all(leaks.map((leak) => mark(world, serving, leak, by)));
  const exposures = Map.groupBy(marked, ({ user }) => user);
  const options = { ...serving, users, exposures, mode: "act", isForced: by === "revoke" } as const;
  let result = await sweep(world, options);
  while (isInterrupted(result) && world.clock.remainingMs() > TIME_FOR_ANOTHER_MS) {
    await world.clock.sleep(AGAIN_AFTER_MS);
    result = await sweep(world, options);
  }
  for (const { error } of marked) if (error !== null) throw error;
  const [unseen] = result.users.flatMap(({ error }) => error ?? []);
  // Its user may be at rest. What could not be done to one that was looked at is tried again by each sweep.
  if (by === "health" && unseen !== undefined) throw new RotationError(unseen.code, unseen.message);
  return result;
}

/** While another run has the user nothing can be written down, and each try would tell people the same again. */
function tellingOnce(world: World): World {
  const notifiers = world.notifiers.map((notifier): Notifier => {
    const told = new Set<string>();
    return {
      ...notifier,
      notify: async (notices) => {
        const fresh = notices.filter((notice) => !told.has(wordOf(notice)));
        if (fresh.length > 0) await notifier.notify(fresh);
        for (const notice of fresh) told.add(wordOf(notice));
      },
    };
  });
  return { ...world, notifiers };
}

const wordOf = ({ dedupeKey, isOver }: Notice): string => `${dedupeKey} ${isOver === true ? "is over" : ""}`;

const isInterrupted = ({ users }: SweepResult): boolean =>
  users.some(({ decisions }) => decisions.at(-1)?.outcome === "withdrawn");

type Marked = Exposure & { readonly user: UserName; readonly error: RotationError | null };

/** A mark that could not be written is remembered by nobody: that key is cut in this run, and not an hour later. */
async function mark(world: World, { profiles, enrolmentTag }: Served, { keyId, user }: Leak, by: Exposure["by"]) {
  const exposure = { keyId, at: world.clock.now(), by, user: user.name };
  try {
    const { account } = await world.identity.read();
    const replicaRegions = profiles[user.tags[enrolmentTag] ?? ""]?.replicaRegions ?? [];
    const place = { owner: { account, userId: user.id }, replicaRegions };
    await world.custody.mark(user.name, { exposures: [exposure], quarantine: null }, place);
    return { ...exposure, error: null } satisfies Marked;
  } catch (thrown) {
    const error = asRotationError(thrown, `marking ${keyId} of ${user.name}`);
    world.log.event("error", "a leaked key could not be marked", { user: user.name, keyId, error });
    return { ...exposure, at: instant(0), error } satisfies Marked;
  }
}

/** Should this run die, the next whole sweep looks at these users, at rest or not. */
async function wake(world: World, users: readonly UserName[], triesLeft = WAKE_TRIES): Promise<void> {
  const { journal, log } = world;
  try {
    const { runningSince: _running, pause: _pause, calls, ...memory } = await journal.sweepState();
    const left = [...new Set([...users, ...memory.left])];
    await journal.setMemory({ ...memory, left }, { read: calls, now: calls + 1 });
  } catch (thrown) {
    const error = asRotationError(thrown, "writing it down");
    // Another was told of a leak at the same moment.
    if (error.code === "Conflict" && triesLeft > 1) return wake(world, users, triesLeft - 1);
    log.event("warn", "the next sweep could not be told", { error });
  }
}
