import type { ParseArgsOptionsConfig } from "node:util";

/** Where a command reads and writes: given to it, so that a test can be the terminal. */
export interface Terminal {
  readonly isInteractive: boolean;
  readonly columns: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  out(text: string): void;
  err(text: string): void;
  /** One line, as it was typed. Throws where nobody can type. */
  ask(question: string): Promise<string>;
}

/** What was typed after the command's name. */
export interface Typed {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
}

/** One word of `keyturn`. `run` gives the exit code: 0 done, 1 refused or failed, 2 wrongly typed. */
export interface CliCommand {
  readonly name: string;
  /** What follows the name: "<user> [--json]". */
  readonly usage: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What it does, when one wants it, and what to expect; for `keyturn <name> --help`. */
  readonly help: string;
  readonly options: ParseArgsOptionsConfig;
  run(typed: Typed, terminal: Terminal): Promise<number>;
}
