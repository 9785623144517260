import { parseArgs } from "node:util";
import { RotationError } from "../rotation/errors.ts";
import type { CliCommand, Terminal } from "./command.ts";
import { nearest } from "./did-you-mean.ts";
import { NotReached, Refused, TypedWrongly } from "./function.ts";
import { wrap } from "./text-table.ts";

/** What `keyturn` ends with. */
const EXIT = { done: 0, refused: 1, wronglyTyped: 2, notReached: 3 } as const;

/** Every command takes these. */
export const COMMON = {
  function: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const COMMON_HELP = `  --function <name>  the deployed function; else KEYTURN_FUNCTION, else keyturn
  --json             the answer as JSON, for programs
  --help             this`;

/** Runs what was typed after `keyturn`. Gives the exit code; never throws, and never shows a stack. */
export async function run(
  argv: readonly string[],
  commands: readonly CliCommand[],
  terminal: Terminal,
): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    const about = commands.find(({ name }) => name === rest[0]);
    terminal.out(about === undefined ? listOf(commands) : helpOf(about));
    return first === undefined ? EXIT.wronglyTyped : EXIT.done;
  }
  try {
    const command = commands.find(({ name }) => name === first);
    if (command === undefined) throw unknownCommand(first, commands);
    const { values, positionals } = parse(command, rest);
    if (values["help"] === true) {
      terminal.out(helpOf(command));
      return EXIT.done;
    }
    return await command.run({ values, positionals }, terminal);
  } catch (thrown) {
    return tell(thrown, terminal);
  }
}

function unknownCommand(name: string, commands: readonly CliCommand[]): TypedWrongly {
  const meant = nearest(
    name,
    commands.map((command) => command.name),
  );
  const hint = meant === null ? "`keyturn --help` lists the commands." : `Did you mean \`keyturn ${meant}\`?`;
  return new TypedWrongly(`There is no command ${JSON.stringify(name)}. ${hint}`);
}

function parse(command: CliCommand, args: string[]) {
  const options = { ...command.options, ...COMMON };
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    return { values: values as Readonly<Record<string, string | boolean | undefined>>, positionals };
  } catch (thrown) {
    const { code, message } = thrown as { readonly code?: string; readonly message: string };
    const [, wrong = ""] = code === "ERR_PARSE_ARGS_UNKNOWN_OPTION" ? (/'--?([^' ]+)/.exec(message) ?? []) : [];
    const meant = wrong === "" ? null : nearest(wrong, Object.keys(options));
    const hint = meant === null ? `Usage: keyturn ${command.name} ${command.usage}` : `Did you mean \`--${meant}\`?`;
    throw new TypedWrongly(wrong === "" ? `${message}\n${hint}` : `There is no option --${wrong}. ${hint}`);
  }
}

function tell(thrown: unknown, terminal: Terminal): number {
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  terminal.err(
    `${said
      .split("\n")
      .flatMap((line) => wrap(line, terminal.columns))
      .join("\n")}\n`,
  );
  if (thrown instanceof TypedWrongly) return EXIT.wronglyTyped;
  if (thrown instanceof NotReached) return EXIT.notReached;
  if (!(thrown instanceof Refused) && !(thrown instanceof RotationError)) {
    terminal.err("Nobody foresaw this: please report it with what you typed.\n");
  }
  return EXIT.refused;
}

function listOf(commands: readonly CliCommand[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `keyturn: the access keys of IAM users, rotated without breaking a consumer

  keyturn <command> [options]
  keyturn <command> --help     what a command does, when one wants it, and examples

${lines.join("\n")}

Exit codes: 0 done, 1 refused or not in order, 2 wrongly typed, 3 the function was not reached.
The function is found as any AWS tool finds it: AWS_PROFILE, AWS_REGION; its name by --function or KEYTURN_FUNCTION.
`;
}

function helpOf({ name, usage, summary, help, options }: CliCommand): string {
  const own = Object.keys(options).map((option) => `--${option}`);
  const more = own.length === 0 ? "" : ` (its own: ${own.join(", ")})`;
  return `keyturn ${name} ${usage}\n\n${summary}\n\n${help}\n\nOptions of every command${more}:\n${COMMON_HELP}\n`;
}
