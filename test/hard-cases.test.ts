import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MUTANTS } from "./simulation/mutants/index.ts";

interface Case {
  readonly name: string;
  readonly shownBy: string;
  readonly mistakes: string;
}

const CASES: readonly Case[] = readFileSync("docs/hard-cases.md", "utf8")
  .split("\n")
  .filter((line) => /^\| [BLSCNF]\d/.test(line))
  .map((line) => {
    const [, name = "", , shownBy = "", mistakes = ""] = line.split(" | ").join("|").split("|");
    return { name: name.trim(), shownBy: shownBy.trim(), mistakes: mistakes.trim() };
  });

const known = new Set(MUTANTS.map(({ name }) => name));

test("there are the hard cases, each once", () => {
  expect(CASES.length).toBeGreaterThan(50);
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
});

const isFound = ({ name }: Case): boolean => name.startsWith("F");

test.for(CASES.filter((one) => isFound(one)))("$name is shown by a life that is kept", ({ shownBy }) => {
  expect(existsSync(`test/simulation/lives/${shownBy}.json`)).toBe(true);
});

test.for(CASES.filter((one) => !isFound(one)))("$name is shown by a test that exists", ({ shownBy }) => {
  const named = shownBy.split('"; `').map((one) => /([\w/-]+)`: "([^"]+)/.exec(one));
  const missing = named.filter((one) => {
    const [, file = "", title = ""] = one ?? [];
    return one === null || !readFileSync(`test/${file}.test.ts`, "utf8").includes(`"${title}"`);
  });
  expect(missing).toEqual([]);
});

test.for(CASES)("$name names its mistake as a mutant, and only mutants that exist", ({ mistakes }) => {
  const named = mistakes.split(/; |\. /);
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});
