import { instant, days, hours } from "../../src/rotation/time.ts";
import type { World } from "../../src/rotation/world.ts";
import type { SweepResult } from "../../src/sweep.ts";
import { sweep } from "../../src/sweep.ts";
import { SimulatedClock } from "../world/clock.ts";
import { createCloud } from "../world/cloud.ts";
import type { CloudTrail } from "../world/cloudtrail.ts";
import { MemoryJournal } from "../world/direct/journal.ts";
import { isRipeNow, untilNextSweepMs } from "./cadence.ts";
import { castUser, shareSlot } from "./cast.ts";
import { checkersOf } from "./checkers/index.ts";
import type { SweptEvent } from "./checker.ts";
import { settle } from "./consumers.ts";
import type { Coverage } from "./coverage.ts";
import { count } from "./coverage.ts";
import { deedsOf } from "./deeds.ts";
import { errandsOf } from "./errands.ts";
import type { Errands } from "./errands.ts";
import { leakErrand } from "./leaks.ts";
import type { Deeds } from "./deeds.ts";
import { diceOf } from "./dice.ts";
import type { Dice } from "./dice.ts";
import { drawLife } from "./life.ts";
import type { Life } from "./life.ts";
import { faultPlan } from "./plan.ts";
import type { Run, Runs } from "./run.ts";
import { runsOf } from "./run.ts";
import { servingOf, START_MS } from "./stage.ts";
import type { Stage, Stats, Violation } from "./stage.ts";
import { traceOf } from "./trace.ts";
import { wordErrand } from "./words.ts";

/** What a seed gave. */
export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Readable lines, where the seed was traced. */
  readonly trace: readonly string[];
  readonly stats: Stats;
  readonly coverage: Coverage;
}

interface SimulateOptions {
  /** False for speed: a failing seed is run once more to be read. */
  readonly isTraced?: boolean;
  /** A mistake put into every run's world, to see that it is found. */
  readonly bend?: ((world: World) => World) | null;
  /** A sweep each hour while anything is open, as a deployment has it, however little is to be expected of it. */
  readonly isHourly?: boolean;
  /** As `drawLife` has it. */
  readonly crowd?: number;
}

const LASTS_MS = days(120);
const YEAR_MS = days(365);

/** The life of a seed. The same seed gives the same result, to the byte. */
export function simulate(seed: number, options: SimulateOptions = {}): Promise<SeedResult> {
  const life = drawLife(seed, options.crowd);
  return live({ ...life, isHourly: life.isHourly || options.isHourly === true }, options);
}

/**
 * One life: one to three users, 120 days. First faults and mischief; then all is mended, and every due rotation must
 * end. The same life gives the same result, to the byte.
 */
export async function live(life: Life, { isTraced = true, bend = null }: SimulateOptions = {}): Promise<SeedResult> {
  const { seed, troubledForMs, isHourly } = life;
  const stage = makeStage(life, isTraced);
  const dice = diceOf(seed, "life");
  const checkers = checkersOf(stage);
  const plan = faultPlan(diceOf(seed, "met"), life.troubles);
  const deeds = deedsOf(stage, diceOf(seed, "meanwhile"), life.deeds);
  const errands = errandsOf(stage, diceOf(seed, "errands"), () => runs);
  const meanwhile = (operation: string): void => {
    deeds.meanwhile(operation);
    errands.meanwhile(operation);
  };
  const runs: Runs = runsOf({ stage, dice: diceOf(seed, "runs"), plan, checkers, meanwhile, bend });
  planErrands(stage, life, errands);
  settle(stage);
  await stage.journal.setRunning(instant(START_MS));

  while (stage.clock.now() < START_MS + LASTS_MS && stage.violations.length === 0) {
    if (!stage.isHealed && stage.clock.now() >= START_MS + troubledForMs) {
      deeds.mend();
      stage.isHealed = true;
      stage.healedAtMs = stage.clock.now();
      stage.trace.note("", "healed", () => "from now on nothing goes wrong");
    }
    const event = await sweepAll(stage, dice, runs);
    await errands.rest();
    settle(stage);
    for (const checker of checkers) checker.swept?.(event);
    await leap(stage, dice, { deeds, errands, runs, usualMs: untilNextSweepMs(stage, plan, isHourly) });
  }
  for (const checker of checkers) await checker.ended?.();
  stage.stats.userYears = (stage.subjects.length * (stage.clock.now() - START_MS)) / YEAR_MS;
  const { violations, trace, stats, coverage } = stage;
  return { seed, violations, trace: trace.lines(), stats, coverage };
}

/** What was drawn to happen beside the schedule. */
function planErrands(stage: Stage, { leaks = [], words = [] }: Life, errands: Errands): void {
  for (const leak of leaks) {
    const subject = stage.subjects[leak.user];
    if (subject !== undefined) errands.plan(leakErrand(stage, subject, leak, errands.plan));
  }
  for (const word of words) {
    const subject = stage.subjects[word.user];
    if (subject !== undefined) errands.plan(wordErrand(stage, subject, word, errands.plan));
  }
}

