import { expect, test } from "vitest";
import type { CliCommand } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { NotReached, Refused } from "../../src/cli/function.ts";
import { run } from "../../src/cli/run.ts";
import { aTerminal } from "./terminal.ts";

const aCommand = (does: CliCommand["run"]): CliCommand => ({
  name: "greet",
  usage: "<user>",
  summary: "Greets.",
  help: "  keyturn greet ann",
  options: { loudly: { type: "boolean" } },
  run: does,
});

async function ended(argv: readonly string[], commands: readonly CliCommand[] = COMMANDS) {
  const { terminal, written } = aTerminal();
  return { code: await run(argv, commands, terminal), ...written };
}

test.for<readonly [readonly string[], number, RegExp]>([
  [[], 2, /keyturn <command>/],
  [["--help"], 0, /Exit codes: 0 done, 1 refused/],
  [["help", "revoke"], 0, /keyturn revoke <user> <key id>/],
  [["revoke", "--help"], 0, /--yes-revoke/],
  [["stauts"], 2, /Did you mean `keyturn status`\?/],
  [["frobnicate"], 2, /`keyturn --help` lists/],
  [["report", "--frmat", "csv"], 2, /Did you mean `--format`\?/],
  [["report", "--format", "pdf"], 2, /say csv, json or html/],
  [["report", "extra"], 2, /"extra" is too much/],
  [["hold", "ann"], 2, /Say --reason too/],
  [["explain"], 2, /Say <user> too/],
  [["enroll", "ann"], 2, /Say --as too/],
  [
    ["revoke", "ann", "AKIAIOSFODNN7EXAMPLE", "--yes-revoke", "AKIAI44QH8DHBEXAMPLE"],
    2,
    /and the key is AKIAIOSFODNN7/,
  ],
  [["completion", "tcsh"], 2, /bash, zsh or fish/],
])("what is typed as %j ends with %i", async ([argv, code, said]) => {
  const told = await ended(argv);
  expect(told.code).toBe(code);
  expect(told.out + told.err).toMatch(said);
});

test.for<readonly [Error, number]>([
  [new Refused("it is held"), 1],
  [new NotReached("no answer"), 3],
  [new TypeError("x is undefined"), 1],
])("a command that throws %s ends with %i and a sentence, never a stack", async ([thrown, code]) => {
  const told = await ended(["greet"], [aCommand(() => Promise.reject(thrown))]);
  expect(told.code).toBe(code);
  expect(told.err).toContain(thrown.message);
  expect(told.err).not.toMatch(/\bat .*:\d+/);
});

test("a key id that is typed wrongly the second time revokes nothing", async () => {
  const { terminal, written } = aTerminal({ isInteractive: true, typed: "AKIAI44QH8DHBEXAMPLE" });
  expect(await run(["revoke", "ann", "AKIAIOSFODNN7EXAMPLE"], COMMANDS, terminal)).toBe(1);
  expect(written.err).toContain("Nothing was done.");
});

test("every command teaches by an example of its own, and says what it is in one line", () => {
  for (const { name, help, summary } of COMMANDS) {
    expect(help).toContain(`keyturn ${name}`);
    expect(summary.length).toBeLessThan(110);
  }
});

test.for(["bash", "zsh", "fish"])("the completion of %s knows every command and option", async (shell) => {
  const { out } = await ended(["completion", shell]);
  for (const { name, options } of COMMANDS) {
    expect(out).toContain(name);
    for (const option of Object.keys(options)) expect(out).toContain(option);
  }
});
