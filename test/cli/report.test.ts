import { describe, expect, test } from "vitest";
import { csvOf } from "../../src/cli/report/csv.ts";
import { pageOf } from "../../src/cli/report/page.ts";
import { judgeUser, type KeyStory, type Report, type UserStory } from "../../src/cli/report/story.ts";

const AT = "2027-01-23T06:00:00.000Z";
const DAY = 86_400_000;
const daysAgo = (days: number): string => new Date(Date.parse(AT) - days * DAY).toISOString();

const aKey = (change: Partial<KeyStory> = {}): KeyStory => ({
  id: "AKIAIOSFODNN7EXAMPLE",
  status: "active",
  createdAt: daysAgo(20),
  promotedAt: null,
  deactivatedAt: null,
  deletedAt: null,
  evidence: [],
  ...change,
});
const aUser = (change: Partial<UserStory> = {}): UserStory => ({
  user: "ann",
  profile: "laptops",
  maxAgeMs: 90 * DAY,
  rotateAfterMs: 75 * DAY,
  rotatedAt: null,
  keys: [aKey()],
  error: null,
  ...change,
});
const aReport = (...users: readonly UserStory[]): Report => ({ at: AT, users });

describe("how a user stands", () => {
  const aged = (days: number): UserStory => aUser({ keys: [aKey({ createdAt: daysAgo(days) })] });
  test.for<[string, UserStory, string, string]>([
    ["a day before it is due", aged(74), "fine", "due in 1 d"],
    ["on the day it is due", aged(75), "due", "due, 15 d left"],
    ["a day before its policy ends", aged(89), "due", "due, 1 d left"],
    ["on the day its policy ends", aged(90), "past", "past policy by 0 d"],
    [
      "with an inactive key beside",
      aUser({ keys: [aKey(), aKey({ status: "inactive" })] }),
      "rotating",
      "in rotation, 70 d left",
    ],
    ["with a deleted key in its past", aUser({ keys: [aKey(), aKey({ status: "deleted" })] }), "fine", "due in 55 d"],
    ["with no key", aUser({ keys: [] }), "fine", "no active key"],
    [
      "with two keys of which none is active",
      aUser({ keys: [aKey({ status: "inactive" }), aKey({ status: "inactive" })] }),
      "fine",
      "no active key",
    ],
    [
      "whom no profile serves",
      aUser({ profile: null, maxAgeMs: null, rotateAfterMs: null }),
      "fine",
      "under no policy",
    ],
    [
      "with two keys and no profile",
      aUser({ maxAgeMs: null, rotateAfterMs: null, keys: [aKey(), aKey()] }),
      "fine",
      "under no policy",
    ],
    ["whose key is of unknown age", aUser({ keys: [aKey({ createdAt: null })] }), "fine", "of unknown age"],
    ["that could not be read", aUser({ error: "denied" }), "unreadable", "could not be read"],
  ])("%s", ([, user, kind, said]) => {
    expect(judgeUser(user, AT)).toMatchObject({ kind, said });
  });
});

describe("the CSV", () => {
  test("has a line a key, and one for a user without any", () => {
    const lines = csvOf(aReport(aUser({ keys: [aKey(), aKey()] }), aUser({ user: "bob", keys: [], error: "denied" })));
    expect(lines.split("\r\n")).toHaveLength(5);
    expect(lines).toContain("bob,laptops,,,,,,,,,,,,denied\r\n");
  });

  test.for(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1"])(
    "makes a text of %j, which is a formula",
    (name) => {
      const [, line = ""] = csvOf(aReport(aUser({ user: name }))).split(/\r\n(?=.*laptops)/s);
      expect(line.replace(/^"/, "").startsWith("'")).toBe(true);
    },
  );

  test.for(["ok;=1+1", "ok; @SUM(A1)", 'ok;"=1', "ok\t+1", "ok\n-1", "ok\r\n=1"])(
    "has no formula in %j, whichever sign a spreadsheet separates by",
    (said) => {
      const evidence = [{ at: AT, what: "deactivating", because: said }];
      const lines = csvOf(aReport(aUser({ keys: [aKey({ evidence })] })));
      const cells = lines.split(/[,;\t\r\n]/);
      expect(cells.filter((cell) => /^["\s]*[=+\-@]/.test(cell))).toEqual([]);
      expect(lines).toMatch(/'["\s]*[=+\-@]/);
    },
  );

  test("quotes what has a comma, a quote or a line end", () => {
    const evidence = [
      { at: AT, what: "deactivating", because: 'it is "silent", for 11 d', lines: ["asked, answered"] },
    ];
    expect(csvOf(aReport(aUser({ keys: [aKey({ evidence })] })))).toContain(
      `"${AT} deactivating: it is ""silent"", for 11 d\nasked, answered"`,
    );
  });
});

describe("the page", () => {
  const HOSTILE = `<script>alert("1")</script>'&"><img src=x onerror=alert(2)>`;

  test("shows nothing of others as markup, wherever it comes from", () => {
    const evidence = [{ at: AT, what: HOSTILE, because: HOSTILE, lines: [HOSTILE] }];
    const key = aKey({ id: HOSTILE, status: HOSTILE, evidence });
    const page = pageOf(aReport(aUser({ user: HOSTILE, profile: HOSTILE, error: HOSTILE, keys: [key] })));
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toContain("<img");
    expect(page).not.toContain('alert("1")');
    expect(page).toContain("&#60;script&#62;alert");
  });

  test("needs no network, and lets no script run but its own", () => {
    const page = pageOf(aReport(aUser()));
    expect(page).not.toMatch(/https?:\/\/|src=|@import|url\((?!#)/);
    expect(page).toMatch(/default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-[\w+/=]+'/);
  });

  test("has the worst first: unreadable, then longest past policy, then nearest to it", () => {
    const named = (user: string, days: number): UserStory =>
      aUser({ user, keys: [aKey({ createdAt: daysAgo(days) })] });
    const page = pageOf(
      aReport(named("young", 5), named("old", 80), named("late", 95), aUser({ user: "dark", error: "no" })),
    );
    const names = [...page.matchAll(/class="name">(\w+)/g)].map(([, name]) => name);
    expect(names).toEqual(["dark", "late", "old", "young"]);
  });

  test("says each key in words, too", () => {
    const key = aKey({ status: "deleted", createdAt: daysAgo(100), deactivatedAt: daysAgo(9), deletedAt: daysAgo(2) });
    expect(pageOf(aReport(aUser({ keys: [key] })))).toContain(
      "AKIAIOSFODNN7EXAMPLE deleted, made 2026-10-15, 98 of 90 days old, deactivated 2027-01-14, deleted 2027-01-21",
    );
  });

  test("of five hundred users stays below two megabytes", () => {
    const users = Array.from({ length: 500 }, (_, index) =>
      aUser({ user: `user-${String(index)}`, keys: [aKey(), aKey(), aKey()] }),
    );
    expect(pageOf(aReport(...users)).length).toBeLessThan(2_000_000);
  });
});
