import { close } from "./act/close.ts";
import { act } from "./act/index.ts";
import { openLedger } from "./act/ledger.ts";
import { judge, type Judged } from "./judge.ts";
import type { Subject } from "./observe/observe.ts";
import type { Turn } from "./report/notices.ts";
import { tell } from "./report/report.ts";
import { RotationError, asRotationError } from "./rotation/errors.ts";
import type { AccessKeyId } from "./rotation/keys.ts";
import type { Revision, World } from "./rotation/world.ts";

/** A first rotation takes create, prove, a delivery for each destination, and promote. */
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
}

/** One user: observe → decide → act, one step at a time until there is nothing to do; then report. Never throws. */
export async function reconcile(world: World, subject: Subject, options: ReconcileOptions): Promise<Reconciled> {
  const turns: Turn[] = [];
  const proved: AccessKeyId[] = [];
  let judged: Judged | null = null;
  let revision: Revision | null = null;
  let failure: RotationError | null = null;
  try {
    for (let count = 0; count < STEPS_MAX; count += 1) {
      // Once a sweep custody is read back whole; after our own steps its labels tell enough.
      judged = await judge(world, subject, { proved, revision, isThorough: turns.length === 0 });
      const turn = await take(world, subject, { judged, options });
      turns.push(turn);
      revision = turn.revision;
      if (turn.outcome?.kind !== "done") break;
      if (turn.outcome.step.kind === "prove") proved.push(turn.outcome.step.keyId);
    }
  } catch (thrown) {
    failure = asRotationError(thrown, `looking at ${subject.user}`);
    world.log.event("error", "a user could not be looked at", { user: subject.user, error: failure });
  }
  return conclude(world, subject, { judged, turns, failure, revision, options });
}

interface Course {
  readonly judged: Judged | null;
  readonly turns: readonly Turn[];
  readonly failure: RotationError | null;
  readonly revision: Revision | null;
  readonly options: ReconcileOptions;
}

/** A turn, and the journal as this run knows it after it; null when a write may or may not have been made. */
type Taken = Turn & { readonly revision: Revision | null };

/** One turn: the decision, and what became of it. */
async function take(
  world: World,
  subject: Subject,
  { judged, options }: { readonly judged: Judged; readonly options: ReconcileOptions },
): Promise<Taken> {
  const { decision, observation, revision } = judged;
  const { step } = decision;
  world.log.decision(subject.user, decision);
  if (step.kind === "hold" || step.kind === "look") return { decision, outcome: { kind: "held" }, revision };
  if (options.mode !== "act" || subject.profile === null) return { decision, outcome: null, revision };
  const ledger = openLedger(world, revision, { record: observation.record, holder: options.holder });
  const outcome = await act({ world, subject, profile: subject.profile, observation, decision, ledger }, step);
  world.log.outcome(subject.user, outcome);
  return { decision, outcome, revision: outcome.kind === "failed" ? null : ledger.revision() };
}

async function conclude(world: World, { user, profile }: Subject, course: Course): Promise<Reconciled> {
  const { judged, turns, failure, options } = course;
  const spot = judged?.observation.blindSpots.find(({ about }) => about === "journal");
  // Without the journal nothing can be said just once: the failed sweep says it for all users.
  const blind = spot === undefined ? null : new RotationError("Unreachable", spot.because);
  if (judged === null || blind !== null || options.mode === "plan") {
    return { turns, failure: failure ?? blind, failedNotifiers: [] };
  }
  const { observation } = judged;
  const findings = { user, now: observation.observedAt, profile, observation, turns, failure };
  const { records, failed } = await tell(world, findings, observation.record.notices);
  const hasActed = turns.some(({ outcome }) => outcome !== null && outcome.kind !== "held");
  const { holder } = options;
  const unwritten = await close(world, judged, { holder, revision: course.revision, hasActed, notices: records });
  return { turns, failure: failure ?? unwritten, failedNotifiers: failed };
}
