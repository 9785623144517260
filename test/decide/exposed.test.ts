import { describe, expect, test } from "vitest";
import { type Exposure, NO_NOTES } from "../../src/rotation/exposure.ts";
import { type Answer, type Observation } from "../../src/rotation/observation.ts";
import { days, hours, minutes, plus } from "../../src/rotation/time.ts";
import * as build from "../builders.ts";
import { aCustody, aDelivery, ago, aKey, aMemory, aRecord, aUser, K1, K2, NOW, WORKER } from "../builders.ts";
import { K3, exposure, notes, ofSigners, asked, madeByWhom, said, judged, after, alone, waiting } from "./leak.ts";

describe("an exposed key", () => {
  test.for<[string, Partial<Observation>, string]>([
    [
      "that is old is cut, and needs no replacement",
      { ...after, notes: notes(exposure(K1)) },
      `exposed deactivate ${K1}`,
    ],
    ["that is current is replaced", { ...alone, notes: notes(exposure(K1)) }, `exposed create-replacement ${K1}`],
    [
      "that is Inactive and old is left to its soak",
      { ...after, keys: [aKey(K1, days(80), "inactive"), after.keys[1]], notes: notes(exposure(K1)) },
      "not exposed",
    ],
    ["that is gone asks for nothing", { ...alone, notes: notes(exposure(K2)) }, "not exposed"],
    [
      "that is pending and went nowhere is cut first",
      {
        ...after,
        keys: [aKey(K1, days(80)), aKey(K2, hours(1))],
        custody: aCustody({ current: K1, pending: K2 }),
        record: alone.record,
        notes: notes(exposure(K2)),
      },
      `exposed deactivate ${K2}`,
    ],
    [
      "that is pending and went out is withdrawn",
      { ...after, custody: aCustody({ current: K1, pending: K2 }), notes: notes(exposure(K2)) },
      `exposed withdraw-pending ${K2}`,
    ],
    [
      "whose status nobody knows is cut",
      { ...after, keys: [aKey(K1, days(80), "unrecognized"), after.keys[1]], notes: notes(exposure(K1)) },
      `exposed deactivate ${K1}`,
    ],
    [
      "that waits for a replacement which somebody disabled gets another one's slot",
      waiting,
      `exposed withdraw-pending ${K2}`,
    ],
    [
      "that is cut says that another is needed, and what somebody disabled makes room",
      {
        keys: [aKey(K1, days(80), "inactive"), aKey(K2, hours(1), "inactive")],
        custody: aCustody(),
        record: aRecord({
          deliveries: [aDelivery(K1, ago(days(80)))],
          keys: {
            [K1]: aMemory({
              deactivation: {
                at: ago(hours(1)),
                answeredAt: ago(hours(1)),
                quietSince: ago(hours(1)),
                isWaived: false,
              },
            }),
          },
        }),
        notes: notes(exposure(K1)),
      },
      `exposed delete ${K2}`,
    ],
    [
      "gets no other where its replacement, which somebody disabled, could not be withdrawn",
      {
        ...waiting,
        stalled: [{ kind: "withdraw-pending", keyId: K2 }],
      },
      "exposed hold",
    ],
    [
      "takes the slot of what was rolled back before it went anywhere, also where nobody can tell who made that",
      {
        ...alone,
        keys: [aKey(K1, days(10)), aKey(K2, hours(1))],
        record: { ...alone.record, rollback: { from: K2, to: K1, at: ago(minutes(10)), isDone: true } },
        notes: notes(exposure(K1)),
        evidence: [...asked, ...build.evidence(madeByWhom)],
      },
      `exposed delete ${K2}`,
    ],
    [
      "beside an exposed current one is deleted, to make room",
      { ...after, notes: notes(exposure(K1), exposure(K2)) },
      `exposed delete ${K1}`,
    ],
  ])("%s", ([, seen, expected]) => {
    expect(said(judged(seen))).toBe(expected);
  });

  test("that is not ours to turn is not touched", () => {
    const barred = { reason: "NotServedByProfile", because: "not listed" } as const;
    const seen = { ...alone, notes: notes(exposure(K1)), standing: { profile: "ci", barred } };
    expect(said(judged(seen))).toBe("not-ours-to-touch hold");
  });

  test.for<[Exposure["by"], string]>([
    ["health", "not-ours-to-touch hold"],
    ["quarantine", "not-ours-to-touch hold"],
    ["revoke", `exposed create-replacement ${K1}`],
  ])("of a held user, by %s: %s", ([by, expected]) => {
    const standing = { profile: "ci", barred: { reason: "HeldByOperator", because: "a freeze" } as const };
    expect(said(judged({ ...alone, standing, notes: notes(exposure(K1, NOW, by)) }))).toBe(expected);
  });
});

