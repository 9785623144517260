import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { readFound } from "../../scripts/mutants/found.ts";
import { MUTANTS } from "./mutants/index.ts";

const found = await readFound();

test("what noticed a mutant is kept of mutants that there are, and that are another program", () => {
  const noticeable = new Set(MUTANTS.filter(({ isEquivalent }) => isEquivalent !== true).map(({ name }) => name));
  expect(Object.keys(found).filter((name) => !noticeable.has(name))).toEqual([]);
});

test("of each it is one seed or one file of tests, which there is", () => {
  const rotten = Object.entries(found).filter(([, { seed, test: file }]) =>
    file === undefined
      ? !Number.isSafeInteger(seed)
      : seed !== undefined || !file.endsWith(".test.ts") || !existsSync(file),
  );
  expect(rotten).toEqual([]);
});

test("the tests that are to notice a mutant are there", () => {
  const named = new Set(MUTANTS.flatMap(({ tests = [] }) => tests));
  expect([...named].filter((path) => !existsSync(path))).toEqual([]);
});
