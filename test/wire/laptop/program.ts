import { homedir } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { LAPTOP } from "../../../src/cli/laptop/index.ts";
import { RotationError } from "../../../src/rotation/errors.ts";

/** The laptop's commands as a program of their own, so that a test can run, kill and race them. */
const [name, ...args] = process.argv.slice(2);
const command = LAPTOP.find((known) => known.name === name);
if (command === undefined) throw new Error(`no command ${String(name)}`);
const { values, positionals } = parseArgs({ args, options: command.options, allowPositionals: true });
try {
  process.exitCode = await command.run(
    { values: values as Record<string, string | boolean>, positionals },
    {
      isInteractive: false,
      columns: 120,
      env: process.env,
      home: homedir(),
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
      ask: () => Promise.reject(new Error("nobody can type")),
    },
  );
} catch (thrown) {
  if (!(thrown instanceof RotationError)) throw thrown;
  process.stderr.write(`${thrown.message}\n`);
  process.exitCode = 1;
}
