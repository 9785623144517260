import { minutes, plus, seconds } from "../../src/rotation/time.ts";
import type { Destination, World } from "../../src/rotation/world.ts";
import { LostAnswer, nameOf, ServiceError } from "../world/call.ts";
import type { CloudAnswer, CloudCall } from "../world/call.ts";
import { directWorld } from "../world/direct/world.ts";
import type { RecordingLog } from "../world/direct/recorders.ts";
import type { CallEvent, Checker } from "./checker.ts";
import { settle } from "./consumers.ts";
import { count } from "./coverage.ts";
import type { Dice } from "./dice.ts";
import type { FaultKind, FaultPlan } from "./plan.ts";
import { changes, userOf } from "./calls.ts";
import { comesBack, custodyPair, isRaced } from "./stage.ts";
import type { Stage } from "./stage.ts";
import { staleAnswers } from "./stale.ts";
import type { StaleAnswers } from "./stale.ts";
import type { Exchanged } from "./troubled.ts";
import { sentBy, UNWATCHED, troubledDestination, troubledJournal, troubledNotifier } from "./troubled.ts";

/** One invocation of Keyturn: its own world, in which calls fail, wait, and end with the process. */
export interface Run {
  readonly id: number;
  /** What somebody typed; null for a sweep, and for an event. */
  readonly word: string | null;
  readonly world: World;
  readonly log: RecordingLog;
  readonly startedMs: number;
  /** By user, what its profile delivered to when the run began: a process does not change its configuration. */
  readonly configured: ReadonlyMap<string, readonly Destination[]>;
  /** Settles when the process has died. */
  readonly died: Promise<"died">;
  isDead: boolean;
  /** The longest that one of its calls, or the process, stood still. */
  stalledMs: number;
  /** The operations at which something went wrong. */
  readonly troubles: Set<string>;
  /** When it was last told of a user's keys, tags or policies, or custody's labels: "keys user", "tags user". */
  readonly lookedMs: Map<string, number>;
}

/** What the runs of one seed share. */
export interface RunsOptions {
  readonly stage: Stage;
  readonly dice: Dice;
  readonly plan: FaultPlan;
  readonly checkers: readonly Checker[];
  /** Something that may happen between any two calls. */
  readonly meanwhile: (operation: string) => void;
  /** A mistake in the world of every run, which a checker must find. */
  readonly bend: ((world: World) => World) | null;
}

interface Beginning {
  readonly isAmongOthers: boolean;
  readonly word?: string | null;
}

export interface Runs {
  readonly begin: (options: Beginning) => Run;
  /** Lets what was still under way arrive, until an instant. */
  readonly arrive: (untilMs: number) => void;
}

type Parts = RunsOptions & {
  readonly stale: StaleAnswers;
  /** The checkers that hear every call. */
  readonly watchers: readonly Checker[];
  /** The runs that may be under way. */
  standing: readonly { readonly startedMs: number; readonly state: { stalledMs: number } }[];
  readonly late: { readonly atMs: number; readonly effect: () => unknown }[];
};

const READY = Promise.resolve();
/** Of each call its own: one for all would hold on to whoever waits for it, and so to every life that was lived. */
const never = (): Promise<never> => new Promise<never>(() => undefined);
const LATEST_MS = minutes(15);

/** Makes runs. Late effects and stale answers outlive the run that met them. */
export function runsOf(options: RunsOptions): Runs {
  const watchers = options.checkers.filter(({ after }) => after !== undefined);
  const parts: Parts = { ...options, watchers, stale: staleAnswers(options.stage), standing: [], late: [] };
  let id = 0;
  return {
    begin: (options) => beginRun(parts, { id: (id += 1), ...options }),
    arrive: (untilMs) => {
      arrive(parts, untilMs);
    },
  };
}

function arrive({ late, stage }: Parts, untilMs: number): void {
  for (const item of late.filter(({ atMs }) => atMs <= untilMs)) {
    late.splice(late.indexOf(item), 1);
    stage.clock.advance(Math.max(0, item.atMs - stage.clock.now()));
    item.effect();
  }
}

