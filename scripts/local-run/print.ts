import type { Report } from "./report.ts";
import type { Progress } from "./run.ts";

type SystemReport = Report["systems"][number];

const WIDTH = 100;
const DAY_MS = 86_400_000;

interface Run {
  readonly startMs: number;
  readonly days: number;
}

const VERBS: Readonly<Record<string, string>> = {
  "create-replacement": "created",
  prove: "proved",
  deliver: "delivered",
  promote: "promoted",
  "withdraw-pending": "withdrawn",
  deactivate: "deactivated",
  reactivate: "reactivated",
  delete: "deleted",
  hold: "waits",
};

/** One line on where a run is. */
export const progressLine = ({ day, sweeps, calls, failed, over }: Progress): string =>
  `day ${String(Math.floor(day)).padStart(2)} · ${String(sweeps)} sweeps · ${String(calls)} consumer calls · ` +
  `${String(failed)} failed · ${String(over)} of 5 systems rotated`;

/** The whole report for people, at most 100 columns wide. Its last line is the summary. */
export function printed(report: Report): string {
  const { systems, mistake, days, sweeps, failed, wallSeconds } = report;
  const seconds = `${String(wallSeconds)} s`;
  const lines = [
    ...systems.flatMap((system) => [...storyOf(report, system), ""]),
    ...tableOf(systems),
    "",
    `${String(Math.round(days))} days, ${String(sweeps)} sweeps, in ${seconds}.`,
    ...(mistake === null ? [] : [`Built in: ${mistake.is}.`]),
    ...(mistake !== null && failed > 0 ? ["A failed call has shown it, so the run ended early."] : []),
    report.summary,
  ];
  return lines.join("\n");
}

/** What happened to one system's keys, when and why, and how its consumers fared. */
function storyOf({ timeline, notices, days, startedAt }: Report, system: SystemReport): string[] {
  const { user, oldKey, newKey, oldKeyAgeDays, consumers } = system;
  const run = { days, startMs: Date.parse(startedAt) };
  const acts = timeline
    .filter((happening) => happening.user === user)
    .map(({ at, step, outcome, because }) => ({ at, verb: verbOf(step, outcome), text: because }));
  const taken = consumers.flatMap(({ name, tookNewKeyAt: at }) =>
    at === null ? [] : [{ at, verb: "in use", text: `${name} signs with ${newKey ?? ""}` }],
  );
  const told = noticesOf(notices, user);
  const events = [...acts, ...taken, ...told].toSorted((one, other) => one.at.localeCompare(other.at));
  return [
    `${system.system} · ${user}`,
    `  begins with ${oldKey}, which is ${String(oldKeyAgeDays)} days old`,
    ...events.flatMap(({ at, verb, text }) => entry(`  ${clockOf(run, at)}  ${verb.padEnd(11)}  `, text)),
    ...consumers.flatMap((consumer) => callLines(consumer, run)),
  ];
}

/** Notices of the same words are one line, at the first of them. */
function noticesOf(notices: Report["notices"], user: string): { at: string; verb: string; text: string }[] {
  const own = notices.filter(({ subject }) => subject.includes(` ${user}:`));
  const subjects = [...new Set(own.map(({ subject }) => subject))];
  return subjects.flatMap((subject) => {
    const same = own.filter((notice) => notice.subject === subject);
    const again = same.length > 1 ? `, said ${String(same.length)} times` : "";
    const words = subject.replace("[keyturn] ", "").replace(`${user}: `, "");
    return same.slice(0, 1).map(({ at }) => ({ at, verb: "notice", text: words + again }));
  });
}

function verbOf(step: string, outcome: string): string {
  if (outcome === "done" || outcome === "held") return VERBS[step] ?? step;
  return outcome;
}

function callLines({ name, calls, failures }: SystemReport["consumers"][number], run: Run): string[] {
  const made = calls === 0 ? `no calls in ${String(Math.round(run.days))} days` : `${String(calls)} calls`;
  const codes = [...new Set(failures.map(({ code }) => code))];
  const failed = codes.map((code) => {
    const times = failures.filter((failure) => failure.code === code).map(({ at }) => clockOf(run, at));
    const [first = "", last = ""] = [times[0], times.at(-1)];
    const when = first === last ? `on ${first}` : `from ${first} to ${last}`;
    return `${String(times.length)} × ${code ?? ""} ${when}`;
  });
  const sum = failures.length === 0 ? "0 failed" : `${String(failures.length)} FAILED: ${failed.join(", ")}`;
  return entry(`  ${name.padEnd(26)}  `, `${made}, ${sum}`);
}

/** "day  0 06:00". */
function clockOf({ startMs }: Run, at: string): string {
  const ms = Date.parse(at) - startMs;
  const day = String(Math.floor(ms / DAY_MS)).padStart(2);
  return `day ${day} ${new Date(ms).toISOString().slice(11, 16)}`;
}

/** A text behind its head, broken between words and indented to where it began. */
function entry(head: string, text: string): string[] {
  const lines: string[] = [];
  let line = head;
  for (const word of text.split(" ")) {
    const isFull = line.length + word.length > WIDTH && line.trim() !== "";
    if (isFull && line !== head) {
      lines.push(line.trimEnd());
      line = " ".repeat(head.length);
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}

const COLUMNS = ["created", "promoted", "inactive", "deleted", "calls", "failed"] as const;
const COLUMN_WIDTH = 10;

function tableOf(systems: readonly SystemReport[]): string[] {
  const row = (head: string, cells: readonly string[]): string =>
    head.padEnd(WIDTH - COLUMN_WIDTH * COLUMNS.length) + cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join("");
  return [
    row("system (on which day of the run)", COLUMNS),
    "─".repeat(WIDTH),
    ...systems.flatMap((system) => {
      const { createdDay, promotedDay, inactiveDay, deletedDay, calls, failed } = system;
      const days = [createdDay, promotedDay, inactiveDay, deletedDay];
      return [
        row(system.system, [...days.map(dayCell), String(calls), String(failed)]),
        `  ${system.user}: ${system.oldKey} → ${system.newKey ?? "none"}`,
      ];
    }),
  ];
}

const dayCell = (day: number | null): string => (day === null ? "–" : day.toFixed(1));
