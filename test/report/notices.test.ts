import { describe, expect, test } from "vitest";
import type { ActStep, Outcome } from "../../src/rotation/decision.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { days, hours, minutes, plus } from "../../src/rotation/time.ts";
import type { Observation } from "../../src/rotation/observation.ts";
import { noticesOf } from "../../src/report/notices.ts";
import { aMemory } from "../builders.ts";
import { custodyOf, daysAgo, decided, findings, K1, K2, key, NOW, observation, profile, USER } from "./builders.ts";

const keysOf = (differs: Parameters<typeof findings>[0]) =>
  noticesOf(findings(differs)).map((notice) => notice.dedupeKey);
const turn = (decision: ReturnType<typeof decided>, outcome: Outcome | null = { kind: "held" }) => [
  { decision, outcome },
];

describe("a reason", () => {
  test("of the ordinary course is not told", () => {
    expect(noticesOf(findings())).toEqual([]);
  });

  test("in the registry is told, with its sentence and the registry's advice", () => {
    const [notice] = noticesOf(findings({ turns: turn(decided("OldKeyStillUsed", "used by s3")) }));
    expect(notice).toMatchObject({
      code: "OldKeyStillUsed",
      severity: "warning",
      user: "flowid-dev-user",
      text: "used by s3",
      advice: expect.stringContaining("still signs with the old key"),
      dedupeKey: "OldKeyStillUsed",
    });
  });

  test("is the same notice while only its numbers change", () => {
    const said = (because: string) => keysOf({ turns: turn(decided("OldKeyStillUsed", because)) });
    expect(said(`${K1}, 3 h ago`)).toEqual(said(`${K1}, 2 d 1 h ago`));
  });

  test("is another notice about another destination", () => {
    const destinations = ["worker:a", "worker:b"].map((name) => ({ name, slots: [], readsCustody: false }));
    const said = (because: string) =>
      keysOf({
        observation: observation({ destinations }),
        turns: turn(decided("DestinationHoldsOldKey", because)),
      });
    expect(said("worker:a holds another pair")).toEqual(["DestinationHoldsOldKey:worker:a"]);
    expect(said("worker:b holds another pair")).toEqual(["DestinationHoldsOldKey:worker:b"]);
  });

  test("that is a blind spot names what cannot be seen", () => {
    const blind = observation({ blindSpots: [{ about: "keys", because: "access denied" }] });
    expect(keysOf({ observation: blind, turns: turn(decided("BlindSpot")) })).toEqual(["BlindSpot:keys"]);
  });

  test("is told in a plan as in a sweep, once for all turns", () => {
    const turns = [...turn(decided("Stranger"), null), ...turn(decided("Stranger"), null)];
    expect(keysOf({ turns })).toEqual(["Stranger"]);
  });
});

