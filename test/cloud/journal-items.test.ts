import { describe, expect, test } from "vitest";
import { formatRevision, parseHistory, parseRevision } from "../../src/cloud/journal-items.ts";
import { userName } from "../../src/rotation/keys.ts";
import type { UserRecord } from "../../src/rotation/record.ts";
import { instant } from "../../src/rotation/time.ts";

const DEPLOY = userName("deploy");
const RECORD: UserRecord = {
  v: 1,
  user: DEPLOY,
  account: "123456789012",
  userId: "AIDAEXAMPLE",
  since: instant(1),
  intent: null,
  orphans: { count: 0, lastAt: instant(0) },
  deliveries: [],
  backOffs: [],
  keys: {},
  notices: {},
  rest: null,
};
const ITEM = formatRevision({ record: RECORD, number: 3, lease: null }, DEPLOY);

describe("an item of the journal", () => {
  test("is read back as it was written", () => {
    const lease = { user: DEPLOY, holder: "me", until: instant(9) };
    const revision = { record: RECORD, number: 4, lease };
    expect(parseRevision(formatRevision(revision, DEPLOY), DEPLOY)).toEqual(revision);
  });

  test.for([
    ["its version is another", { v: { N: "2" } }],
    ["its version is missing", { v: { NULL: true } }],
    ["its revision is no number", { revision: { S: "x" } }],
    ["the record is missing", { record: { S: "" } }],
    ["the record is no JSON", { record: { S: "{" } }],
    ["the record is of another version", { record: { S: JSON.stringify({ ...RECORD, v: 2 }) } }],
    ["the record is another user's", { record: { S: JSON.stringify({ ...RECORD, user: "x" }) } }],
    ["the record has a part of another kind", { record: { S: JSON.stringify({ ...RECORD, keys: [] }) } }],
    ["the record has a rest of another kind", { record: { S: JSON.stringify({ ...RECORD, rest: { until: 1 } }) } }],
    ["its lease has no end", { lease: { M: { holder: { S: "me" } } } }],
  ] as const)("is Misconfigured, by its name, when %s", ([, change]) => {
    expect(() => parseRevision({ ...ITEM, ...change }, DEPLOY)).toThrow(
      expect.objectContaining({
        code: "Misconfigured",
        message: expect.stringContaining("user#deploy/record"),
      }),
    );
  });

  test("is Misconfigured when it is of the history and no entry", () => {
    const item = { sk: { S: "history#1#x" }, v: { N: "1" }, entry: { S: "[]" } };
    expect(() => parseHistory(item, DEPLOY)).toThrow("user#deploy/history#1#x");
  });
});
