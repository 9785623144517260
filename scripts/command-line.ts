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
