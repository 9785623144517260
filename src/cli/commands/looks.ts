import type { CliCommand, Terminal } from "../command.ts";
import { collect, tellUnknown, withFunction } from "../function.ts";
import { table } from "../text-table.ts";
import { age, isAsked, outJson, outText, when, words } from "../typed.ts";
import { describeSweep, exitOf, type Swept } from "./sweep.ts";

interface Standing {
  readonly user: string;
  readonly profile: string | null;
  readonly phase: string;
  readonly since: string | null;
  readonly keys: readonly { readonly id: string | null; readonly status: string; readonly createdAt: string }[];
  readonly next: { readonly step: string; readonly at: string | null };
  readonly because: string;
  readonly isBlocked: boolean;
}
interface StatusPage {
  readonly at: string;
  readonly runningSince: string | null;
  readonly users: readonly Standing[];
}

/** What ends a phase, in words; a hold is told by its reason instead. */
const NEXT: Readonly<Record<string, string>> = {
  "create-replacement": "replace",
  deactivate: "deactivate the old key",
  delete: "delete the old key",
};

function nextOf({ phase, next: { step, at }, because, isBlocked }: Standing): string {
  const named = NEXT[step] ?? step;
  if (isBlocked || step === "hold") return because;
  if (at !== null) return `${named} ${when(at)}`;
  if (phase === "at rest") return `${named} when it is due`;
  return phase === "due" ? `${named} at the next sweep` : `${named}: ${because}`;
}

function outStatus(terminal: Terminal, users: readonly Standing[], { at, runningSince }: StatusPage): void {
  const rows = users.map((one) => {
    const keys = one.keys.map(
      ({ status, createdAt }) => (status === "active" ? "" : `${status} `) + age(createdAt, at),
    );
    return [one.user, one.profile ?? "-", keys.join(", ") || "-", one.phase, when(one.since).slice(0, 10), nextOf(one)];
  });
  terminal.out(table(["USER", "PROFILE", "KEYS", "PHASE", "SINCE", "NEXT, OR IN THE WAY"], rows, terminal.columns));
  if (runningSince === null)
    outText(terminal, "\nPaused: sweeps look and change nothing. `keyturn resume` lets them act.");
}

const STATUS: CliCommand = {
  name: "status",
  usage: "[<user> …]",
  summary: "Where every user stands: key ages, phase, next step, and what is in the way.",
  help: `Phases: at rest · due · replacing (the new key is not everywhere yet) · waiting (for the old key to be unused) ·
soaking (the old key is Inactive) · held (somebody must act) · unreadable.

  keyturn status
  keyturn status flowid-dev-user
  keyturn status --json | jq -r '.users[] | select(.phase == "held").user'`,
  options: {},
  async run(typed, terminal) {
    const users = typed.positionals.length === 0 ? {} : { users: typed.positionals };
    return withFunction(typed, terminal, async (ask) => {
      const event = { command: "status", ...users };
      const { items, first } = await collect({ ask, terminal }, event, (page: StatusPage) => page.users);
      if (isAsked(typed, "json")) outJson(terminal, { ...first, users: items, next: undefined });
      else if (items.length > 0) outStatus(terminal, items, first);
      else if (typed.positionals.length === 0)
        outText(terminal, "Nobody is enrolled. Enrol a user: `keyturn enroll <user> --as <profile>`.");
      return tellUnknown(
        terminal,
        typed.positionals,
        items.map(({ user }) => user),
      );
    });
  },
};

const PLAN: CliCommand = {
  name: "plan",
  usage: "[<user> …]",
  summary: "What would be done next for everybody, and why. Changes nothing.",
  help: "Looks at every user in full, as a sweep does, and does nothing.\n\n  keyturn plan\n  keyturn plan flowid-dev-user",
  options: {},
  async run(typed, terminal) {
    const users = typed.positionals.length === 0 ? {} : { users: typed.positionals };
    const swept = (await withFunction(typed, terminal, (ask) => ask({ command: "plan", ...users }))) as Swept;
    if (isAsked(typed, "json")) outJson(terminal, swept);
    else describeSweep(terminal, swept);
    return exitOf(terminal, typed.positionals, swept);
  },
};

