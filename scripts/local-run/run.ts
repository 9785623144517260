import type { MistakeName } from "../mistakes/index.ts";
import { callsIn, failedIn } from "./calls.ts";
import type { CallBook } from "./calls.ts";
import { deploy } from "./deployment.ts";
import { START_MS, startLocalCloud } from "./local-cloud.ts";
import type { LocalCloud } from "./local-cloud.ts";
import { createReaders } from "./readers.ts";
import type { Reader } from "./readers.ts";
import { dayOf, isOver, lookAt, openRotations } from "./rotations.ts";
import type { Rotation } from "./rotations.ts";
import { openTimeline } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";
import { createWorkerCallers } from "./worker-callers.ts";
import type { WorkerCallers } from "./worker-callers.ts";

const HOUR_MS = 3_600_000;
const HOURS_MAX = 80 * 24;
/** A key that is missed after all is missed within a day of its deletion: nightly jobs and laptops have been there by then. */
const HOURS_AFTERWARDS = 24;
/** With a mistake built in: a failed call has shown it, and three days more show how it goes on. */
const HOURS_AFTER_A_FAILURE = 72;

/** Where a run is. */
export interface Progress {
  readonly day: number;
  readonly sweeps: number;
  readonly calls: number;
  readonly failed: number;
  readonly over: number;
}

interface RunOptions {
  readonly mistake: MistakeName | null;
  readonly onProgress: (progress: Progress) => void;
}

/** A notice as SNS got it: its subject, and the first line of its text. */
interface SentNotice {
  readonly atMs: number;
  readonly subject: string;
  readonly text: string;
}

/** Everything that a run has to tell when it is over. */
export interface LocalRun {
  readonly mistake: MistakeName | null;
  readonly rotations: readonly (Rotation & { readonly isOver: boolean })[];
  readonly timeline: Timeline;
  readonly notices: readonly SentNotice[];
  readonly books: readonly CallBook[];
  readonly progress: Progress;
  readonly wallMs: number;
}

/** The pieces of a run under way. */
interface Stage {
  readonly local: LocalCloud;
  readonly sweep: () => ReturnType<Awaited<ReturnType<typeof deploy>>["sweep"]>;
  readonly callers: WorkerCallers;
  readonly readers: readonly Reader[];
  readonly books: readonly CallBook[];
  readonly rotations: readonly Rotation[];
  readonly timeline: Timeline;
}

/** Rotates the five systems hour after hour, until every rotation is over, or the time for it is. */
export async function runLocally(options: RunOptions): Promise<LocalRun> {
  const startedAtMs = performance.now();
  const local = await startLocalCloud();
  try {
    const deployment = await deploy(local, options.mistake);
    await deployment.resume();
    const callers = createWorkerCallers(local);
    const readers = createReaders(local);
    const stage: Stage = {
      local,
      sweep: () => deployment.sweep(),
      callers,
      readers,
      books: [...callers.books, ...readers.map(({ book }) => book)],
      rotations: openRotations(local),
      timeline: openTimeline(),
    };
    const progress = await passHours(stage, options);
    return tell(stage, { ...options, progress, wallMs: performance.now() - startedAtMs });
  } finally {
    await local.close();
  }
}

async function passHours(stage: Stage, { mistake, onProgress }: RunOptions): Promise<Progress> {
  let endsAfter = HOURS_MAX;
  let progress = progressOf(stage, 0);
  for (let hours = 0; hours < endsAfter; hours += 1) {
    await passHour(stage, hours);
    progress = progressOf(stage, hours + 1);
    onProgress(progress);
    const isDone = progress.over === stage.rotations.length;
    if (isDone) endsAfter = Math.min(endsAfter, hours + HOURS_AFTERWARDS);
    if (mistake !== null && progress.failed > 0) {
      endsAfter = Math.min(endsAfter, hours + HOURS_AFTER_A_FAILURE);
    }
  }
  return progress;
}

/** One hour: a sweep, with everybody at work while it is open; then, with no request in flight, the leap to the next. */
async function passHour(stage: Stage, hours: number): Promise<void> {
  const { local, callers, readers, rotations, timeline } = stage;
  const openedAtMs = local.clock.now();
  local.clock.run();
  callers.open();
  const [result] = await Promise.all([
    stage.sweep(),
    ...readers.filter((reader) => reader.isAtWork(hours)).map((reader) => reader.work()),
  ]);
  // What was deployed in this sweep is live before its hour ends, as it would be at Cloudflare.
  await local.edge.settled();
  await callers.close();
  local.clock.stop();
  timeline.enter(result, openedAtMs);
  for (const rotation of rotations) lookAt(local, rotation);
  local.clock.advance(START_MS + (hours + 1) * HOUR_MS - local.clock.now());
}

const progressOf = ({ local, books, rotations }: Stage, sweeps: number): Progress => ({
  day: dayOf(local.clock.now()),
  sweeps,
  calls: callsIn(books),
  failed: failedIn(books),
  over: rotations.filter((rotation) => isOver(local, rotation, books)).length,
});

function tell(
  { local, books, rotations, timeline }: Stage,
  ending: Pick<LocalRun, "mistake" | "progress" | "wallMs">,
): LocalRun {
  const { mistake, progress, wallMs } = ending;
  return {
    mistake,
    rotations: rotations.map((rotation) => ({ ...rotation, isOver: isOver(local, rotation, books) })),
    timeline,
    notices: local.cloud.sns.published.map(({ atMs, subject, message }) => ({
      atMs,
      subject: subject ?? "",
      text: message.split("\n", 1)[0] ?? "",
    })),
    books,
    progress,
    wallMs,
  };
}
