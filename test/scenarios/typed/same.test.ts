import { describe, expect, test } from "vitest";
import { partsOf, textOf, untypedIn } from "./document.ts";
import { createVocabulary, settled } from "./same.ts";

const [OLD, NEW, OTHER] = ["AKIAAAAAAAAAAAAAAAAA", "AKIABBBBBBBBBBBBBBBB", "AKIACCCCCCCCCCCCCCCC"];

describe("two outputs are the same", () => {
  test.for([
    ["but for the seconds", `silent for 11 d 4 s`, `silent for 11 d 52 s`],
    ["but for what is left of an hour", "in 59 min 59 s at the latest", "in 58 min 2 s at the latest"],
    ["but for a second, on both sides of a day", "Inactive for 8 d 1 s", "Inactive for 7 d 23 h"],
    ["but for the minute", "since 2027-01-04T00:00:12.009Z", "since 2027-01-04T00:01:59.120Z"],
    ["but for the port", "http://127.0.0.1:4577/", "http://127.0.0.1:39817/"],
    ["but for the number of calls", "made 12 calls, 0 failed.", "made 1345 calls, 0 failed."],
    [
      "but for where a table broke its lines",
      "USER   BECAUSE\ndeploy  11 d 4 s old and\n        soaking",
      "USER   BECAUSE\ndeploy  11 d 52 s old\n        and soaking",
    ],
  ])("%s", ([, one = "", other = ""]) => {
    expect(settled(one.split("\n"))).toBe(settled(other.split("\n")));
  });

  test.for([
    ["with another day", "silent for 11 d 4 s", "silent for 12 d 4 s"],
    ["with another hour", "since 2027-01-04T00:00:12.009Z", "since 2027-01-04T01:00:12.009Z"],
    ["with a call that failed", "made 12 calls, 0 failed.", "made 12 calls, 1 failed."],
    ["with another word", "is current again", "is current already"],
    ["with another key", `${OLD} is current`, `${NEW} is current`],
    ["with its cells in other rows", "USER  STEP\none   hold\ntwo   done", "USER  STEP\none   done\ntwo   hold"],
  ])("not %s", ([, one = "", other = ""]) => {
    expect(settled(one.split("\n"))).not.toBe(settled(other.split("\n")));
  });
});

describe("a document's key ids", () => {
  test("stand for those of the run, from the first line that shows them on", () => {
    const words = createVocabulary();
    words.learn([`${NEW} replaces ${OTHER}`], [`${OLD} replaces ${NEW}`]);
    expect(words.toType(`keyturn retire deploy ${NEW}`)).toBe(`keyturn retire deploy ${OTHER}`);
    words.learn([OTHER], [OLD]);
    expect(words.translated([`${OTHER} and "CCCC"`])).toEqual([`${NEW} and "BBBB"`]);
  });

  test("must have been shown before they are typed, but for AWS's own example", () => {
    const words = createVocabulary();
    expect(() => words.toType(`keyturn retire deploy ${OLD}`)).toThrow(`no line before this one has shown ${OLD}`);
    expect(words.toType("AKIAIOSFODNN7EXAMPLE")).toBe("AKIAIOSFODNN7EXAMPLE");
  });
});

const FENCE = "```";
const DOCUMENT = [
  "# A",
  FENCE,
  "$ one",
  "said",
  "",
  "more",
  "$ two",
  FENCE,
  "then",
  FENCE,
  "npm ci   # once",
  FENCE,
].join("\n");

test("a document is its prose and its sessions, and comes together again", () => {
  const parts = partsOf(DOCUMENT);
  expect(parts.filter(({ kind }) => kind === "session")).toEqual([
    {
      kind: "session",
      lines: [
        { typed: "one", output: ["said", "", "more"] },
        { typed: "two", output: [] },
      ],
    },
  ]);
  expect(textOf(parts)).toBe(DOCUMENT);
});

test("a command in a fence that is no session is found, without the remark after it", () => {
  expect(untypedIn(partsOf(DOCUMENT))).toEqual(["npm ci"]);
});
