import type { CliCommand, Terminal } from "../command.ts";
import { tellUnknown, withFunction } from "../function.ts";
import { table } from "../text-table.ts";
import { isAsked, outJson, outText } from "../typed.ts";

type Said = { readonly message: string };

/** What a sweep and a plan answer. */
export interface Swept {
  readonly command: string;
  readonly status: string;
  readonly isPaused: boolean;
  readonly resting: number;
  readonly left: readonly string[];
  /** Left out by a function of before. */
  readonly untold?: readonly string[];
  readonly failedNotifiers: readonly string[];
  readonly users: readonly {
    readonly user: string;
    readonly decisions: readonly {
      readonly step: string;
      readonly because: string;
      readonly outcome: string;
      readonly error?: Said;
    }[];
    readonly error?: Said;
  }[];
}

/** What a sweep or a plan ends with: 1 also where somebody was asked for whom nobody knows. */
export function exitOf(terminal: Terminal, asked: readonly string[], swept: Swept): 0 | 1 {
  const { users, left, untold = [], status } = swept;
  const unknown = tellUnknown(terminal, asked, [...users.map(({ user }) => user), ...left, ...untold]);
  return status === "ok" ? unknown : 1;
}

/** A line a step, and what needs saying of the whole. */
export function describeSweep(terminal: Terminal, swept: Swept): void {
  const rows = swept.users.flatMap(({ user, decisions, error }) => [
    ...decisions.map(({ step, because, outcome, error: failure }) => [
      user,
      step,
      outcome,
      failure?.message ?? because,
    ]),
    ...(error === undefined ? [] : [[user, "look", "failed", error.message]]),
  ]);
  if (rows.length > 0) terminal.out(table(["USER", "STEP", "OUTCOME", "BECAUSE"], rows, terminal.columns));
  else outText(terminal, "There was nobody to look at.");
  const { untold = [] } = swept;
  const notes = [
    swept.resting > 0 ? `${String(swept.resting)} at rest were not looked at.` : [],
    untold.length > 0 ? `${String(untold.length)} more were looked at, and are too many to show: see status.` : [],
    swept.left.length > 0 ? `No time was left for ${String(swept.left.length)}: say it again.` : [],
    swept.failedNotifiers.length > 0 ? `Notices could not be sent by ${swept.failedNotifiers.join(", ")}.` : [],
    swept.isPaused ? "Paused: nothing was changed. `keyturn resume` lets sweeps act." : [],
  ].flat();
  if (notes.length > 0) outText(terminal, `\n${notes.join("\n")}`);
}

export const SWEEP: CliCommand = {
  name: "sweep",
  usage: "[<user> …]",
  summary: "Does now what the schedule does every hour.",
  help: `Takes each user as far as the rules allow. Without names, users at rest are not looked at.

  keyturn sweep
  keyturn sweep flowid-dev-user`,
  options: {},
  async run(typed, terminal) {
    const users = typed.positionals.length === 0 ? {} : { users: typed.positionals };
    if (terminal.isInteractive) terminal.err("Sweeping; proving a new key alone may take two minutes …\n");
    const swept = (await withFunction(typed, terminal, (ask) => ask({ command: "sweep", ...users }))) as Swept;
    if (isAsked(typed, "json")) outJson(terminal, swept);
    else describeSweep(terminal, swept);
    return exitOf(terminal, typed.positionals, swept);
  },
};