interface Explanation {
  readonly user: string;
  readonly decision: { readonly rule: string; readonly because: string; readonly step: { readonly kind: string } };
  readonly rules: readonly { readonly rule: string; readonly ruling: { readonly because: string } | null }[];
  readonly observation: {
    readonly observedAt: number;
    readonly keys: readonly { readonly id: string; readonly status: string; readonly createdAt: number }[];
    readonly blindSpots: readonly { readonly about: string; readonly because: string }[];
  };
  readonly history: readonly Line[];
  readonly historyTotal?: number;
}
const HISTORY_SHOWN = 5;

const EXPLAIN: CliCommand = {
  name: "explain",
  usage: "<user>",
  summary: "How the decision on one user comes about: what was seen, and every rule's answer.",
  help: "--json has the whole observation, with each source's answer.\n\n  keyturn explain flowid-dev-user",
  options: {},
  async run(typed, terminal) {
    const [user] = words(typed, ["<user>"]);
    const told = (await withFunction(typed, terminal, (ask) => ask({ command: "explain", user }))) as Explanation;
    if (isAsked(typed, "json")) {
      outJson(terminal, told);
      return 0;
    }
    const { decision, observation, rules, history, historyTotal = history.length } = told;
    outText(terminal, `${user}: ${decision.step.kind}, because ${decision.because} (rule ${decision.rule})\n\nSeen:`);
    const at = new Date(observation.observedAt).toISOString();
    for (const key of observation.keys) {
      outText(terminal, `${key.id} ${key.status}, ${age(new Date(key.createdAt).toISOString(), at)} old`, "  ");
    }
    for (const { about, because } of observation.blindSpots) outText(terminal, `not ${about}: ${because}`, "  ");
    terminal.out("\nThe rules, in order; the first that rules wins:\n");
    terminal.out(
      table(
        ["RULE", "SAYS"],
        rules.map(({ rule, ruling }) => [rule, ruling?.because ?? "-"]),
        terminal.columns,
      ),
    );
    if (history.length > 0) terminal.out(`\nThe last of ${String(historyTotal)} lines of history:\n`);
    for (const line of history.slice(-HISTORY_SHOWN)) outLine(terminal, line, false);
    return 0;
  },
};

interface Line {
  readonly at: string;
  readonly what: string;
  readonly keyId: string | null;
  readonly because?: string;
  readonly lines?: readonly string[];
}

function outLine(terminal: Terminal, { at, what, keyId, because, lines = [] }: Line, isWhole: boolean): void {
  outText(
    terminal,
    [`${when(at)}  ${what}`, keyId ?? [], because === undefined ? [] : `because ${because}`].flat().join(" "),
  );
  if (isWhole) for (const line of lines) outText(terminal, line, "    ");
}

const HISTORY: CliCommand = {
  name: "history",
  usage: "<user>",
  summary: "What was done to one user's keys, and what each retirement rested on.",
  help: "Oldest first. It outlives the keys.\n\n  keyturn history flowid-dev-user",
  options: {},
  async run(typed, terminal) {
    const [user] = words(typed, ["<user>"]);
    return withFunction(typed, terminal, async (ask) => {
      const event = { command: "history", user };
      const { items } = await collect(
        { ask, terminal },
        event,
        (page: { readonly lines: readonly Line[] }) => page.lines,
      );
      if (isAsked(typed, "json")) outJson(terminal, { user, lines: items });
      else for (const line of items) outLine(terminal, line, true);
      if (items.length === 0) terminal.err("Nothing was done yet.\n");
      return 0;
    });
  },
};

/** What only looks. */
export const LOOKS: readonly CliCommand[] = [STATUS, PLAN, EXPLAIN, HISTORY];
