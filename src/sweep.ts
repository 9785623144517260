import { judgeAll } from "./decide/decide.ts";
import { judge } from "./judge.ts";
import { observe, type Subject } from "./observe/observe.ts";
import { isAtRest } from "./observe/rest.ts";
import { findSubjects, type Serving } from "./observe/subjects.ts";
import { remindOfPause } from "./report/paused.ts";
import { reconcile, type Reconciled, type ReconcileOptions } from "./reconcile.ts";
import type { Decision, Ruling } from "./rotation/decision.ts";
import { metricsOf } from "./report/metrics.ts";
import { tellOfService } from "./report/service.ts";
import { asRotationError, RotationError } from "./rotation/errors.ts";
import type { UserName } from "./rotation/keys.ts";
import type { Notice } from "./rotation/notice.ts";
import type { Observation } from "./rotation/observation.ts";
import { seconds } from "./rotation/time.ts";
import type { SweepMemory, SweepState, World } from "./rotation/world.ts";

/** How many users are worked on at a time. Many of them wait, for a fresh key to be known; requests are bounded apart. */
const USERS_AT_ONCE_MAX = 128;
/** So many names still fit into one item of the journal; with more, custody is listed instead. */
const AWAKE_MAX = 2_000;
/** No user is begun with less time than this: proving alone may take two minutes. */
const TIME_FOR_A_USER_MS = seconds(180);

export interface SweepOptions extends Serving {
  /** `plan` decides and does nothing else. */
  readonly mode: "act" | "plan";
  /** An operator's `revoke` is done while sweeps are paused. */
  readonly isForced?: boolean;
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
  /** Since when, and why, where a pause is known. */
  readonly pause?: { readonly since: string; readonly reason: string | null };
  readonly startedAt: string;
  readonly endedAt: string;
  readonly users: readonly UserResult[];
  /** Users that were looked at, and whose results the answer has no room for: `status` and `explain` tell of them. */
  readonly untold: readonly string[];
  /** Users of whom nothing can have changed since they were last looked at, and who were not looked at. */
  readonly resting: number;
  /** Users that there was no time for; the next sweep begins with them. */
  readonly left: readonly string[];
  readonly failedNotifiers: readonly string[];
}

/**
 * Runs all users but those at rest, of whom bulk readings show that nothing can have happened. One user's failure never
 * touches another. A plan, and whoever is named, is always looked at in full. Throws only when the sweep could not run.
 */
export async function sweep(world: World, options: SweepOptions): Promise<SweepResult> {
  const [state] = await Promise.all([world.journal.sweepState(), world.identity.read()]);
  const isWhole = options.mode === "act" && options.users === undefined;
  const { subjects, unread, custodyListedAt } = await findSubjects(world, options, isWhole ? state : null);
  const startedAt = world.clock.now();
  const wasLeft = new Set(state.left);
  const isLookedAt = (subject: Subject): boolean =>
    !isWhole || wasLeft.has(subject.user) || !isAtRest(subject, startedAt);
  const waiting = inOrder(subjects.filter(isLookedAt), state.left);
  const resting = subjects.length - waiting.length;
  const awake = new Set([...unread, ...waiting].map(({ user }) => user));
  const memory = openMemory(world, state);
  // Whoever this run sets in motion is known to the next by name, also when this one dies.
  if (isWhole) await memory.keep({ ...memory.known(), awake: union(state.awake, awake), custodyListedAt });
  const isPaused = state.runningSince === null;
  const mode = options.mode === "act" && isPaused && options.isForced !== true ? "look" : options.mode;
  const reminded = mode === "look" ? await remindOfPause(world, state, startedAt) : [];
  const failedNotifiers = new Set<string>(reminded);
  const open: Notice[] = [];
  const rules: (string | null)[] = [];
  // The report shows of a key at rest when it was made, or last changed.
  const shown = subjects.filter(({ user }) => !awake.has(user)).flatMap(({ reported }) => reported ?? []);
  const keysMadeAt = shown.map(({ changedAt }) => changedAt);
  const results = unread.map(({ user, error }): UserResult => {
    return { user, profile: null, decisions: [], isFailed: true, error: said(error) };
  });
  await reconcileAll(world, waiting, mode, (subject, reconciled) => {
    results.push(resultOf(subject, reconciled));
    if (reconciled.isAtRest) awake.delete(subject.user);
    for (const name of reconciled.failedNotifiers) failedNotifiers.add(name);
    open.push(...reconciled.open);
    rules.push(reconciled.turns.at(-1)?.decision.rule ?? null);
    keysMadeAt.push(...reconciled.keysMadeAt);
  });
  const left = waiting.map(({ user }) => user);
  if (isWhole) {
    const telling = { now: world.clock.now(), failed: [...failedNotifiers], open };
    const { memory: told, lasting } = await tellOfService(world, state.told, telling);
    await memory.keep({ left, awake: union([], awake), custodyListedAt, told });
    const seen = { rules, resting, isComplete: isComplete(left, results), keysMadeAt };
    const counted = { ...seen, open: [...open, ...lasting], usage: world.usage?.() ?? { calls: 0, throttles: 0 } };
    const metrics = metricsOf(options.enrolmentTag, { ...counted, startedAt, endedAt: world.clock.now() });
    world.log.event("info", "sweep measured", metrics);
  }
  // A sweep of named users hands no names on: the next whole one lists custody.
  else if (mode === "act") await memory.keep({ ...memory.known(), custodyListedAt: null });
  if (isWhole && !isPaused) await world.upkeep?.run();
  const isFailed = results.some((result) => result.isFailed) || failedNotifiers.size > 0 || memory.isUnwritten();
  const result: SweepResult = {
    command: options.mode === "plan" ? "plan" : "sweep",
    status: isFailed ? "failed" : "ok",
    isPaused,
    ...pauseOf(state),
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(world.clock.now()).toISOString(),
    ...bounded(results),
    resting,
    left,
    failedNotifiers: [...failedNotifiers],
  };
  logEnd(world, result);
  return result;
}

