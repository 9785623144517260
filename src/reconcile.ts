import type { Done, StepOf } from "./act/acting.ts";
import { carryDescription } from "./act/carry-description.ts";
import { close } from "./act/close.ts";
import { type Acted, act } from "./act/index.ts";
import { guardKept } from "./act/guard-custody.ts";
import { type Ledger, openLedger } from "./act/ledger.ts";
import { judge, type Judged } from "./judge.ts";
import { type Made, observe, type Subject } from "./observe/observe.ts";
import { restOf } from "./observe/rest.ts";
import type { Turn } from "./report/notices.ts";
import { tell } from "./report/report.ts";
import { RotationError, asRotationError } from "./rotation/errors.ts";
import type { Step } from "./rotation/decision.ts";
import type { Exposure } from "./rotation/exposure.ts";
import type { AccessKeyId } from "./rotation/keys.ts";
import type { Notice } from "./rotation/notice.ts";
import type { Observation } from "./rotation/observation.ts";
import { type Instant, instant } from "./rotation/time.ts";
import type { CreatedKey, World } from "./rotation/world.ts";

/** A first rotation takes create, prove, and promote; and a delivery for each destination, which are counted apart. */
const STEPS_MAX = 16;

export interface ReconcileOptions {
  /** Names this run in the leases that it takes. */
  readonly holder: string;
  /** `plan` only decides. `look` is what a paused installation does: it decides, remembers and reports. */
  readonly mode: "act" | "look" | "plan";
}

/** What became of one user: each decision with its outcome, what ended it before its time, and who could not be told. */
export interface Reconciled {
  readonly turns: readonly Turn[];
  readonly failure: RotationError | null;
  readonly failedNotifiers: readonly string[];
  /** What was told and lasts. */
  readonly open: readonly Notice[];
  /** When its active keys were made. */
  readonly keysMadeAt: readonly Instant[];
  /** Nothing is in motion, and the next sweeps need not look. */
  readonly isAtRest: boolean;
}

/** What one run knows of its user. */
interface Course {
  readonly turns: Turn[];
  judged: Judged | null;
  ledger: Ledger | null;
  /** What the last step left behind; null before the first. */
  done: Done | null;
  /** The replacement that this run has made, with its pair. */
  made: CreatedKey | null;
  /** That one, or one that answered this run: there, although IAM's listing may not show it for minutes. */
  there: Made | null;
  readonly proved: AccessKeyId[];
  /** Those that did not answer. */
  readonly dead: AccessKeyId[];
  /** What was tried for an exposed key, and could not be done. */
  readonly stalled: Step[];
  /** Exposed keys whose marks were refused: this run knows them all the same. */
  readonly unmarked: Exposure[];
}

/** One user: observe → decide → act, one step at a time until there is nothing to do; then report. Never throws. */
export async function reconcile(world: World, subject: Subject, options: ReconcileOptions): Promise<Reconciled> {
  const course: Course = {
    turns: [],
    judged: null,
    ledger: null,
    done: null,
    made: null,
    there: null,
    proved: [],
    dead: [],
    stalled: [],
    unmarked: [],
  };
  let failure: RotationError | null = null;
  try {
    for (let left = STEPS_MAX + subject.destinations.length; left > 0; left -= 1) {
      const told = { ...subject, exposures: [...(subject.exposures ?? []), ...course.unmarked] };
      const { observation, ledger } = await see(world, told, { course, options });
      course.judged = await judge(world, told, observation);
      const { outcome, done } = await take(world, told, { judged: course.judged, ledger, course, options });
      course.turns.push({ decision: course.judged.decision, outcome });
      course.made = done?.made ?? course.made;
      noteOutcome(course, observation, outcome);
      if (done === null && !isSetAside(course, outcome)) break;
      course.done = done;
    }
  } catch (thrown) {
    failure = asRotationError(thrown, `looking at ${subject.user}`);
    world.log.event("error", "a user could not be looked at", { user: subject.user, error: failure });
  }
  return conclude(world, subject, { course, failure, options });
}

/** What a step taught this run of the key that it was about, whatever IAM's listing shows. */
function noteOutcome(
  course: Course,
  { keys, custody, record, observedAt }: Observation,
  outcome: Turn["outcome"],
): void {
  if (outcome === null || outcome.kind === "held") return;
  const { kind, step } = outcome;
  if (kind === "done" && step.kind === "create-replacement") course.there = course.made;
  if (kind === "done" && step.kind === "prove") {
    course.proved.push(step.keyId);
    const begunAt = (custody.kind === "present" ? custody.intent?.at : null) ?? record.intent?.at ?? observedAt;
    if (!keys.some(({ id }) => id === step.keyId)) course.there = { id: step.keyId, createdAt: begunAt };
  }
  const isTaken = kind === "done" && (step.kind === "delete" || step.kind === "deactivate");
  // Whether one that does not answer is there at all is IAM's to say.
  const isDead = kind === "withdrawn" && step.kind === "prove";
  if (isDead) course.dead.push(step.keyId);
  if ((isTaken || isDead) && step.keyId === course.there?.id) course.there = null;
}

