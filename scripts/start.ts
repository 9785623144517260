import { parseArgs } from "node:util";
import { runCommand, UsageError } from "./command-line.ts";
import { printed, progressLine } from "./local-run/print.ts";
import { reportOf } from "./local-run/report.ts";
import { runLocally } from "./local-run/run.ts";
import type { Progress } from "./local-run/run.ts";
import { MISTAKES, isMistake } from "./mistakes/index.ts";
import type { MistakeName } from "./mistakes/index.ts";

const MISTAKE_LINES = Object.entries(MISTAKES).map(([name, { is }]) => `    ${name.padEnd(13)} ${is}`);
const HELP = `npm start [-- --json] [-- --break <mistake>]

Rotates the access keys of five systems from beginning to end, on a cloud that runs in this process.
No account is needed, and nothing outside this machine is reached. It takes about a minute, and
exits with 0 if every system was rotated and no call of its consumers failed, else with 1.

  --json             prints one JSON document instead
  --break <mistake>  builds a mistake into Keyturn, which the consumers must notice:
${MISTAKE_LINES.join("\n")}
  --help             prints this`;

/** Where nobody watches, one line in so many days is enough. */
const DAYS_A_LINE = 5;
const SWEEPS_A_DAY = 24;

interface Options {
  readonly isJson: boolean;
  readonly mistake: MistakeName | null;
}

/** Reads the command line. Throws a `UsageError` that says what is wrong with it. */
function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      break: { type: "string" },
    },
  });
  const name = values.break ?? null;
  if (name !== null && !isMistake(name)) {
    throw new UsageError(`--break ${name}: the mistakes are ${Object.keys(MISTAKES).join(", ")}`);
  }
  return { isJson: values.json, mistake: name };
}

/** On a terminal one line that is written over; elsewhere a line now and then. */
function showProgress(progress: Progress): void {
  const { stdout } = process;
  if (stdout.isTTY) stdout.write(`\r\u001b[K${progressLine(progress)}`);
  else if (progress.sweeps % (DAYS_A_LINE * SWEEPS_A_DAY) === 1) {
    stdout.write(`${progressLine(progress)}\n`);
  }
}

async function start({ isJson, mistake }: Options): Promise<boolean> {
  if (!isJson) {
    console.log("Rotating five systems on a cloud in this process, one sweep an hour of its time.");
    if (mistake !== null) console.log(`With a mistake built in: ${MISTAKES[mistake].is}.`);
    console.log("Below, each line says what was done, or what is waited for, and why.\n");
  }
  const run = await runLocally({ mistake, onProgress: isJson ? () => {} : showProgress });
  const report = reportOf(run);
  if (isJson) console.log(JSON.stringify(report, null, 2));
  else console.log(`${process.stdout.isTTY ? "\r\u001b[K" : "\n"}${printed(report)}`);
  return report.isGood;
}

await runCommand(HELP, async (args) => ((await start(readOptions(args))) ? 0 : 1));