/** Lambda answers 6 MB at the most, and fails an invocation that answers more. Source: Lambda quotas, invocation payload. */
const ANSWER_BYTES_MAX = 4_000_000;

/** In the order of their names, as many as an answer has room for: those that failed first, then those for whom something was done. */
function bounded(results: readonly UserResult[]): Pick<SweepResult, "users" | "untold"> {
  const weight = ({ isFailed, decisions }: UserResult): number => (isFailed ? 0 : decisions.length > 1 ? 1 : 2);
  let room = ANSWER_BYTES_MAX;
  const told = new Set<UserResult>();
  for (const result of results.toSorted((one, other) => weight(one) - weight(other))) {
    room -= Buffer.byteLength(JSON.stringify(result));
    if (room >= 0) told.add(result);
  }
  const inOrderOfNames = results.toSorted((one, other) => one.user.localeCompare(other.user));
  const [users, rest] = [true, false].map((isTold) => inOrderOfNames.filter((each) => told.has(each) === isTold));
  return { users: users ?? [], untold: (rest ?? []).map(({ user }) => user) };
}

/** Takes one user after the other from those waiting, a bounded number at a time, until none is left or the time is. */
async function reconcileAll(
  world: World,
  waiting: Subject[],
  mode: ReconcileOptions["mode"],
  onDone: (subject: Subject, reconciled: Reconciled) => void,
): Promise<void> {
  const holder = world.random.token();
  const work = async (): Promise<void> => {
    while (world.clock.remainingMs() > TIME_FOR_A_USER_MS) {
      const subject = waiting.shift();
      if (subject === undefined) return;
      onDone(subject, await reconcile(world, subject, { holder, mode }));
    }
  };
  await Promise.all(Array.from({ length: Math.min(USERS_AT_ONCE_MAX, waiting.length) }, work));
}

/** What the sweeps leave to each other, written down where it is not what is known. A failure is logged, and told. */
function openMemory({ journal, log }: World, { left, awake, custodyListedAt, told, ...state }: SweepState) {
  let { calls } = state;
  let known: SweepMemory = { left, awake, custodyListedAt, ...(told === undefined ? {} : { told }) };
  let written = JSON.stringify(known);
  let isUnwritten = false;
  return {
    known: () => known,
    isUnwritten: () => isUnwritten,
    async keep(memory: SweepMemory): Promise<void> {
      const text = JSON.stringify(memory);
      if (text === written) return;
      try {
        calls = await leave(journal, memory, calls);
        [known, written] = [memory, text];
      } catch (thrown) {
        isUnwritten = true;
        const error = asRotationError(thrown, "writing down what the next sweep is to know");
        log.event("error", "a sweep could not be remembered", { error });
      }
    },
  };
}

