import { expect, test } from "vitest";
import { freshRecord, remember } from "../../src/observe/remember.ts";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import type { AccessKey } from "../../src/rotation/keys.ts";
import { hours, instant, plus } from "../../src/rotation/time.ts";

const NOW = instant(Date.UTC(2026, 5, 1));
const K1 = accessKeyId("AKIAK1K1K1K1K1K1K1K1");

/** What is still waiting to be told after a look at K1 as it is so long after it was written down. */
function left(code: "KeyDeleted" | "KeyDeactivated", status: AccessKey["status"] | "gone", atHours: number) {
  const record = freshRecord({ user: userName("deploy"), account: "1", userId: "AIDA" }, NOW);
  const unheard = [{ code, keyId: K1, at: NOW, lines: [] }];
  const keys = status === "gone" ? [] : [{ id: K1, status, createdAt: NOW }];
  const seen = { keys, custody: { kind: "absent" }, isPulled: false, now: plus(NOW, hours(atHours)) } as const;
  return remember({ ...record, unheard }, seen).unheard?.length;
}

test.for([
  ["KeyDeleted", "inactive", 24, 1, "IAM may be late to show it"],
  ["KeyDeleted", "inactive", 25, 0, "it was not deleted"],
  ["KeyDeleted", "gone", 1_000, 1, "it was, and nobody heard"],
  ["KeyDeactivated", "active", 24, 1, "IAM may be late to show it"],
  ["KeyDeactivated", "active", 25, 0, "it was not deactivated, or somebody undid it"],
  ["KeyDeactivated", "inactive", 1_000, 1, "it was, and nobody heard"],
] as const)("%s of a key that is %s waits after %d h: %d, because %s", ([code, status, atHours, expected]) => {
  expect(left(code, status, atHours)).toBe(expected);
});

test("a record without anything unheard stays without it", () => {
  const record = freshRecord({ user: userName("deploy"), account: "1", userId: "AIDA" }, NOW);
  const seen = { keys: [], custody: { kind: "absent" }, isPulled: false, now: NOW } as const;
  expect(remember(record, seen)).not.toHaveProperty("unheard");
});