function beginRun(parts: Parts, { id, isAmongOthers, word = null }: Beginning & { readonly id: number }): Run {
  const { stage, dice } = parts;
  const { clock } = stage;
  const { promise: died, resolve: die } = Promise.withResolvers<"died">();
  const startedMs = clock.now();
  const configured = new Map(stage.subjects.map(({ user, destinations }) => [user, destinations]));
  const state = { isDead: false, stalledMs: 0, lookedMs: new Map<string, number>(), troubles: new Set<string>() };
  const isClose = dice.chance(0.02);
  const budgetMs = isClose ? seconds(dice.between(180, 200)) : minutes(14);
  const skewMs = dice.chance(0.3) ? seconds(dice.between(-115, 115)) : 0;

  const kill = (): Promise<never> => {
    state.isDead = true;
    stage.trace.note("", "fault", () => `run ${String(id)} died`);
    die("died");
    return never();
  };

  parts.standing = [...parts.standing.filter((other) => startedMs - other.startedMs < LATEST_MS), { startedMs, state }];
  const wait = (ms: number): void => {
    clock.advance(ms);
    // There is one clock: whoever is under way stands still as well, all together for as long as each of them.
    for (const other of parts.standing) {
      const isSelf = other.state === state;
      other.state.stalledMs = isSelf ? Math.max(state.stalledMs, ms) : other.state.stalledMs + ms;
    }
  };

  /** Others get their turn: a few moments, and at times as long as it takes. */
  const takeTurn = (operation: string): Promise<void> | undefined => {
    if (state.isDead || clock.now() - startedMs > LATEST_MS) return kill();
    if (isAmongOthers) return spin(operation);
    pass(operation);
    return undefined;
  };

  const spin = async (operation: string): Promise<void> => {
    const isLong = dice.chance(0.01);
    for (let spins = isLong ? dice.between(200, 3_000) : dice.between(0, 24); spins > 0; spins -= 1) await READY;
    // It may have died while it stood still: there is one process for all of its calls.
    if (state.isDead) return never();
    pass(operation);
  };

  const pass = (operation: string): void => {
    clock.advance(dice.between(5, 120));
    parts.meanwhile(operation);
    if (parts.late.length > 0) arrive(parts, clock.now());
  };

  const planned = (operation: string, user: string): FaultKind | null => {
    const kind = parts.plan.next(operation, clock.now());
    if (kind === null) return null;
    stage.stats.faults += 1;
    state.troubles.add(operation);
    count(stage.coverage, "fault", kind);
    stage.trace.note(user, "fault", () => `${kind} at ${operation} of run ${String(id)}`);
    return kind;
  };

  /** One exchange with the outside: an effect, told whether its answer is heard, and all that may go wrong around it. */
  const exchange = async <Answer>(
    { operation, user, refuse, sending }: Exchanged,
    effect: (isHeard: boolean) => Answer,
    stale?: () => Answer | null,
  ): Promise<Answer> => {
    await (takeTurn(operation) ?? READY);
    sending?.();
    const kind = planned(operation, user);
    if (kind === null) return effect(true);
    switch (kind) {
      case "die-before":
        return kill();
      case "die-after":
        await effect(false);
        return kill();
      case "slow":
      case "freeze":
        wait(kind === "slow" ? seconds(dice.between(5, 90)) : minutes(dice.between(2, 13)));
        if (state.isDead) return never();
        return effect(true);
      case "stale":
        return stale?.() ?? effect(true);
      case "timeout-before":
        wait(seconds(dice.between(5, 60)));
        throw refuse(kind);
      case "timeout-late":
        parts.late.push({
          atMs: clock.now() + seconds(dice.between(1, 90)),
          effect: () => ignoring(() => effect(false)),
        });
        wait(seconds(dice.between(5, 60)));
        throw refuse(kind);
      case "error-after":
      case "timeout-after":
        await effect(false);
        if (kind === "timeout-after") wait(seconds(dice.between(5, 60)));
        throw refuse(kind);
      case "error-before":
      case "denied":
      case "throttle":
        throw refuse(kind);
    }
  };

  const tell = (event: CallEvent): void => {
    for (const checker of parts.watchers) checker.after?.(event);
  };

  const send = async (request: CloudCall): Promise<CloudAnswer> => {
    const name = nameOf(request);
    const user = userOf(request);
    const isChange = changes(name);
    const isProbe = request.signer?.keyId !== stage.cloud.role.keyId;
    const event: { -readonly [Name in keyof CallEvent]: CallEvent[Name] } = {
      name,
      run,
      user,
      input: request.input,
      signerId: request.signer?.keyId ?? "",
      region: request.region,
      sent: UNWATCHED,
      answer: null,
      isStale: false,
      isHeard: true,
    };
    const serve = (isHeard: boolean): CloudAnswer => {
      if (isChange || isProbe || name === "iam.GetAccessKeyLastUsed" || name === "cloudtrail.LookupEvents")
        settle(stage);
      if (isChange) {
        stage.trace.note(user, "call", () => `${name} ${spelled(request.input)} by run ${String(id)}`);
        for (const checker of parts.checkers) checker.before?.(event);
        if (name === "iam.UpdateAccessKey") blame(stage, run, event);
      }
      const answer = stage.cloud.call(request);
      if (name === "secretsmanager.UpdateSecretVersionStage" && word !== null) forgetStrangers(stage, event);
      if (name === "iam.TagUser" || name === "iam.UntagUser") stage.heldMs.set(user, stage.clock.now());
      if (isHeard) noteLook(stage, run, { ...event, atMs: stage.clock.now() });
      tell({ ...event, answer, isHeard });
      parts.stale.keep(name, request, answer);
      return answer;
    };
    const stale = (): CloudAnswer | null => {
      const found = parts.stale.find(name, request);
      if (found === null) return null;
      noteLook(stage, run, { ...event, atMs: found.atMs });
      tell({ ...event, answer: found.answer, isStale: true });
      return found.answer;
    };
    const operation = name === "cloudtrail.LookupEvents" ? `${name}.${request.region}` : name;
    const sending = (): void => {
      if (isChange) event.sent = sentBy(stage, run, user);
    };
    return exchange({ operation, user, refuse: refusedByAws(request.service), sending }, serve, stale);
  };

  const base = directWorld(stage.cloud, {
    journal: stage.journal,
    // A few names of versions for all lives: an object that is keyed by them has a shape that V8 knows already.
    seed: (stage.seed % 4) * 7_919 + id,
    remainingMs: () => startedMs + budgetMs - clock.now(),
    send,
  });
  const outside = { ...parts, exchange };
  /** By profile, the destinations as this run reaches them. */
  const reached = new Map<string, readonly Destination[]>();
  const world: World = {
    ...base,
    log: {
      ...base.log,
      decision: (user, decision) => {
        base.log.decision(user, decision);
        for (const checker of parts.checkers) checker.decided?.(run, user, decision);
      },
    },
    journal: troubledJournal(outside, base.journal, () => run),
    destinations: {
      of: (profile) => {
        const known = reached.get(profile);
        if (known !== undefined) return known;
        const subject = stage.subjects.find((each) => each.profile.name === profile);
        const found =
          subject === undefined
            ? []
            : (configured.get(subject.user) ?? []).map((it) =>
                troubledDestination(outside, it, { subject, run: () => run }),
              );
        reached.set(profile, found);
        return found;
      },
    },
    notifiers: base.notifiers.map((notifier) => troubledNotifier(outside, notifier, () => run)),
    clock: {
      now: () => plus(base.clock.now(), skewMs),
      remainingMs: () => base.clock.remainingMs(),
      sleep: async (ms) => {
        await takeTurn("clock.sleep");
        await base.clock.sleep(ms);
      },
    },
  };
  const run: Run = Object.assign(state, {
    id,
    word,
    world: parts.bend?.(world) ?? world,
    log: base.log,
    startedMs,
    configured,
    died,
  });
  return run;
}