/**
 * Writes down what the next sweep is to know. Whoever was told of a leak since it was read has called it to a user, perhaps
 * one whom this sweep had looked at by then: those names stay. Gives how many calls there were.
 */
async function leave(journal: World["journal"], memory: SweepMemory, calls: number): Promise<number> {
  try {
    await journal.setMemory(memory, { read: calls, now: calls });
    return calls;
  } catch (thrown) {
    if (!(thrown instanceof RotationError) || thrown.code !== "Conflict") throw thrown;
    const found = await journal.sweepState();
    const left = [...new Set([...found.left, ...memory.left])];
    await journal.setMemory({ ...memory, left }, { read: found.calls, now: found.calls });
    return found.calls;
  }
}

function pauseOf({ runningSince, pause }: SweepState): Pick<SweepResult, "pause"> {
  if (runningSince !== null || pause === null) return {};
  return { pause: { since: new Date(pause.since).toISOString(), reason: pause.reason } };
}

/** Whether everybody who is not at rest was looked at, and could be. */
const isComplete = (left: readonly UserName[], results: readonly UserResult[]): boolean =>
  left.length === 0 && results.every(({ error }) => error === undefined);

/** Names in one order; null when they are too many to be written down. */
function union(known: readonly UserName[] | null, more: ReadonlySet<UserName>): readonly UserName[] | null {
  const names = known === null ? null : [...new Set([...known, ...more])].toSorted();
  return names === null || names.length > AWAKE_MAX ? null : names;
}

/** One line a sweep. Nobody reads what a scheduled sweep returns: the deployment's alarms count these lines. */
function logEnd({ log }: World, result: SweepResult): void {
  const { users, untold, left, startedAt, endedAt, ...rest } = result;
  const failed = users.filter(({ isFailed }) => isFailed).length;
  const durationMs = Date.parse(endedAt) - Date.parse(startedAt);
  const counts = { users: users.length + untold.length, failed, left: left.length, durationMs };
  log.event(result.status === "ok" ? "info" : "error", "sweep ended", { ...rest, ...counts });
}

/** What `explain` prints: what was seen, every rule's own answer, and the winner. */
export interface Explanation {
  readonly command: "explain";
  readonly user: string;
  readonly observation: Observation;
  readonly rules: readonly { readonly rule: string; readonly ruling: Ruling | null }[];
  readonly decision: Decision;
  /** The last of what was done, oldest first, and what it rested on at the time; `history` has all of it, in pages. */
  readonly history: readonly Readonly<Record<string, unknown>>[];
  readonly historyTotal: number;
}

/** At 20 kB a line, and most have one, these stay far below the 6 MB that Lambda answers. */
const HISTORY_MAX = 200;

/** Looks at one user and says how the decision comes about. Changes nothing. `NotFound` when nobody knows the user. */
export async function explain(
  world: World,
  options: Pick<SweepOptions, "profiles" | "enrolmentTag"> & { readonly user: UserName },
): Promise<Explanation> {
  const { profiles, enrolmentTag, user } = options;
  const { subjects, unread } = await findSubjects(world, { profiles, enrolmentTag, users: [user] }, null);
  for (const { error } of unread) throw error;
  const [subject] = subjects;
  if (subject === undefined) {
    const isThere = (await world.directory.read(user)) !== null;
    const because = isThere
      ? `it is not enrolled: it has neither the tag ${enrolmentTag} nor a custody secret`
      : "IAM has no user of that name: see status";
    throw new RotationError("NotFound", `explaining ${user}, ${because}`);
  }
  const sight = await observe(world, subject, { proved: [], revision: null, isThorough: true });
  const { observation, decision } = await judge(world, subject, sight.observation);
  const situation = { observation, profile: subject.profile, now: observation.observedAt };
  const all = await world.journal.history(user);
  const history = all.slice(-HISTORY_MAX).map(({ at, what, keyId, details: { because, lines } }) => {
    return { at: new Date(at).toISOString(), what, keyId, because, lines };
  });
  const rules = judgeAll(situation);
  return { command: "explain", user, observation, rules, decision, history, historyTotal: all.length };
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
