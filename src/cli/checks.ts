import type { Terminal } from "./command.ts";
import { table } from "./text-table.ts";
import { outText } from "./typed.ts";

export interface Check {
  readonly check: string;
  readonly verdict: "ok" | "not ok" | "could not tell";
  readonly said: string;
  readonly wayOut: string | null;
}

export const ok = (check: string, said: string): Check => ({ check, verdict: "ok", said, wayOut: null });
export const bad = (check: string, said: string, wayOut: string): Check => ({ check, verdict: "not ok", said, wayOut });

/** What the function answers to `doctor`. */
export interface Examined {
  readonly account: string;
  readonly enrolmentTag: string;
  readonly profiles: readonly {
    readonly name: string;
    readonly users: readonly string[];
    readonly readsCustody: boolean;
  }[];
  readonly checks: readonly Check[];
}

const MARKS = { ok: "ok", "not ok": "NOT OK", "could not tell": "?" } as const;

/** A line a check, and below it the way out, where one is needed. */
export function outChecks(terminal: Terminal, checks: readonly Check[]): void {
  const rows = checks.flatMap(({ check, verdict, said, wayOut }) => [
    [MARKS[verdict], check, said],
    ...(wayOut === null || verdict === "ok" ? [] : [["", "", `-> ${wayOut}`]]),
  ]);
  terminal.out(table(["", "CHECK", "SAID"], rows, terminal.columns));
  const count = (verdict: Check["verdict"]): string => String(checks.filter((each) => each.verdict === verdict).length);
  outText(terminal, `\n${count("ok")} ok, ${count("not ok")} not ok, ${count("could not tell")} could not be told.`);
}
