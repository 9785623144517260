import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";

const EXIT_USAGE = 2;

/** What the command line says cannot be meant. */
export class UsageError extends Error {}

/**
 * Runs a script. `main` gives its exit status; `--help` prints the help; a wrong command line is answered with what is
 * wrong with it and the help, and exit status 2.
 */
export async function runCommand(help: string, main: (args: string[]) => Promise<number>): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes("--help")) {
    process.stdout.write(`${help.trimEnd()}\n`);
    return;
  }
  try {
    process.exitCode = await main(args);
  } catch (thrown) {
    const isUsage = isUsageError(thrown);
    console.error(isUsage ? `${thrown.message}\n\n${help.trimEnd()}` : thrown);
    process.exitCode = isUsage ? EXIT_USAGE : 1;
  }
}

/** Ours, or what `parseArgs` throws. */
function isUsageError(thrown: unknown): thrown is Error {
  if (!(thrown instanceof Error)) return false;
  return thrown instanceof UsageError || ("code" in thrown && String(thrown.code).startsWith("ERR_PARSE_ARGS"));
}

/** The options of a script that is run from top to bottom. Ends the process where `runCommand` would say what is wrong. */
export function optionsOf<const Options extends NonNullable<ParseArgsConfig["options"]>>(
  help: string,
  options: Options,
) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: "boolean", default: false } } });
    if (!process.argv.includes("--help")) return values;
    process.stdout.write(`${help.trimEnd()}\n`);
    process.exit(0);
  } catch (thrown) {
    if (!isUsageError(thrown)) throw thrown;
    console.error(`${thrown.message}\n\n${help.trimEnd()}`);
    process.exit(EXIT_USAGE);
  }
}

/** A whole number from 1 on that an option says. Ends the process where it says something else. */
export function countOf(help: string, option: string, said: string): number {
  if (/^[1-9]\d{0,14}$/u.test(said)) return Number(said);
  console.error(`--${option} is a whole number from 1 on, and not "${said}"\n\n${help.trimEnd()}`);
  process.exit(EXIT_USAGE);
}
