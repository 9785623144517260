import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { COMMON } from "../../src/cli/run.ts";
import { parseCommand } from "../../src/handlers/command.ts";

const DOCUMENTS = [...globSync("docs/**/*.md"), ...globSync("*.md")].toSorted();

/** What stands after `keyturn`, as far as it is the command and its options: "rotate <user>", `hold <user> --reason "…"`. */
const typedIn = (file: string): readonly string[] =>
  [...readFileSync(file, "utf8").matchAll(/(?:npx keyturn|keyturn\.cjs|`keyturn) ([a-z][^`\n|;]*)/g)].map(
    ([, typed = ""]) => typed.trim(),
  );

const eventsIn = (file: string): readonly string[] =>
  [...readFileSync(file, "utf8").matchAll(/\{"command":"([\w-]+)"/g)].map(([, name = ""]) => name);

/** What of a line the program does not know. */
function unknownIn(typed: string): readonly string[] {
  const [name = "", ...rest] = typed.split(/\s+/);
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined) return [name];
  const options = Object.keys({ ...command.options, ...COMMON });
  const named = rest.flatMap((word) => /^\[?--([\w-]+)/.exec(word)?.[1] ?? []);
  return named.filter((option) => !options.includes(option)).map((option) => `${name} --${option}`);
}

test("the documents have many commands", () => {
  expect(DOCUMENTS.flatMap(typedIn).length).toBeGreaterThan(60);
  expect(DOCUMENTS.flatMap(eventsIn).length).toBeGreaterThan(20);
});

describe.for(DOCUMENTS)("%s", (file) => {
  test("names no command and no option that keyturn does not have", () => {
    expect(typedIn(file).flatMap(unknownIn)).toEqual([]);
  });

  test("names no event that the function does not take", () => {
    const refusal = (name: string): string => {
      try {
        parseCommand({ command: name });
        return "";
      } catch (thrown) {
        return (thrown as Error).message;
      }
    };
    expect(
      eventsIn(file).filter(
        (name) => refusal(name).includes("the event: found") || refusal(name).includes("command: found"),
      ),
    ).toEqual([]);
  });
});

test.for(["rotat deploy", "hold deploy --why never", "report --formt csv"])(
  "finds that %s cannot be typed",
  (typed) => {
    expect(unknownIn(typed)).not.toEqual([]);
  },
);