describe("two exposed keys, of which one is stored and was not seen live", () => {
  const seen = {
    ...after,
    custody: aCustody(),
    record: aRecord({
      deliveries: [
        aDelivery(K1, ago(days(80))),
        aDelivery(K2, ago(hours(1)), {
          deliveredAt: null,
          receipt: { version: null, anchor: "1", awaits: "a deployment" },
        }),
      ],
    }),
    notes: notes(exposure(K1), exposure(K2)),
  };

  test("are told apart by a look at the place: it may be live by now", () => {
    expect(said(judged(seen))).toBe("exposed look");
  });

  test("are told apart without a look where that place is configured no more", () => {
    const stored = { ...seen, destinations: [{ name: "cloudflare-worker:other", slots: [], readsCustody: false }] };
    expect(said(judged(stored))).toBe(`exposed delete ${K2}`);
  });

  test("the same of two that are not exposed, where custody's label is back on one that is gone: neither goes", () => {
    const { record } = seen;
    const deactivation = { at: ago(days(9)), answeredAt: ago(days(9)), quietSince: ago(days(9)), isWaived: false };
    const [ofK1, ofK2] = [aMemory({ promotedAt: ago(days(80)) }), aMemory({ promotedAt: ago(hours(1)) })];
    const keys = { [K1]: ofK1, [K2]: ofK2, [K3]: aMemory({ deactivation }) };
    const live: Answer = { source: "destination", destination: WORKER, live: "previous", because: null };
    const custody = aCustody({ current: K3 });
    const back = { ...seen, custody, record: { ...record, keys }, notes: notes(exposure(K3)) };
    expect(said(judged({ ...back, evidence: build.evidence(live) }))).toBe("exposed hold");
  });

  test("are told apart by what is live, and the stored one goes", () => {
    const live: Answer = { source: "destination", destination: WORKER, live: "previous", because: null };
    expect(said(judged({ ...seen, evidence: build.evidence(ofSigners(K1), ofSigners(K2), live) }))).toBe(
      `exposed delete ${K2}`,
    );
  });
});

describe("a quarantine policy", () => {
  const attached = (minutesAgo: number): Partial<Observation> => ({
    ...alone,
    iamUser: aUser({ quarantines: [] }),
    notes: { ...NO_NOTES, quarantine: { at: ago(minutes(minutesAgo)), policies: "AWSCompromisedKeyQuarantineV3" } },
  });

  test("that was attached twenty minutes ago, and is not listed, was taken away", () => {
    expect(judged(attached(20))).toMatchObject({ reason: "QuarantineOver", step: { kind: "mark" } });
  });

  test("marks a key that is exposed already, and does not tell of it again", () => {
    const [V3, told]: [string, Answer] = [
      "AWSCompromisedKeyQuarantineV3",
      { source: "quarantine", attachedAt: ago(hours(1)) },
    ];
    const seen = { ...alone, iamUser: aUser({ quarantines: [V3] }), notes: notes(exposure(K1)) };
    const decision = judged({ ...seen, evidence: build.evidence(told) });
    expect(decision.step).toMatchObject({ kind: "mark", exposures: [{ keyId: K1 }] });
    expect(decision.because).toBe(`no key is older than the attachment of ${V3}`);
  });

  test("that was attached just now, and is not listed, may be listed again: the answer is of before", () => {
    expect(judged(attached(19)).reason).not.toBe("QuarantineOver");
  });

  test.for([
    [20, true],
    [19, false],
  ] as const)("beside another that is listed, seen %i minutes ago: it was taken away is %s", ([minutesAgo, isOver]) => {
    const [V2, V3] = ["AWSCompromisedKeyQuarantineV2", "AWSCompromisedKeyQuarantineV3"];
    const quarantine = { at: ago(minutes(minutesAgo)), policies: `${V2} ${V3}` };
    const seen = { ...alone, iamUser: aUser({ quarantines: [V2] }), notes: { ...NO_NOTES, quarantine } };
    const { reason, step } = judged(seen);
    const marked = step.kind === "mark" && reason === "QuarantineOver" ? step.quarantine : null;
    // From now on that it is attached again is seen as something new.
    expect(marked).toEqual(isOver ? { at: NOW, policies: V2 } : null);
  });
});