describe("an outcome", () => {
  const deactivate: ActStep = {
    kind: "deactivate",
    keyId: K1,
    quietSince: daysAgo(11),
    isWaived: false,
  };
  const remove: ActStep = { kind: "delete", keyId: K1 };
  const deliver: ActStep = {
    kind: "deliver",
    keyId: K2,
    destination: "worker:a",
    isConfirming: false,
  };

  test.for<[ActStep, string, string]>([
    [deactivate, "KeyDeactivated", "was deactivated: silent for 11 d"],
    [remove, "KeyDeleted", "was deleted: silent for 11 d"],
  ])("that is done tells of $kind, with its reason", ([step, code, text]) => {
    const decision = decided("OldKeyQuiet", "silent for 11 d", step);
    const [notice] = noticesOf(findings({ turns: turn(decision, { kind: "done", step }) }));
    expect(notice).toMatchObject({ code, severity: "info", text: `${K1} ${text}` });
    expect(notice?.dedupeKey).toBe(`${code}:${K1}`);
  });

  test("that made a key active again is one urgent notice, with the advice of its reason", () => {
    const step: ActStep = { kind: "reactivate", keyId: K1 };
    const decision = decided("DestinationHoldsOldKey", "worker:a went back", step);
    const notices = noticesOf(findings({ turns: turn(decision, { kind: "done", step }) }));
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatchObject({
      code: "KeyReactivated",
      severity: "urgent",
      text: `${K1} was made active again: worker:a went back`,
      advice: expect.stringContaining("Deploy the newest version"),
    });
  });

  test("that is done and ordinary is not told", () => {
    const decision = decided("DestinationBehind", "behind", deliver);
    expect(keysOf({ turns: turn(decision, { kind: "done", step: deliver }) })).toEqual([]);
  });

  test("that failed is told with code and message", () => {
    const error = new RotationError("Denied", "delivering to worker a, token refused");
    const decision = decided("DestinationBehind", "behind", deliver);
    const [notice] = noticesOf(findings({ turns: turn(decision, { kind: "failed", step: deliver, error }) }));
    expect(notice).toMatchObject({
      code: "StepFailed",
      severity: "warning",
      text: "Denied: delivering to worker a, token refused",
      dedupeKey: `StepFailed:deliver:worker:a:${K2}:Denied`,
    });
  });

  test("that failed by a bug of ours is urgent", () => {
    const error = new RotationError("Bug", "checking an invariant, it does not hold: one");
    const decision = decided("OldKeyQuiet", "quiet", deactivate);
    const [notice] = noticesOf(findings({ turns: turn(decision, { kind: "failed", step: deactivate, error }) }));
    expect(notice).toMatchObject({ code: "StepFailed", severity: "urgent" });
  });

  test("that was blocked names the destination and what to mend", () => {
    const step: ActStep = { kind: "create-replacement", replaces: K1 };
    const because = "the newest version is not the live one";
    const outcome: Outcome = { kind: "blocked", step, destination: "worker:a", because };
    const [notice] = noticesOf(findings({ turns: turn(decided("KeyDue", "due", step), outcome) }));
    expect(notice).toMatchObject({ code: "DestinationBlocked", text: because });
    expect(notice?.dedupeKey).toBe("DestinationBlocked:worker:a");
  });

  test("that never came, because nothing could be observed, is told", () => {
    const failure = new RotationError("Unreachable", "listing the keys, no answer");
    const found = noticesOf(findings({ observation: null, turns: [], failure }));
    expect(found).toMatchObject([
      {
        code: "ObservationFailed",
        severity: "warning",
        dedupeKey: "ObservationFailed:Unreachable",
      },
    ]);
  });
});

describe("evidence that cannot be had", () => {
  const [wait, current] = [hours(1) + days(10) + hours(4) + days(3), K2];
  const told = (promotedAgoMs: number, reason: "UseUnknown" | "OldKeyStillUsed" = "UseUnknown") => {
    const because = "whether it is used cannot be told: asking cloudtrail:LookupEvents in eu-south-1, access denied";
    const keys = [key(K1, days(20)), key(K2, promotedAgoMs)];
    const known = { [current]: aMemory({ promotedAt: plus(NOW, -promotedAgoMs) }) };
    const { record } = observation();
    const seen = observation({ keys, custody: custodyOf({ current }), record: { ...record, keys: known } });
    return noticesOf(findings({ observation: seen, turns: turn(decided(reason, because)) }));
  };

  test("is a deadline of its own, three days after the old key could have gone, however young that is", () => {
    expect(told(wait - 1).map(({ code }) => code)).toEqual(["UseUnknown"]);
    expect(told(wait).map(({ dedupeKey }) => dedupeKey)).toEqual(["UseUnknown", `EvidenceLate:${K1}`]);
  });

  test("names the permission and the Region, and is urgent", () => {
    const late = told(wait).find(({ code }) => code === "EvidenceLate");
    expect(late).toMatchObject({
      severity: "urgent",
      text: expect.stringMatching(/cloudtrail:LookupEvents in eu-south-1/),
    });
  });

  test("is not what a use is that was seen", () => {
    expect(told(wait + days(30), "OldKeyStillUsed").map(({ code }) => code)).toEqual(["OldKeyStillUsed"]);
  });
});

test("who signs is told below the reason, and makes no other notice of it", () => {
  const decision = { ...decided("OldKeyStillUsed", "still used"), details: ["logs in eu-west-1", "Look at: a laptop"] };
  const [notice] = noticesOf(findings({ turns: turn(decision) }));
  expect(notice).toMatchObject({
    text: "still used\nlogs in eu-west-1\nLook at: a laptop",
    dedupeKey: "OldKeyStillUsed",
  });
});