/** For an exposed key nothing may stand in the way: what failed is left aside, and the next thing is tried. */
function isSetAside({ judged, ledger, stalled, unmarked }: Course, outcome: Turn["outcome"]): boolean {
  if (judged?.decision.rule !== "exposed" || ledger?.isLost() !== false) return false;
  if (outcome === null || outcome.kind === "held" || outcome.kind === "done") return false;
  if (outcome.kind === "withdrawn" && outcome.isMoved === true) return false;
  if (outcome.step.kind === "deactivate") return false;
  if (outcome.step.kind === "mark") unmarked.push(...datedBy(outcome.step));
  stalled.push(outcome.step);
  return true;
}

/**
 * What a mark that was refused would have said, from when on the world shows it: so a key is cut an hour later by a run that
 * cannot mark it either. Nothing, where only the mark could tell the keys of before a quarantine from those after it. Who
 * read custody may not be there to be asked again: what it read is cut at once.
 */
function datedBy({ exposures, quarantine }: StepOf<"mark">): readonly Exposure[] {
  if (quarantine === null) return exposures.map((exposure) => ({ ...exposure, at: instant(0) }));
  const { at } = quarantine;
  return exposures.filter((exposure) => at < exposure.at).map((exposure) => ({ ...exposure, at }));
}

/** The world as the last step left it, where the step knows that by the answers it got; else as it is observed now. */
async function see(
  world: World,
  subject: Subject,
  { course, options }: { readonly course: Course; readonly options: ReconcileOptions },
): Promise<{ readonly observation: Observation; readonly ledger: Ledger }> {
  const { done, ledger, proved, stalled, dead } = course;
  if (ledger !== null && done !== null && done.observation !== null) return { observation: done.observation, ledger };
  const known = {
    proved: [...proved],
    stalled: [...stalled],
    dead: [...dead],
    revision: ledger?.revision() ?? subject.revision,
    there: course.there,
    isThorough: done === null,
  };
  const { observation, revision } = await observe(world, subject, known);
  course.ledger ??= openLedger(world, revision, { record: observation.record, holder: options.holder });
  return { observation, ledger: course.ledger };
}

interface Chosen {
  readonly judged: Judged;
  readonly ledger: Ledger;
  readonly course: Course;
  readonly options: ReconcileOptions;
}

/** What became of one decision. */
async function take(
  world: World,
  subject: Subject,
  { judged, ledger, course, options }: Chosen,
): Promise<{ readonly outcome: Turn["outcome"]; readonly done: Acted["done"] }> {
  const { decision, observation } = judged;
  const { step } = decision;
  ledger.stage(() => observation.record);
  world.log.decision(subject.user, decision);
  if (step.kind === "hold" || step.kind === "look") return { outcome: { kind: "held" }, done: null };
  const { profile } = subject;
  // A mark is written down in a paused installation, too: nothing else remembers it.
  const isActing = options.mode === "act" || (options.mode === "look" && step.kind === "mark");
  if (!isActing || profile === null) return { outcome: null, done: null };
  const { made, there } = course;
  const acted = await act({ world, subject, profile, observation, decision, ledger, made, there }, step);
  world.log.outcome(subject.user, acted.outcome);
  return acted;
}

interface Ending {
  readonly course: Course;
  readonly failure: RotationError | null;
  readonly options: ReconcileOptions;
}

async function conclude(world: World, subject: Subject, { course, failure, options }: Ending): Promise<Reconciled> {
  const { judged, ledger, turns } = course;
  const active = (judged?.observation.keys ?? []).filter(({ status }) => status === "active");
  const keysMadeAt = active.map(({ createdAt }) => createdAt);
  const spot = judged?.observation.blindSpots.find(({ about }) => about === "journal");
  // Without the journal nothing can be said just once: the failed sweep says it for all users.
  const blind = spot === undefined ? null : new RotationError("Unreachable", spot.because);
  if (judged === null || ledger === null || blind !== null || options.mode === "plan") {
    return { turns, failure: failure ?? blind, failedNotifiers: [], open: [], keysMadeAt, isAtRest: false };
  }
  const { user, profile } = subject;
  const { observation, decision } = judged;
  const isCarrying = options.mode === "act" && failure === null && decision.reason !== "OtherUserSameName";
  const undescribed = isCarrying ? await carryDescription({ world, subject, observation, ledger }) : null;
  const unguarded = isCarrying ? await guardKept({ world, subject, observation, ledger }) : null;
  const findings = { user, now: observation.observedAt, profile, observation, turns, failure, undescribed, unguarded };
  const told = await tell(world, findings, observation.record.notices);
  const { records: notices, failed: failedNotifiers, open } = told;
  const isQuiet = failedNotifiers.length === 0 && !told.isWaiting;
  // Who could not be told is told by the next sweep, which therefore has to look; and so is that something is over.
  const isSettled = failure === null && undescribed === null && unguarded === null && isQuiet;
  const rest = isSettled ? restOf(subject, observation, decision) : null;
  const isUnderWay = turns.some(({ outcome }) => outcome?.kind === "failed" && outcome.error.outcomeUnknown);
  const unwritten = await close(world, ledger, { notices, rest, isUnderWay });
  const isAtRest = rest !== null && unwritten === null && !ledger.isLost();
  return { turns, failure: failure ?? unwritten, failedNotifiers, open, keysMadeAt, isAtRest };
}
