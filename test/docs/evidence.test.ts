import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const ROOT = new URL("../../", import.meta.url);
const TRAPS = 23;

/** The rows of the table of traps: number, trap, what is done, what shows it. */
const rows = readFileSync(new URL("docs/evidence.md", ROOT), "utf8")
  .split("\n")
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => line.split(" | ").map((cell) => cell.replaceAll(/^\| | \|$/g, "")));

/** What a cell names: a file, and a test or a group of tests in it. */
const namedIn = (cell: string): (readonly [string, string])[] =>
  [...cell.matchAll(/`(test\/[^`]+)` "([^"]+)"/g)].map(([, file = "", name = ""]) => [file, name] as const);

test("every trap has its row, in order, of four cells", () => {
  expect(rows.map(([number]) => number)).toEqual(Array.from({ length: TRAPS }, (_, index) => String(index + 1)));
  expect(rows.filter((cells) => cells.length !== 4)).toEqual([]);
});

describe.for(rows)("trap %s", ([, , , shown = ""]) => {
  test("is shown by tests that exist under these names", () => {
    const named = namedIn(shown);
    expect(named).not.toEqual([]);
    // Nothing but what was found stands in the cell: a name that is misspelt is not just left out.
    expect(named.map(([file, name]) => `\`${file}\` "${name}"`).join("; ")).toBe(shown);
    for (const [file, name] of named) {
      const url = new URL(file, ROOT);
      expect([file, existsSync(url)]).toEqual([file, true]);
      const text = readFileSync(url, "utf8");
      expect([name, text.includes(`"${name}"`)]).toEqual([name, true]);
    }
  });
});
