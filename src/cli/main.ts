import { homedir } from "node:os";
import { createInterface } from "node:readline/promises";
import type { Terminal } from "./command.ts";
import { COMMANDS } from "./commands/index.ts";
import { Refused } from "./function.ts";
import { run } from "./run.ts";

const COLUMNS = 100;
const COLUMNS_MIN = 60;

const terminal: Terminal = {
  isInteractive: process.stdin.isTTY && process.stderr.isTTY,
  columns: Math.max(COLUMNS_MIN, process.stdout.columns || Number(process.env["COLUMNS"]) || COLUMNS),
  env: process.env,
  home: homedir(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  async ask(question) {
    if (!terminal.isInteractive) throw new Refused(`${question.trim()} Nobody can type here: say it by an option.`);
    const asking = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await asking.question(question);
    } finally {
      asking.close();
    }
  },
};

// Whoever reads us through `head` goes away early, and that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
// The SDK warns of versions of Node on standard error; the output of a command is for its reader alone.
process.removeAllListeners("warning");
void run(process.argv.slice(2), COMMANDS, terminal).then((code) => {
  process.exitCode = code;
});
