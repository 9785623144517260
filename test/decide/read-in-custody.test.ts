import { describe, expect, test } from "vitest";
import { decide } from "../../src/decide/decide.ts";
import { type Answer, type Observation } from "../../src/rotation/observation.ts";
import { days, hours, minutes, plus } from "../../src/rotation/time.ts";
import * as build from "../builders.ts";
import { aCustody, ago, aKey, aMemory, anObservation, aProfile, aRecord, K1, K2, NOW } from "../builders.ts";
import { K3, after, asked, exposure, judged, notes, said } from "./leak.ts";

describe("what may have been read in custody", () => {
  const pulls = aProfile({ isPulled: true });
  const reads = (verdict: "none" | "read" | "unknown", from = after.keys[1].createdAt): Answer => ({
    source: "reads",
    keyId: K1,
    from,
    reads: { verdict, because: "" },
  });
  const seen = (verdict: "none" | "read" | "unknown", more: Partial<Observation> = {}): Partial<Observation> => ({
    ...after,
    notes: notes(exposure(K1)),
    evidence: [...asked, ...build.evidence(reads(verdict))],
    ...more,
  });
  test.for<["none" | "read" | "unknown", string]>([
    ["none", `exposed deactivate ${K1}`],
    ["read", "exposed mark"],
    ["unknown", "exposed mark"],
  ])("%s: %s", ([verdict, expected]) => {
    expect(said(judged(seen(verdict), pulls))).toBe(expected);
  });

  test.for<[string, number, number, "read" | "unknown", string]>([
    ["a key that was deleted to make room for this one", hours(1), minutes(1), "read", "exposed mark"],
    ["such a key, as far as CloudTrail can tell", hours(1), minutes(1), "unknown", "not exposed"],
    ["such a key, a day later: that is asked no more", days(1) + 1_000, minutes(1), "read", "not exposed"],
    ["a key that leaked a day before this one was made", hours(1), days(1), "read", "exposed mark"],
    ["a key that leaked longer ago, and was gone by then", hours(1), days(1) + 1_000, "read", "not exposed"],
  ])("by %s: %s", ([, ageMs, leakedBeforeMs, verdict, expected]) => {
    const leaked = exposure(K1, ago(ageMs + leakedBeforeMs));
    const heir = aKey(K2, ageMs);
    const evidence = [...asked, ...build.evidence(reads(verdict, heir.createdAt))];
    const gone = { keys: [heir], custody: aCustody({ current: K2 }), notes: notes(leaked), evidence };
    expect(said(judged(seen(verdict, gone), pulls))).toBe(expected);
  });

  test("is asked before anything else, and not of a user that cannot read there", () => {
    const unasked = { ...after, notes: notes(exposure(K1)) };
    expect(judged(unasked, pulls).step).toMatchObject({ kind: "look", questions: [{ source: "reads", keyId: K1 }] });
    expect(said(judged(unasked))).toBe(`exposed deactivate ${K1}`);
  });

  test("is asked of each pair that lay there, from its own beginning", () => {
    const [current, pending] = [aKey(K2, hours(2)), aKey(K3, hours(1))];
    const observation: Partial<Observation> = {
      keys: [current, pending],
      custody: aCustody({ current: K2, pending: K3 }),
      notes: notes(exposure(K1, ago(minutes(90)))),
      evidence: [...asked, ...build.evidence(reads("none", current.createdAt))],
    };
    const questions = [{ source: "reads", keyId: K1, from: pending.createdAt }];
    expect(judged(observation, pulls).step).toMatchObject({ kind: "look", questions });
  });

  test.for<[string, number, string]>([
    ["stored two minutes after the cut and more is not asked about", days(2) + minutes(2) + 1, "not exposed"],
    ["stored two minutes after it is: the clocks may differ by that", days(2) + minutes(2), "exposed mark"],
    ["stored a second before it is", days(2) - 1_000, "exposed mark"],
  ])("a pair %s", ([, cutAgoMs, expected]) => {
    const keys = [aKey(K1, days(80), "inactive"), after.keys[1]];
    const cut = aMemory({ inactiveSince: ago(cutAgoMs) });
    const record = aRecord({ ...after.record, keys: { ...after.record.keys, [K1]: cut } });
    const now = plus(NOW, -(days(1) + hours(23)));
    const observation = anObservation({ ...seen("read"), keys, record });
    expect(said(decide({ observation, profile: pulls, now }))).toBe(expected);
  });
});