describe("a deadline", () => {
  const aged = (ageMs: number, custody = custodyOf({ current: K1 })) =>
    keysOf({ observation: observation({ keys: [key(K1, ageMs)], custody }) });

  test.for<[string, number, readonly string[]]>([
    ["just before rotateAfter + deliverWithin", days(76) - 1, []],
    ["at rotateAfter + deliverWithin", days(76), [`DeliveryLate:${K1}`]],
    ["just before maxAge - 3 d", days(87) - 1, [`DeliveryLate:${K1}`]],
    ["at maxAge - 3 d", days(87), [`KeyOverdue:${K1}:soon`, `DeliveryLate:${K1}`]],
    ["just before maxAge", days(90) - 1, [`KeyOverdue:${K1}:soon`, `DeliveryLate:${K1}`]],
    ["at maxAge", days(90), [`KeyOverdue:${K1}:week 0`, `DeliveryLate:${K1}`]],
    ["just before the week is over", days(97) - 1, [`KeyOverdue:${K1}:week 0`, `DeliveryLate:${K1}`]],
    ["a week after maxAge", days(97), [`KeyOverdue:${K1}:week 1`, `DeliveryLate:${K1}`]],
  ])("%s", ([, ageMs, expected]) => {
    expect(aged(ageMs)).toEqual(expected);
  });

  test("says the age, what is allowed and what is in the way", () => {
    const decision = decided("OldKeyStillUsed", "used 3 h ago by s3");
    const keys = [key(K1, days(91))];
    const notice = noticesOf(findings({ observation: observation({ keys }), turns: turn(decision) })).find(
      ({ code }) => code === "KeyOverdue",
    );
    expect(notice?.text).toBe(`${K1} is 91 d old, and may be 90 d. In the way: used 3 h ago by s3`);
    expect(notice?.severity).toBe("urgent");
  });

  test("is told of the old key too, whose replacement is promoted and not late", () => {
    const keys = [key(K1, days(91)), key(K2, days(15))];
    const custody = custodyOf({ current: K2, previous: K1 });
    expect(keysOf({ observation: observation({ keys, custody }) })).toEqual([`KeyOverdue:${K1}:week 0`]);
  });

  test("of an ordinary rotation is never met: Inactive keys do not count", () => {
    const keys = [key(K1, days(91), "inactive"), key(K2, days(15))];
    const custody = custodyOf({ current: K2, previous: K1 });
    expect(keysOf({ observation: observation({ keys, custody }) })).toEqual([]);
  });

  test("does not bind a stranger, nor the pending key", () => {
    const keys = [key(K1, days(60)), key(K2, days(50))];
    const short = { ...profile, policy: { ...profile.policy, maxAgeMs: days(52) } };
    const told = (custody: ReturnType<typeof custodyOf>) =>
      keysOf({ profile: short, observation: observation({ keys, custody }) });
    expect(told(custodyOf({ current: K1 }))).toEqual([`KeyOverdue:${K1}:week 1`]);
    expect(told(custodyOf({ current: K1, pending: K2 }))).toEqual([`KeyOverdue:${K1}:week 1`]);
  });

  test.for<[string, number, boolean, boolean]>([
    ["is told of one of which a younger journal cannot say whose it is", 54, false, true],
    ["is not told of one that the journal knows from its first day: a stranger", 55, false, false],
    ["is not told of one that is marked as somebody's own", 54, true, false],
  ])("%s", ([, sinceDays, isStranger, isTold]) => {
    const keys = [key(K1, days(60)), key(K2, days(55))];
    const short = { ...profile, policy: { ...profile.policy, maxAgeMs: days(52) } };
    const record = {
      ...observation().record,
      since: daysAgo(sinceDays),
      keys: { [K2]: aMemory({ isStranger }) },
    };
    const custody = custodyOf({ current: K1 });
    const told = keysOf({ profile: short, observation: observation({ keys, custody, record }) });
    expect(told.includes(`KeyOverdue:${K2}:week 0`)).toBe(isTold);
  });

  test.for<[string, "absent" | "unreadable"]>([
    ["hand-made", "absent"],
    ["of whom custody cannot be read", "unreadable"],
  ])("binds every active key %s, and one lateness is enough", ([, kind]) => {
    const keys = [key(K1, days(400)), key(K2, days(300))];
    expect(keysOf({ observation: observation({ keys, custody: { kind } }) })).toEqual([
      `KeyOverdue:${K1}:week 44`,
      `KeyOverdue:${K2}:week 30`,
      `DeliveryLate:${K1}`,
    ]);
  });

  test("of a hand-made key is not late before its replacement had its time since we met it", () => {
    const met = (sinceMs: number, adopt: "when-due" | "at-once" = "when-due", ageMs = days(80)) => {
      const { record } = observation();
      return keysOf({
        profile: { ...profile, policy: { ...profile.policy, adopt } },
        observation: observation({
          keys: [key(K1, ageMs)],
          custody: { kind: "absent" },
          record: { ...record, since: daysAgo(sinceMs / days(1)) },
        }),
      });
    };
    expect(met(hours(23))).toEqual([]);
    expect(met(hours(24))).toEqual([`DeliveryLate:${K1}`]);
    expect(met(days(2), "when-due", days(10))).toEqual([]);
    expect(met(days(2), "at-once", days(10))).toEqual([`DeliveryLate:${K1}`]);
    expect(met(days(1) - minutes(1), "at-once", days(10))).toEqual([]);
  });

  test("is unknown without a profile", () => {
    const keys = [key(K1, days(400))];
    expect(keysOf({ profile: null, observation: observation({ keys }) })).toEqual([]);
  });
});

