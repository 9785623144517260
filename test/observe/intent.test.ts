import { expect, test } from "vitest";
import { freshRecord, remember } from "../../src/observe/remember.ts";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import { instant, minutes, plus } from "../../src/rotation/time.ts";
import { aCustody } from "../builders.ts";

const NOW = instant(Date.UTC(2026, 5, 1));
const [GONE, K1, K2] = [
  accessKeyId("AKIAG0G0G0G0G0G0G0G0"),
  accessKeyId("AKIAK1K1K1K1K1K1K1K1"),
  accessKeyId("AKIAK2K2K2K2K2K2K2K2"),
];

/** Whether an intent that was written beside K1, and heard no answer, is still on record after a look. */
function isKept(current: typeof K1, k2MadeAt: number | null): boolean {
  const record = freshRecord({ user: userName("deploy"), account: "1", userId: "AIDA" }, NOW);
  const intent = { at: NOW, before: [K1], created: null };
  const k1 = { id: K1, status: "active", createdAt: plus(NOW, -minutes(60 * 24)) } as const;
  const k2 = k2MadeAt === null ? [] : [{ id: K2, status: "active", createdAt: instant(k2MadeAt) } as const];
  const seen = { keys: [k1, ...k2], custody: aCustody({ current }), isPulled: false, now: plus(NOW, minutes(1)) };
  return remember({ ...record, intent }, seen).intent !== null;
}

test("an intent is over when a key that was made since is current", () => {
  expect(isKept(K2, NOW)).toBe(false);
});

test("an intent is not over by a current key that was there before it", () => {
  expect(isKept(K1, null)).toBe(true);
});

test("an intent is not over by a current key that is gone: the call may still be under way", () => {
  expect(isKept(GONE, null)).toBe(true);
});

test.for([
  [2, false],
  [3, true],
] as const)(
  "clocks may differ: of a current key made %d min before the intent it is kept: %s",
  ([before, expected]) => {
    expect(isKept(K2, NOW - minutes(before))).toBe(expected);
  },
);
