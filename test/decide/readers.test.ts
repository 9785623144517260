import { describe, expect, test } from "vitest";
import { decide } from "../../src/decide/decide.ts";
import type { Decision } from "../../src/rotation/decision.ts";
import type { ReadersSeen } from "../../src/rotation/observation.ts";
import { days, hours, minutes, plus } from "../../src/rotation/time.ts";
import {
  aCustody,
  aKey,
  aMemory,
  anObservation,
  aPolicy,
  aProfile,
  aRecord,
  ago,
  evidence,
  K1,
  K2,
  lastUsed,
  NOW,
  usedAt,
} from "../builders.ts";

const PROMOTED_AT = ago(days(8));
const READ_AT = ago(days(3));
const profile = aProfile({ isPulled: true, readers: ["laptop", "ci"], policy: aPolicy({ idleAtMostMs: days(28) }) });

/** A laptop has fetched its pair with the old key: CloudTrail has shown that, and these readers with the new one. */
function decided(readers: ReadersSeen | null, isAnswered = false): Decision {
  const latestRead = { at: READ_AT, service: "secretsmanager", region: "us-east-1", detail: null };
  const keys = {
    [K1]: aMemory({ latestRead, handOverAt: READ_AT }),
    [K2]: aMemory({ promotedAt: PROMOTED_AT, adoptedAt: PROMOTED_AT, readers }),
  };
  const seen = { at: {}, readUntil: null };
  const observation = anObservation({
    keys: [aKey(K1, days(60)), aKey(K2, days(8))],
    custody: aCustody({ current: K2, previous: K1 }),
    destinations: [],
    record: aRecord({ keys }),
    evidence: evidence(
      lastUsed(K1, usedAt(READ_AT, "secretsmanager")),
      ...(isAnswered ? [{ source: "readers", keyId: K2, seen } as const] : []),
    ),
  });
  return decide({ observation, profile, now: NOW });
}

describe("who has the new pair is asked", () => {
  const questionOf = ({ step }: Decision) => (step.kind === "look" ? step.questions[0] : step.kind);

  test("from a moment before the promotion was on record, where it never was", () => {
    const from = plus(PROMOTED_AT, -minutes(5));
    expect(questionOf(decided(null))).toEqual({ source: "readers", keyId: K2, from });
  });

  test("a day after it last was, from where that ended, and not a minute sooner", () => {
    const seen = (agoMs: number) => decided({ at: { laptop: READ_AT }, readUntil: ago(agoMs) });
    expect(questionOf(seen(days(1) - minutes(1)))).toBe("hold");
    expect(questionOf(seen(days(1)))).toEqual({ source: "readers", keyId: K2, from: ago(days(1) + hours(2)) });
  });

  test("again in the next sweep, and not in this one, when the answer was not whole", () => {
    expect(questionOf(decided(null, true))).toBe("hold");
    expect(questionOf(decided({ at: { laptop: READ_AT }, readUntil: null }))).toMatchObject({ source: "readers" });
  });

  test("no more once each of them was seen", () => {
    expect(questionOf(decided({ at: { laptop: READ_AT, ci: READ_AT }, readUntil: ago(days(3)) }))).toBe("hold");
  });
});

test("whoever asks why the old key stays is told which reader was not seen", () => {
  const { details, reason } = decided({ at: { laptop: READ_AT }, readUntil: ago(hours(1)) });
  expect(reason).toBe("OldKeyQuieting");
  expect(details?.join()).toMatch(/not seen: ci$/);
  const all = decided({ at: { laptop: READ_AT, ci: READ_AT }, readUntil: ago(hours(1)) });
  expect([all.reason, all.details]).toEqual(["OldKeyQuieting", undefined]);
});
