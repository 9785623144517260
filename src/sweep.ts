import { judgeAll } from "./decide/decide.ts";
import { judge } from "./judge.ts";
import type { Subject } from "./observe/observe.ts";
import { standingOf, takeCensus } from "./observe/standing.ts";
import { reconcile, type Reconciled } from "./reconcile.ts";
import type { Decision, Ruling } from "./rotation/decision.ts";
import { RotationError, asRotationError } from "./rotation/errors.ts";
import type { UserName } from "./rotation/keys.ts";
import type { Observation } from "./rotation/observation.ts";
import type { Profile } from "./rotation/policy.ts";
import { seconds } from "./rotation/time.ts";
import type { World } from "./rotation/world.ts";

/** How many users are worked on at a time. */
const USERS_AT_ONCE_MAX = 16;
/** No user is begun with less time than this: proving alone may take two minutes. */
const TIME_FOR_A_USER_MS = seconds(180);

export interface SweepOptions {
  readonly profiles: Readonly<Record<string, Profile>>;
  /** The tag key that enrols a user in this stage, in lower case. */
  readonly enrolmentTag: string;
  /** Only these users; all of them where it is left out. */
  readonly users?: readonly UserName[];
  /** `plan` decides and does nothing else. */
  readonly mode: "act" | "plan";
}

type Said = Pick<RotationError, "code" | "message">;

/** One line of a user's result. Plain JSON, no secret. */
export interface DecisionResult {
  readonly rule: string;
  readonly step: string;
  readonly reason: string;
  readonly because: string;
  /** `planned` where nothing was tried: in a plan, or while paused. */
  readonly outcome: string;
  readonly error?: Said;
}

interface UserResult {
  readonly user: string;
  readonly profile: string | null;
  readonly decisions: readonly DecisionResult[];
  readonly isFailed: boolean;
  readonly error?: Said;
}

/** What a sweep did: a small JSON document. `status` is `failed` when any user failed, or a notifier did. */
export interface SweepResult {
  readonly command: "sweep" | "plan";
  readonly status: "ok" | "failed";
  /** A table without its `running` item: the sweep looked, reported, and did nothing else. */
  readonly isPaused: boolean;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly users: readonly UserResult[];
  /** Users that there was no time for; the next sweep begins with them. */
  readonly left: readonly string[];
  readonly failedNotifiers: readonly string[];
}

/**
 * Runs all users: the tagged ones, and those that have a custody secret, so that a removed tag leaves nothing half done
 * unreported. One user's failure never touches another. Throws only when the sweep could not run at all.
 */
export async function sweep(world: World, options: SweepOptions): Promise<SweepResult> {
  const state = await world.journal.sweepState();
  const results: UserResult[] = [];
  const subjects = await findSubjects(world, options, (user, error) => {
    world.log.event("error", "a user could not be read", { user, error });
    results.push({ user, profile: null, decisions: [], isFailed: true, error: said(error) });
  });
  const startedAt = world.clock.now();
  const isPaused = state.runningSince === null;
  const mode = options.mode === "act" && isPaused ? "look" : options.mode;
  const waiting = inOrder(subjects, state.left);
  const holder = world.random.token();
  const notifiers = new Set<string>();

  async function work(): Promise<void> {
    while (world.clock.remainingMs() > TIME_FOR_A_USER_MS) {
      const subject = waiting.shift();
      if (subject === undefined) return;
      const reconciled = await reconcile(world, subject, { holder, mode });
      results.push(resultOf(subject, reconciled));
      for (const name of reconciled.failedNotifiers) notifiers.add(name);
    }
  }

  await Promise.all(Array.from({ length: USERS_AT_ONCE_MAX }, () => work()));
  const left = waiting.map(({ user }) => user);
  if (mode !== "plan" && options.users === undefined && JSON.stringify(left) !== JSON.stringify(state.left)) {
    await world.journal.setLeft(left);
  }
  const isFailed = results.some((result) => result.isFailed) || notifiers.size > 0;
  const result: SweepResult = {
    command: options.mode === "plan" ? "plan" : "sweep",
    status: isFailed ? "failed" : "ok",
    isPaused,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(world.clock.now()).toISOString(),
    users: results.toSorted((one, other) => one.user.localeCompare(other.user)),
    left,
    failedNotifiers: [...notifiers],
  };
  logEnd(world, result);
  return result;
}

