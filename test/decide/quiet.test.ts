import { describe, expect, test } from "vitest";
import { quietClock } from "../../src/decide/quiet.ts";
import type { Sighting } from "../../src/rotation/observation.ts";
import type { Instant } from "../../src/rotation/time.ts";
import { days, hours, minutes, plus } from "../../src/rotation/time.ts";
import { aCustody, aKey, aMemory, anObservation, aPolicy, aProfile, aRecord, ago, K1, K2, NOW } from "../builders.ts";

const PROMOTED_AT = ago(days(3));
const profile = aProfile({ isPulled: true, readers: ["laptop", "ci"], policy: aPolicy({ idleAtMostMs: days(28) }) });

/** The clock of a key that several laptops pulled with: the latest read that last-used told of, and the latest hand-over. */
function clockOf(readAt: Instant, handOverAt: Instant | null, seen: readonly string[] = ["laptop", "ci"]) {
  const latestRead: Sighting = { at: readAt, service: "secretsmanager", region: "us-east-1", detail: null };
  const readers = { at: Object.fromEntries(seen.map((name) => [name, readAt])), readUntil: NOW };
  const keys = { [K1]: aMemory({ latestRead, handOverAt }), [K2]: aMemory({ promotedAt: PROMOTED_AT, readers }) };
  const [old, current] = [aKey(K1, days(60)), aKey(K2, days(3))];
  const observation = anObservation({
    keys: [old, current],
    custody: aCustody({ current: K2, previous: K1 }),
    destinations: [],
    record: aRecord({ keys }),
  });
  return quietClock({ observation, profile, now: NOW, old, current });
}

describe("a read with the old key after the promotion", () => {
  const base = plus(PROMOTED_AT, hours(1));
  const readAt = plus(PROMOTED_AT, hours(8));

  test("is no use where CloudTrail shows it as a hand-over", () => {
    expect(clockOf(readAt, readAt)).toMatchObject({ quietSince: base, useAfterBase: null });
  });

  test("is no use where CloudTrail has shown a later hand-over, of another laptop", () => {
    const later = plus(readAt, hours(1));
    expect(clockOf(readAt, later)).toMatchObject({ quietSince: base, useAfterBase: null });
  });

  test.for([[[]], [["laptop"]], [["laptop", "somebody else"]]])(
    "is a use while only %j have the new pair",
    ([seen]) => {
      expect(clockOf(readAt, readAt, seen)).toMatchObject({
        quietSince: plus(readAt, minutes(15)),
        readyAt: plus(readAt, days(28) + minutes(15) + hours(4)),
      });
    },
  );

  test("is a use where only CloudTrail tells of it, and not all have the new pair", () => {
    const later = plus(readAt, hours(1));
    expect(clockOf(readAt, later, ["laptop"])).toMatchObject({ quietSince: plus(later, minutes(15)) });
  });

  test("is a use while CloudTrail has shown none, or only an earlier one", () => {
    const quietSince = plus(readAt, minutes(15));
    expect(clockOf(readAt, null)).toMatchObject({ quietSince });
    expect(clockOf(readAt, plus(readAt, -minutes(2)))).toMatchObject({ quietSince });
  });
});

test("the silence begins anew when the current key was made active again: meanwhile nobody could show that they had it", () => {
  const reactivatedAt = ago(hours(5));
  const keys = { [K1]: aMemory(), [K2]: aMemory({ promotedAt: PROMOTED_AT, reactivatedAt }) };
  const [old, current] = [aKey(K1, days(60)), aKey(K2, days(3))];
  const custody = aCustody({ current: K2, previous: K1 });
  const observation = anObservation({ keys: [old, current], custody, destinations: [], record: aRecord({ keys }) });
  expect(quietClock({ observation, profile, now: NOW, old, current })?.quietSince).toBe(reactivatedAt);
});