function makeStage({ seed, cloud: drawn, users, sharesSlot }: Life, isTraced: boolean): Stage {
  const clock = new SimulatedClock(START_MS);
  const cloud = createCloud({ clock, seed, regions: ["us-east-1", "eu-central-1"], lags: drawn.lags });
  cloud.iam.pageSize = drawn.iamPageSize;
  cloud.secretsManager.pageSize = drawn.secretsPageSize;
  cloud.cloudTrail.hasEmptyPages = drawn.hasEmptyPages;
  cloud.cloudTrail.hasExactStart = drawn.hasExactStart;
  cloud.cloudTrail.isOfInterest = isKept(drawn.losesEventsOf, diceOf(seed, "trail"));
  const stage: Stage = {
    seed,
    clock,
    cloud,
    // A life that is read, and the one that failed is, goes through text as a table would have it.
    journal: new MemoryJournal({ isTrusting: !isTraced }),
    subjects: [],
    trace: traceOf(() => clock.now(), isTraced),
    stats: { reconciles: 0, sweeps: 0, rotations: 0, faults: 0, consumerCalls: 0, failedCalls: 0, userYears: 0 },
    coverage: {},
    violations: [],
    pausedMs: null,
    retiring: new Set(),
    heldByWord: new Set(),
    heldMs: new Map(),
    leaks: [],
    losesEvents: drawn.losesEventsOf !== null,
    thieves: [],
    readMs: new Map(),
    quarantinedMs: new Map(),
    takenByPeople: new Set(),
    strangers: new Set(),
    comingBackMs: new Map(),
    halfAdopted: new Set(),
    remadeMs: new Map(),
    meddledMs: new Map(),
    toldMs: new Map(),
    journalLostMs: Number.NEGATIVE_INFINITY,
    isHealed: false,
    healedAtMs: Number.POSITIVE_INFINITY,
  };
  for (const user of users) stage.subjects.push(castUser(stage, user));
  if (sharesSlot) shareSlot(stage.subjects);
  return stage;
}

/** CloudTrail may lose events for good; our own reads are never looked up. */
const isKept =
  (losesEventsOf: string | null, dice: Dice): NonNullable<CloudTrail["isOfInterest"]> =>
  ({ caller, operation, region }) =>
    (caller.kind === "user" || operation === "CreateAccessKey" || operation === "UpdateAccessKey") &&
    !((losesEventsOf === "every Region" || losesEventsOf === region) && dice.chance(0.5));

/** One invocation, and at times two or three at once. */
async function sweepAll(stage: Stage, dice: Dice, runs: Runs): Promise<SweptEvent> {
  // Where something is to be done, others come by more often.
  const isRipe = !stage.isHealed && stage.subjects.some((subject) => isRipeNow(stage, subject));
  const atOnce = dice.chance(isRipe ? 0.3 : 0.02) ? dice.between(2, 3) : 1;
  if (atOnce > 1) count(stage.coverage, "sweeps", `${String(atOnce)} at once`);
  const serving = servingOf(stage);
  const invoke = async (): Promise<SweptEvent["runs"][number]> => {
    const run = runs.begin({ isAmongOthers: atOnce > 1 });
    const started = sweep(run.world, { ...serving, mode: "act" });
    const result = await Promise.race([started, run.died]).catch((thrown: unknown) => {
      stage.trace.note("", "sweep", () => `run ${String(run.id)} could not run: ${String(thrown)}`);
      return "failed" as const;
    });
    if (typeof result === "string") {
      count(stage.coverage, "sweeps", result);
      return { run, result: null };
    }
    keep(stage, run, result);
    return { run, result };
  };
  const runsMade = await Promise.all(Array.from({ length: atOnce }, invoke));
  stage.stats.sweeps += atOnce;
  return { runs: runsMade };
}

/** Counts what a sweep decided and did. */
function keep(stage: Stage, run: Run, result: SweepResult): void {
  stage.stats.reconciles += result.users.length;
  for (const { user, decisions, error } of result.users) {
    for (const { rule, reason, step, outcome, because, error: failure } of decisions) {
      count(stage.coverage, "rule", rule);
      count(stage.coverage, "reason", reason);
      count(stage.coverage, "step", `${step} ${outcome}`);
      if (step === "delete" && outcome === "done" && reason === "SoakOver") stage.stats.rotations += 1;
      const said = failure === undefined ? because : `${failure.code}: ${failure.message}`;
      stage.trace.note(user, "decided", () => `${rule} ${step} ${reason} ${outcome} (run ${String(run.id)}): ${said}`);
    }
    if (error !== undefined) stage.trace.note(user, "failed", () => `${error.code}: ${error.message}`);
  }
}

interface Leap {
  readonly deeds: Deeds;
  readonly errands: Errands;
  readonly runs: Runs;
  readonly usualMs: number;
}

/** To the next invocation, at times early or late. */
async function leap(stage: Stage, dice: Dice, { deeds, errands, runs, usualMs }: Leap): Promise<void> {
  const lateMs = dice.chance(0.03) ? dice.between(0, hours(5)) : dice.between(-20_000, 20_000);
  const nextMs = dice.chance(0.02) ? stage.clock.now() + dice.between(0, 60_000) : stage.clock.now() + usualMs + lateMs;
  for (let atMs = errands.nextMs(nextMs); atMs !== null; atMs = errands.nextMs(nextMs)) {
    runs.arrive(atMs);
    await deeds.until(atMs);
    stage.clock.advance(Math.max(0, atMs - stage.clock.now()));
    await errands.doDue();
  }
  runs.arrive(nextMs);
  await deeds.until(nextMs);
  stage.clock.advance(Math.max(0, nextMs - stage.clock.now()));
  settle(stage);
}