/** Whose doing it is that a key does not work: Keyturn's, but where a person was at it in the same minutes. */
function blame(stage: Stage, run: Run, { user, input }: Pick<CallEvent, "user" | "input">): void {
  const keyId = String(input["AccessKeyId"]);
  if (input["Status"] === "Active") comesBack(stage, keyId);
  else if (isRaced(stage, run, user)) stage.takenByPeople.add(keyId);
}

/** Once a word has emptied custody every key of the user is hand-made, and to be replaced. */
function forgetStrangers(stage: Stage, { user, input }: Pick<CallEvent, "user" | "input">): void {
  if (input["VersionStage"] !== "AWSCURRENT" || custodyPair(stage, user, "AWSCURRENT") !== null) return;
  for (const { id } of stage.cloud.iam.keysOf(user)) stage.strangers.delete(id);
}

/** A run knows what its last look has shown it, be that what was so a while ago. */
function noteLook(
  { subjects }: Stage,
  { lookedMs }: Run,
  { name, user, input, atMs }: Pick<CallEvent, "name" | "user" | "input"> & { readonly atMs: number },
): void {
  if (name === "iam.ListAccessKeys") lookedMs.set(`keys ${user}`, atMs);
  if (name === "secretsmanager.DescribeSecret") lookedMs.set(`custody ${user}`, atMs);
  if (name === "iam.GetUser") lookedMs.set(`tags ${user}`, atMs);
  // Whom the first page has shown the others do not show again.
  if (name !== "iam.GetAccountAuthorizationDetails" || input["Marker"] !== undefined) return;
  for (const { user: listed } of subjects) {
    lookedMs.set(`tags ${listed}`, atMs);
    lookedMs.set(`policies ${listed}`, atMs);
  }
}

/** A late effect that the service refuses is nobody's to hear. */
function ignoring(effect: () => unknown): void {
  try {
    const done = effect();
    if (done instanceof Promise) done.catch(() => undefined);
  } catch (thrown) {
    if (!(thrown instanceof ServiceError)) throw thrown;
  }
}

const spelled = (input: Readonly<Record<string, unknown>>): string =>
  Object.entries(input)
    .filter(([name]) => !["SecretString", "Tags", "UserName", "SecretId"].includes(name))
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");

function refusedByAws(service: string): (kind: FaultKind) => Error {
  return (kind) => {
    if (kind.startsWith("timeout")) return new LostAnswer();
    if (kind === "denied")
      return new ServiceError(service === "iam" ? "AccessDenied" : "AccessDeniedException", "no", 403);
    if (kind === "throttle")
      return new ServiceError(["iam", "sts"].includes(service) ? "Throttling" : "ThrottlingException", "Rate exceeded");
    return new ServiceError(service === "iam" ? "ServiceFailure" : "InternalServiceError", "no", 500);
  };
}
