import { MISTAKES } from "../mistakes/index.ts";
import type { MistakeName } from "../mistakes/index.ts";
import { callsIn, failedIn } from "./calls.ts";
import type { CallBook, ConsumerCall } from "./calls.ts";
import { START_MS } from "./local-cloud.ts";
import { dayOf } from "./rotations.ts";
import type { LocalRun } from "./run.ts";

interface SystemReport {
  readonly system: string;
  readonly user: string;
  readonly oldKey: string;
  readonly newKey: string | null;
  readonly oldKeyAgeDays: number;
  /** Days since the beginning of the run; null for what did not come about. */
  readonly createdDay: number | null;
  readonly promotedDay: number | null;
  readonly inactiveDay: number | null;
  readonly deletedDay: number | null;
  readonly calls: number;
  readonly failed: number;
  readonly isRotated: boolean;
  readonly consumers: readonly {
    readonly name: string;
    readonly calls: number;
    readonly failed: number;
    /** When it first signed with the new key; null when it never did. */
    readonly tookNewKeyAt: string | null;
    readonly failures: readonly (Omit<ConsumerCall, "atMs"> & { readonly at: string })[];
  }[];
}

interface TimelineReport {
  readonly day: number;
  readonly at: string;
  readonly user: string;
  readonly step: string;
  readonly rule: string;
  readonly reason: string;
  readonly because: string;
  readonly outcome: string;
}

interface NoticeReport {
  readonly day: number;
  readonly at: string;
  readonly subject: string;
  readonly text: string;
}

/** What a run came to, as `--json` prints it. */
export interface Report {
  readonly mistake: { readonly name: MistakeName; readonly is: string } | null;
  readonly systems: readonly SystemReport[];
  readonly timeline: readonly TimelineReport[];
  readonly notices: readonly NoticeReport[];
  readonly startedAt: string;
  readonly days: number;
  readonly sweeps: number;
  readonly calls: number;
  readonly failed: number;
  readonly rotated: number;
  readonly wallSeconds: number;
  readonly summary: string;
  /** Every system was rotated, and no call of a consumer failed. */
  readonly isGood: boolean;
}

const isoOf = (atMs: number): string => new Date(atMs).toISOString();

export function reportOf(run: LocalRun): Report {
  const { mistake, progress } = run;
  const systems = run.rotations.map((rotation) => systemOf(run, rotation));
  const { calls, failed, over: rotated } = progress;
  return {
    mistake: mistake === null ? null : { name: mistake, is: MISTAKES[mistake].is },
    systems,
    timeline: run.timeline.happenings.map(({ atMs, ...happening }) => ({
      day: dayOf(atMs),
      at: isoOf(atMs),
      ...happening,
    })),
    notices: run.notices.map(({ atMs, subject, text }) => ({
      day: dayOf(atMs),
      at: isoOf(atMs),
      subject,
      text,
    })),
    startedAt: isoOf(START_MS),
    days: progress.day,
    sweeps: progress.sweeps,
    calls,
    failed,
    rotated,
    wallSeconds: Math.round(run.wallMs / 100) / 10,
    summary: `${String(rotated)} of ${String(systems.length)} systems rotated · ${String(calls)} consumer calls · ${String(failed)} failed`,
    isGood: rotated === systems.length && failed === 0,
  };
}

function firstWith({ firsts }: CallBook, key: string | null): string | null {
  const first = firsts.get((key ?? "").slice(-4));
  return first === undefined ? null : isoOf(first.atMs);
}

function systemOf(run: LocalRun, rotation: LocalRun["rotations"][number]): SystemReport {
  const { isOver: isRotated, ...rest } = rotation;
  const books = run.books.filter(({ system }) => system === rotation.system);
  return {
    ...rest,
    calls: callsIn(books),
    failed: failedIn(books),
    isRotated,
    consumers: books.map((book) => ({
      name: book.consumer,
      calls: book.count(),
      failed: book.failures.length,
      tookNewKeyAt: firstWith(book, rotation.newKey),
      failures: book.failures.map(({ atMs, ...call }) => ({ at: isoOf(atMs), ...call })),
    })),
  };
}
