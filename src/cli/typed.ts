import type { Terminal, Typed } from "./command.ts";
import { TypedWrongly } from "./function.ts";
import { wrap } from "./text-table.ts";

/** The words that a command takes, by name; those in brackets may be left out. Throws for too few and too many. */
export function words<const Names extends readonly string[]>(
  { positionals }: Typed,
  names: Names,
): { readonly [Index in keyof Names]: Names[Index] extends `[${string}` ? string | undefined : string } {
  const missing = names.find((name, index) => !name.startsWith("[") && positionals[index] === undefined);
  if (missing !== undefined) throw new TypedWrongly(`Say ${missing} too. See --help.`);
  const tooMuch = positionals[names.length];
  if (tooMuch !== undefined) throw new TypedWrongly(`${JSON.stringify(tooMuch)} is too much. See --help.`);
  return names.map((_, index) => positionals[index]) as never;
}

/** An option that takes a text. */
export function text({ values }: Typed, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** The same, where there is no doing without it. */
export function required(typed: Typed, name: string, example: string): string {
  const value = text(typed, name);
  if (value === undefined || value.trim() === "")
    throw new TypedWrongly(`Say --${name} too, such as --${name} ${example}.`);
  return value;
}

export const isAsked = ({ values }: Typed, name: string): boolean => values[name] === true;

/** For programs: the answer as it is. */
export function outJson(terminal: Terminal, answer: unknown): void {
  terminal.out(`${JSON.stringify(answer, null, 2)}\n`);
}

/** A sentence or more, no wider than the terminal. */
export function outText(terminal: Terminal, said: string, indent = ""): void {
  const lines = said.split("\n").flatMap((line) => wrap(line, terminal.columns - indent.length));
  terminal.out(lines.map((line) => `${indent}${line}\n`).join(""));
}

/** "2027-01-15 06:00Z"; a dash for what is not known. */
export const when = (at: string | null | undefined): string => (at ? `${at.slice(0, 16).replace("T", " ")}Z` : "-");

/** "81 d", as of the function's own time. */
export function age(since: string | null, at: string): string {
  if (since === null) return "?";
  const hours = Math.floor((Date.parse(at) - Date.parse(since)) / 3_600_000);
  return hours < 48 ? `${String(hours)} h` : `${String(Math.floor(hours / 24))} d`;
}