describe("whose move it is, and what to type", () => {
  const [held] = turn(decided("OldKeyStillUsed", `${K1} was used 3 h ago`));
  const tell = (differs: Parameters<typeof findings>[0]) => noticesOf(findings(differs))[0];

  test.for<[Parameters<typeof decided>[0], string]>([
    ["UseUnknown", "npx keyturn explain flowid-dev-user"],
    ["NeedsRelease", `npx keyturn release flowid-dev-user ${K1}`],
    ["HeldByOperator", "npx keyturn release flowid-dev-user"],
    ["FormerDestination", `npx keyturn forget flowid-dev-user "…"`],
  ])("of %s is said with the names filled in", ([reason, command]) => {
    expect(tell({ turns: turn(decided(reason, `${K1} is in the way`)) })).toMatchObject({ command });
  });

  test("of a key that was taken out of use is how it is brought back", () => {
    const step: ActStep = { kind: "deactivate", keyId: K1, quietSince: daysAgo(11), isWaived: false };
    const notice = tell({ turns: turn(decided("OldKeyQuiet", "quiet", step), { kind: "done", step }) });
    expect(notice).toMatchObject({ command: `npx keyturn reactivate flowid-dev-user ${K1}` });
  });

  test.for<[RotationError["code"], string | undefined]>([
    ["Throttled", "time"],
    ["Unreachable", "time"],
    ["Conflict", "time"],
    ["Denied", undefined],
    ["Misconfigured", undefined],
    ["Bug", undefined],
  ])("is time's after a failure that passes, and else as the registry has it: %s", ([code, move]) => {
    const failure = new RotationError(code, "listing the keys, no luck");
    expect(tell({ turns: [], failure })?.move).toBe(move);
  });

  test("names who answers for the user by its tag, and nobody where the tag is missing or empty", () => {
    const owned = (tags: Readonly<Record<string, string>>) => {
      const iamUser = { name: USER, id: "AIDA", arn: "arn", path: "/", tags, smtp: "none" } as const;
      return tell({ observation: observation({ iamUser }), turns: held === undefined ? [] : [held] })?.owner;
    };
    expect([owned({ "keyturn-owner": "team-a" }), owned({ "keyturn-owner": "" }), owned({})]).toEqual([
      "team-a",
      undefined,
      undefined,
    ]);
  });
});

describe("what was done unheard", () => {
  const told = (code: "KeyDeleted" | "KeyDeactivated", keys: Observation["keys"]) => {
    const unheard = [{ code, keyId: K1, at: daysAgo(0), lines: ["the soak is over", "Inactive since 1 May"] }];
    const { record } = observation();
    return noticesOf(findings({ observation: observation({ keys, record: { ...record, unheard } }) }));
  };

  test("is told once IAM shows it, with what it rests on", () => {
    expect(told("KeyDeleted", [key(K2)])).toMatchObject([
      {
        code: "KeyDeleted",
        text: `${K1} was deleted: the soak is over\nInactive since 1 May`,
        dedupeKey: `KeyDeleted:${K1}`,
      },
    ]);
    expect(told("KeyDeactivated", [key(K1, days(80), "inactive")])).toMatchObject([{ code: "KeyDeactivated" }]);
  });

  test("is not told while IAM shows that it was not done", () => {
    expect(told("KeyDeleted", [key(K1, days(80), "inactive")])).toEqual([]);
    expect(told("KeyDeactivated", [key(K1)])).toEqual([]);
    expect(told("KeyDeactivated", [key(K2)])).toEqual([]);
  });
});