/** One line a sweep. Nobody reads what a scheduled sweep returns: the deployment's alarms count these lines. */
function logEnd({ log }: World, result: SweepResult): void {
  const { users, left, startedAt, endedAt, ...rest } = result;
  const failed = users.filter(({ isFailed }) => isFailed).length;
  const durationMs = Date.parse(endedAt) - Date.parse(startedAt);
  const counts = { users: users.length, failed, left: left.length, durationMs };
  log.event(result.status === "ok" ? "info" : "error", "sweep ended", { ...rest, ...counts });
}

/** What `explain` prints: what was seen, every rule's own answer, and the winner. */
export interface Explanation {
  readonly command: "explain";
  readonly user: string;
  readonly observation: Observation;
  readonly rules: readonly { readonly rule: string; readonly ruling: Ruling | null }[];
  readonly decision: Decision;
}

/** Looks at one user and says how the decision comes about. Changes nothing. `NotFound` when nobody knows the user. */
export async function explain(
  world: World,
  options: Pick<SweepOptions, "profiles" | "enrolmentTag"> & { readonly user: UserName },
): Promise<Explanation> {
  const { profiles, enrolmentTag, user } = options;
  const [subject] = await findSubjects(world, { profiles, enrolmentTag, users: [user] }, (_, error) => {
    throw error;
  });
  if (subject === undefined) {
    throw new RotationError(
      "NotFound",
      `explaining ${user}, there is no such user with the tag ${enrolmentTag} or a custody secret`,
    );
  }
  const { observation, decision } = await judge(world, subject, { proved: [], revision: null, isThorough: true });
  const situation = { observation, profile: subject.profile, now: observation.observedAt };
  return { command: "explain", user, observation, rules: judgeAll(situation), decision };
}

type Finding = Pick<SweepOptions, "profiles" | "enrolmentTag" | "users">;

/** A user that has custody and no tag is read alone: that this failed must not end the others' sweep. */
async function findSubjects(
  world: World,
  options: Finding,
  onUnread: (user: UserName, error: RotationError) => void,
): Promise<readonly Subject[]> {
  const [{ account }, tagged, inCustody] = await Promise.all([
    world.identity.read(),
    world.directory.tagged(),
    world.custody.users(),
  ]);
  const { profiles, enrolmentTag } = options;
  const census = takeCensus(tagged, { profiles, enrolmentTag, destinations: world.destinations });
  const byName = new Map(tagged.map((user) => [user.name, user]));
  const enrolled = tagged.filter(({ tags }) => tags[enrolmentTag] !== undefined).map(({ name }) => name);
  const wanted = [...new Set([...enrolled, ...inCustody])].filter(
    (name) => options.users === undefined || options.users.includes(name),
  );
  const found = await Promise.all(
    wanted.map(async (name) => {
      try {
        const iamUser = byName.get(name) ?? (await world.directory.read(name));
        const standing = standingOf(iamUser, census, world.destinations);
        const profile = standing.profile === null ? null : (profiles[standing.profile] ?? null);
        return { user: name, account, iamUser, standing, profile };
      } catch (thrown) {
        onUnread(name, asRotationError(thrown, `reading the user ${name}`));
        return null;
      }
    }),
  );
  return found.filter((subject) => subject !== null);
}

/** Those that the last sweep left come first. */
function inOrder(subjects: readonly Subject[], left: readonly UserName[]): Subject[] {
  const wasLeft = new Set(left);
  return [...subjects.filter(({ user }) => wasLeft.has(user)), ...subjects.filter(({ user }) => !wasLeft.has(user))];
}

function resultOf({ user, profile }: Subject, { turns, failure }: Reconciled): UserResult {
  const decisions = turns.map(({ decision, outcome }): DecisionResult => {
    const { rule, reason, because, step } = decision;
    const line = { rule, step: step.kind, reason, because, outcome: outcome?.kind ?? "planned" };
    if (outcome?.kind === "failed") return { ...line, error: said(outcome.error) };
    if (outcome?.kind === "blocked" || outcome?.kind === "withdrawn") return { ...line, because: outcome.because };
    return line;
  });
  const isFailed = failure !== null || turns.some(({ outcome }) => outcome?.kind === "failed");
  const result = { user, profile: profile?.name ?? null, decisions, isFailed };
  return failure === null ? result : { ...result, error: said(failure) };
}

const said = ({ code, message }: RotationError): Said => ({ code, message });
