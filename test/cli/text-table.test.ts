import { describe, expect, test } from "vitest";
import { nearest } from "../../src/cli/did-you-mean.ts";
import { table, wrap } from "../../src/cli/text-table.ts";

const LONG = "cloudflare-sveltekit-lambda-invoker";
const widest = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));

describe("a table", () => {
  test("is as wide as its text where there is room", () => {
    expect(table(["USER", "AGE"], [["ann", "3 d"]], 80)).toBe("USER  AGE\nann   3 d\n");
  });

  test.for([60, 80, 120])("fits %i columns, and loses no word", (width) => {
    const because = "AKIAIOSFODNN7EXAMPLE has been silent for 11 d of 28 d and 4 h, and CloudTrail agrees with that";
    const text = table(["USER", "PHASE", "BECAUSE"], [[LONG, "waiting", because]], width);
    expect(widest(text)).toBeLessThanOrEqual(width);
    for (const word of because.split(" ")) expect(text).toContain(word);
  });

  test("takes room from the prose before it breaks a name", () => {
    expect(table(["USER", "BECAUSE"], [[LONG, "word ".repeat(30).trim()]], 70)).toContain(LONG);
  });

  test("breaks no key id, which is there to be copied, while a name can give way", () => {
    const row = [LONG, "matchmaking-of-players", "AKIAIOSFODNN7EXAMPLE", "past policy by 110 d"];
    const text = table(["USER", "PROFILE", "KEY", "STANDS"], [row], 80);
    expect(text).toContain("AKIAIOSFODNN7EXAMPLE");
    expect(widest(text)).toBeLessThanOrEqual(80);
  });

  test("breaks a name where nothing else is left", () => {
    const text = table(["USER", "BECAUSE"], [["x".repeat(64), "word ".repeat(30).trim()]], 60);
    expect(widest(text)).toBeLessThanOrEqual(60);
    expect(text.replaceAll(/[^x]/g, "")).toHaveLength(64);
  });

  test("shows the controls of a text as what they are not", () => {
    const text = table(["REASON"], [["\u001B[2Jgone\u202E"]], 80);
    expect(text).toContain("\uFFFD[2Jgone\uFFFD");
  });
});

test.for([
  ["", [""]],
  ["one two", ["one", "two"]],
  ["abcdefgh", ["abcde", "fgh"]],
  ["a abcdefgh", ["a", "abcde", "fgh"]],
  ["ab-cd-ef", ["ab-", "cd-ef"]],
] as const)("%j in lines of five is %j", ([text, lines]) => {
  expect(wrap(text, 5)).toEqual(lines);
});

test.for([
  ["stauts", "status"],
  ["enrol", "enroll"],
  ["hist", "history"],
  ["xyzzy", null],
] as const)("%s means %s", ([typed, meant]) => {
  expect(nearest(typed, ["status", "enroll", "history", "hold"])).toBe(meant);
});