describe("a replacement that IAM does not list", () => {
  const unlisted = (begunAgoMs: number): Partial<Observation> => {
    const intent = { at: ago(begunAgoMs), before: [K1] };
    return {
      keys: [aKey(K1, days(80))],
      custody: { ...aCustody({ current: K1, pending: K2 }), intent },
      notes: notes(exposure(K1)),
      evidence: [...asked],
    };
  };
  test.for<[string, number, Partial<Observation>, string]>([
    ["is asked by its pair for twenty minutes", minutes(20) - 1, {}, `exposed prove ${K2}`],
    ["is gone after them", minutes(20), {}, `exposed create-replacement ${K1}`],
    ["is gone where its pair does not answer", minutes(1), { dead: [K2] }, `exposed create-replacement ${K1}`],
    [
      "is waited for where that cannot be told",
      minutes(1),
      { stalled: [{ kind: "prove", keyId: K2 }] },
      "exposed hold",
    ],
  ])("%s", ([, begunAgoMs, more, expected]) => {
    expect(said(judged({ ...unlisted(begunAgoMs), ...more }))).toBe(expected);
  });
});

describe("a quarantine policy that could not be written down in this run", () => {
  const V3 = "AWSCompromisedKeyQuarantineV3";
  const stalled = [{ kind: "mark", exposures: [], quarantine: null }] as const;
  const due = { ...alone, keys: [aKey(K1, days(80))], stalled };

  test("keeps the rules below from going on, and is told with the keys that it may mean", () => {
    const decision = judged({ ...due, iamUser: aUser({ quarantines: [V3] }) });
    expect(said(decision)).toBe("exposed hold");
    expect(decision.because).toBe(
      `${V3} could not be written down: until it can, nothing is done about ${K1}, which may be leaked`,
    );
    expect(judged({ ...due, iamUser: aUser({ quarantines: [] }) }).reason).not.toBe("KeyExposed");
  });

  test("does not say of one that was taken away that a key is exposed", () => {
    const quarantine = { at: ago(days(1)), policies: V3 };
    const seen = { ...due, iamUser: aUser({ quarantines: [] }), notes: { ...NO_NOTES, quarantine } };
    expect(judged(seen)).toMatchObject({ reason: "QuarantineOver", step: { kind: "hold" } });
  });
});

describe("cutExposedWithin", () => {
  const blocked = {
    ...after,
    record: aRecord({ keys: { [K2]: aMemory({ promotedAt: ago(days(2)) }) } }),
    stalled: [{ kind: "deliver", keyId: K2, destination: WORKER, isConfirming: false }],
  } as const;
  test.for<[string, number, Exposure["by"], string]>([
    ["a minute before", minutes(59), "health", "exposed hold"],
    ["exactly then", hours(1), "health", `exposed deactivate ${K1}`],
    ["a minute after", minutes(61), "health", `exposed deactivate ${K1}`],
    ["at once by revoke", 0, "revoke", `exposed deactivate ${K1}`],
  ])("%s", ([, agoMs, by, expected]) => {
    const decision = judged({ ...blocked, notes: notes(exposure(K1, ago(agoMs), by)) });
    expect(said(decision)).toBe(expected);
    expect(decision.because).toContain(WORKER);
  });

  test("says until when the key has", () => {
    const { step } = judged({ ...blocked, notes: notes(exposure(K1, ago(minutes(20)))) });
    expect(step).toEqual({ kind: "hold", until: plus(NOW, minutes(40)) });
  });

  test("counts for keys that cannot be listed, too", () => {
    const blindSpots = [{ about: "keys", because: "access denied" }] as const;
    const seen = { ...after, keys: [], blindSpots, record: aRecord({ keys: { [K1]: aMemory() } }) };
    expect(said(judged({ ...seen, notes: notes(exposure(K1, ago(minutes(59)))) }))).toBe("exposed hold");
    const decision = judged({ ...seen, notes: notes(exposure(K1, ago(hours(1)))) });
    expect(said(decision)).toBe(`exposed deactivate ${K1}`);
    expect(decision.because).toMatch(new RegExp(`^${K1} is exposed \\(AWS Health\\): it is cut although keys`));
  });
});
