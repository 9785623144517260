import { describe, expect, test } from "vitest";
import { decide } from "../../src/decide/decide.ts";
import type { Reason, Step } from "../../src/rotation/decision.ts";
import type { Observation } from "../../src/rotation/observation.ts";
import type { Profile } from "../../src/rotation/policy.ts";
import { days, hours, minutes, seconds } from "../../src/rotation/time.ts";
import {
  K1,
  K2,
  NOW,
  WORKER,
  aCustody,
  aDelivery,
  aKey,
  aMemory,
  aPolicy,
  aProfile,
  aRecord,
  aUser,
  ago,
  anObservation,
  evidence,
  lastUsed,
  trail,
  unknown,
  unused,
  usedAt,
} from "../builders.ts";

interface Row {
  readonly seen: Observation;
  readonly profile?: Profile;
  readonly rule: string;
  readonly step: Step["kind"];
  readonly reason: Reason;
}

const rows = (table: Readonly<Record<string, Row>>): void => {
  test.for(Object.entries(table))("%s", ([, row]) => {
    const decision = decide({
      observation: row.seen,
      profile: row.profile ?? aProfile(),
      now: NOW,
    });
    expect({ rule: decision.rule, step: decision.step.kind, reason: decision.reason }).toEqual({
      rule: row.rule,
      step: row.step,
      reason: row.reason,
    });
  });
};

const hold = (rule: string, reason: Reason) => ({ rule, step: "hold", reason }) as const;

describe("creating", () => {
  const due = (ageMs: number, changes: Partial<Observation> = {}): Observation =>
    anObservation({ keys: [aKey(K1, ageMs)], ...changes });
  rows({
    "nothing is due a second before rotateAfter": {
      seen: due(days(75) - seconds(1)),
      ...hold("nothing-due", "NothingDue"),
    },
    "a hand-made key is replaced exactly at rotateAfter": {
      seen: due(days(75)),
      rule: "create",
      step: "create-replacement",
      reason: "KeyDue",
    },
    "a hand-made key is replaced at once where the profile says so": {
      seen: due(days(1)),
      profile: aProfile({ policy: aPolicy({ adopt: "at-once" }) }),
      rule: "create",
      step: "create-replacement",
      reason: "KeyDue",
    },
    "our own key is not replaced at once": {
      seen: due(days(1), {
        custody: aCustody({ current: K1 }),
        record: aRecord({
          deliveries: [aDelivery(K1, ago(days(1)))],
          keys: { [K1]: aMemory({ promotedAt: ago(days(1)) }) },
        }),
      }),
      profile: aProfile({ policy: aPolicy({ adopt: "at-once" }) }),
      ...hold("nothing-due", "NothingDue"),
    },
    "a user that never had custody and has no key gets its first": {
      seen: anObservation({ keys: [] }),
      rule: "create",
      step: "create-replacement",
      reason: "FirstKey",
    },
    "L8: a user whose only key somebody deleted is held": {
      seen: anObservation({ keys: [], record: aRecord({ keys: { [K1]: aMemory() } }) }),
      ...hold("not-ours-to-touch", "CurrentKeyGone"),
    },
    "L8: a user whose only key somebody disabled is held": {
      seen: anObservation({ keys: [aKey(K1, days(80), "inactive")] }),
      ...hold("not-ours-to-touch", "CurrentKeyDisabled"),
    },
    "S8: after one orphan the next is not made within the hour": {
      seen: due(days(80), {
        record: aRecord({ orphans: { count: 1, lastAt: ago(hours(1) - seconds(1)) } }),
      }),
      ...hold("create", "WaitingAfterOrphan"),
    },
    "S8: after one orphan the next is made when the hour is over": {
      seen: due(days(80), { record: aRecord({ orphans: { count: 1, lastAt: ago(hours(1)) } }) }),
      rule: "create",
      step: "create-replacement",
      reason: "KeyDue",
    },
    "S8: after a third orphan the wait is a day": {
      seen: due(days(80), { record: aRecord({ orphans: { count: 3, lastAt: ago(hours(23)) } }) }),
      ...hold("create", "WaitingAfterOrphan"),
    },
  });
});

describe("room at take-over", () => {
  const two = (unusedForMs: number, old: Parameters<typeof aMemory>[0] = {}): Observation =>
    anObservation({
      keys: [aKey(K1, days(400)), aKey(K2, days(80))],
      record: aRecord({ keys: { [K1]: aMemory(old) } }),
      evidence: evidence(lastUsed(K1, usedAt(ago(unusedForMs))), lastUsed(K2, usedAt(ago(days(1)))), trail(K1, unused)),
    });
  const wait = days(90) + minutes(15);
  rows({
    "S1: is made by the key that was unused for exactly 90 days": {
      seen: two(wait),
      rule: "make-room",
      step: "deactivate",
      reason: "MakingRoom",
    },
    "S1: is not made a second before": {
      seen: two(wait - seconds(1)),
      ...hold("make-room", "TwoHandMadeKeys"),
    },
    "B3: is not made by a key that somebody activated again": {
      seen: two(wait, { reactivatedAt: ago(days(2)) }),
      ...hold("make-room", "NeedsRelease"),
    },
    "B3: is made by it once it is released": {
      seen: two(wait, { reactivatedAt: ago(days(2)), releasedAt: ago(days(1)) }),
      rule: "make-room",
      step: "deactivate",
      reason: "MakingRoom",
    },
  });
});

describe("what is not ours to touch", () => {
  rows({
    "L8: a first rotation stops when somebody disables the hand-made key": {
      seen: anObservation({
        keys: [aKey(K1, days(80), "inactive"), aKey(K2, hours(1))],
        custody: aCustody({ pending: K2 }),
        record: aRecord({
          keys: {
            [K1]: aMemory({
              deactivation: null,
              inactiveSince: ago(minutes(5)),
              isReactivatedByUs: true,
            }),
          },
        }),
      }),
      ...hold("not-ours-to-touch", "CurrentKeyDisabled"),
    },
    "L8: so it does when somebody deletes it": {
      seen: anObservation({
        keys: [aKey(K2, hours(1))],
        custody: aCustody({ pending: K2 }),
        record: aRecord({
          intent: { at: ago(hours(1)), before: [K1], created: K2 },
          keys: { [K1]: aMemory({ missingSince: ago(hours(1)) }) },
        }),
      }),
      ...hold("not-ours-to-touch", "CurrentKeyGone"),
    },
    "an unreadable source holds everything": {
      seen: anObservation({
        keys: [aKey(K1, days(80))],
        blindSpots: [{ about: "custody", because: "access denied" }],
      }),
      ...hold("cannot-see", "BlindSpot"),
    },
    "C10: a status that nobody knows makes the keys unreadable": {
      seen: anObservation({ keys: [aKey(K1, days(80), "unrecognized")] }),
      ...hold("cannot-see", "BlindSpot"),
    },
    "C3: another UserId under the same name is held": {
      seen: anObservation({ keys: [aKey(K1, days(80))], iamUser: aUser({ id: "AIDAOTHER" }) }),
      ...hold("not-ours-to-touch", "OtherUserSameName"),
    },
    "C4: a removed tag leaves nothing half done unreported": {
      seen: anObservation({
        keys: [aKey(K1, days(80)), aKey(K2, days(1))],
        custody: aCustody({ pending: K2 }),
        standing: { profile: null, barred: { reason: "NotEnrolled", because: "no tag" } },
      }),
      ...hold("not-ours-to-touch", "NotEnrolled"),
    },
    "N20: a user that may send mail by SMTP is held": {
      seen: anObservation({ keys: [aKey(K1, days(80))], iamUser: aUser({ smtp: "allowed" }) }),
      ...hold("smtp", "SmtpNotRuledOut"),
    },
    "N20: so is one of which it cannot be told": {
      seen: anObservation({ keys: [aKey(K1, days(80))], iamUser: aUser({ smtp: "unknown" }) }),
      ...hold("smtp", "SmtpNotRuledOut"),
    },
    "N20: the owner's word ends it": {
      seen: anObservation({ keys: [aKey(K1, days(80))], iamUser: aUser({ smtp: "allowed" }) }),
      profile: aProfile({ smtp: "none" }),
      rule: "create",
      step: "create-replacement",
      reason: "KeyDue",
    },
    "B11: a hold counts however its tag is written (the tags are lower case here)": {
      seen: anObservation({
        keys: [aKey(K1, days(80))],
        standing: { profile: "ci", barred: { reason: "HeldByOperator", because: "freeze" } },
      }),
      ...hold("not-ours-to-touch", "HeldByOperator"),
    },
  });
});

describe("a replacement that is pending", () => {
  const pending = (changes: Partial<Observation> = {}): Observation =>
    anObservation({
      keys: [aKey(K1, days(75)), aKey(K2, hours(1))],
      custody: aCustody({ pending: K2 }),
      ...changes,
    });
  const delivered = aRecord({ deliveries: [aDelivery(K2, ago(minutes(1)))] });
  rows({
    "is proved before anything else": {
      seen: pending(),
      rule: "prove",
      step: "prove",
      reason: "ReplacementNotProved",
    },
    "is delivered once it answered in this sweep": {
      seen: pending({ proved: [K2] }),
      rule: "deliver",
      step: "deliver",
      reason: "DestinationBehind",
    },
    "is not promoted while an attempt is not known to have worked": {
      seen: pending({
        proved: [K2],
        record: aRecord({ deliveries: [aDelivery(K2, ago(1), { deliveredAt: null })] }),
      }),
      rule: "deliver",
      step: "deliver",
      reason: "DestinationBehind",
    },
    "is promoted when it is everywhere": {
      seen: pending({ proved: [K2], record: delivered }),
      rule: "promote",
      step: "promote",
      reason: "DeliveredEverywhere",
    },
    "B1: is proved again before its promotion in a later sweep": {
      seen: pending({ record: delivered }),
      rule: "prove",
      step: "prove",
      reason: "ReplacementNotProved",
    },
    "S2: is promoted without waiting for those that read custody": {
      seen: pending({
        proved: [K2],
        destinations: [{ name: "secrets-manager", readsCustody: true }],
      }),
      rule: "promote",
      step: "promote",
      reason: "DeliveredEverywhere",
    },
    "N22: rules during its destination's back-off": {
      seen: pending({
        record: aRecord({
          backOffs: [{ destination: WORKER, failures: 1, until: plusMs(seconds(1)) }],
        }),
      }),
      ...hold("deliver", "DestinationBackingOff"),
    },
    "is tried again when the back-off is over": {
      seen: pending({
        proved: [K2],
        record: aRecord({ backOffs: [{ destination: WORKER, failures: 1, until: NOW }] }),
      }),
      rule: "deliver",
      step: "deliver",
      reason: "DestinationBehind",
    },
    "B1: is not delivered when somebody disabled it": {
      seen: pending({ keys: [aKey(K1, days(75)), aKey(K2, hours(1), "inactive")], proved: [K2] }),
      ...hold("stranger", "PendingDisabled"),
    },
    "B1: keeps its label while it is missing for less than an hour": {
      seen: pending({
        keys: [aKey(K1, days(75))],
        record: aRecord({
          keys: {
            [K2]: aMemory({ firstSeenAt: ago(hours(1)), missingSince: ago(hours(1) - seconds(1)) }),
          },
        }),
      }),
      ...hold("stranger", "NeedsEvidence"),
    },
    "B1: loses its label when it is gone for an hour": {
      seen: pending({
        keys: [aKey(K1, days(75))],
        record: aRecord({
          keys: { [K2]: aMemory({ firstSeenAt: ago(hours(1)), missingSince: ago(hours(1)) }) },
        }),
      }),
      rule: "stranger",
      step: "withdraw-pending",
      reason: "PendingGone",
    },
  });
});

function plusMs(ms: number): ReturnType<typeof ago> {
  return ago(-ms);
}

describe("retiring the old key", () => {
  const wait = days(10) + hours(4);
  const replaced = (over: {
    readonly deliveredAgoMs: number;
    readonly evidence?: Observation["evidence"];
    readonly old?: Parameters<typeof aMemory>[0];
    readonly current?: Parameters<typeof aMemory>[0];
    readonly changes?: Partial<Observation>;
  }): Observation => {
    const at = ago(over.deliveredAgoMs);
    return anObservation({
      keys: [aKey(K1, days(86)), aKey(K2, over.deliveredAgoMs)],
      custody: aCustody({ current: K2 }),
      record: aRecord({
        deliveries: [aDelivery(K2, at)],
        keys: {
          [K1]: aMemory({
            latestUse: {
              at: ago(over.deliveredAgoMs + hours(1)),
              service: "lambda",
              region: null,
              detail: null,
            },
            ...over.old,
          }),
          [K2]: aMemory({ promotedAt: at, adoptedAt: at, ...over.current }),
        },
      }),
      evidence:
        over.evidence ??
        evidence(lastUsed(K1, usedAt(ago(over.deliveredAgoMs + hours(1)))), trail(K1, unused), live("ours")),
      ...over.changes,
    });
  };
  const live = (state: "ours" | "foreign" | "previous" | "unknown") =>
    ({ source: "destination", destination: WORKER, live: state, because: null }) as const;
  const quietNow = wait + hours(1);
  const use1 = lastUsed(K1, usedAt(ago(quietNow + hours(1))));
  rows({
    "waits until quiet, the readers' cache and the lag are over": {
      seen: replaced({ deliveredAgoMs: quietNow - seconds(1) }),
      ...hold("retire", "OldKeyQuieting"),
    },
    "takes the key exactly then": {
      seen: replaced({ deliveredAgoMs: quietNow }),
      rule: "retire",
      step: "deactivate",
      reason: "OldKeyQuiet",
    },
    "asks last-used before anything else": {
      seen: replaced({ deliveredAgoMs: quietNow, evidence: [] }),
      rule: "retire",
      step: "look",
      reason: "NeedsEvidence",
    },
    "holds when last-used is unknown": {
      seen: replaced({ deliveredAgoMs: quietNow, evidence: evidence(lastUsed(K1, unknown)) }),
      ...hold("retire", "UseUnknown"),
    },
    "asks CloudTrail last": {
      seen: replaced({ deliveredAgoMs: quietNow, evidence: evidence(use1) }),
      rule: "retire",
      step: "look",
      reason: "NeedsEvidence",
    },
    "holds when CloudTrail is unknown": {
      seen: replaced({ deliveredAgoMs: quietNow, evidence: evidence(use1, trail(K1, unknown)) }),
      ...hold("retire", "UseUnknown"),
    },
    "holds when CloudTrail shows a use that last-used does not": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        evidence: evidence(use1, trail(K1, usedAt(ago(hours(1))))),
      }),
      ...hold("retire", "OldKeyStillUsed"),
    },
    "holds and names a use after the delivery": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        old: {
          latestUse: { at: ago(days(2)), service: "lambda", region: "us-east-1", detail: null },
        },
      }),
      ...hold("retire", "OldKeyStillUsed"),
    },
    "N6: a use once seen counts, though last-used now shows an older one": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        old: { latestUse: { at: ago(days(9)), service: "s3", region: null, detail: null } },
      }),
      ...hold("retire", "OldKeyStillUsed"),
    },
    "B7: a weekly job that is late is not cut off": {
      seen: replaced({
        deliveredAgoMs: days(30),
        old: {
          latestUse: {
            at: ago(days(7) + hours(12)),
            service: "lambda",
            region: null,
            detail: null,
          },
        },
      }),
      ...hold("retire", "OldKeyStillUsed"),
    },
    "B6: a declared silence lengthens the wait": {
      seen: replaced({ deliveredAgoMs: days(28) }),
      profile: aProfile({ policy: aPolicy({ idleAtMostMs: days(28), rotateAfterMs: days(47) }) }),
      ...hold("retire", "OldKeyQuieting"),
    },
    "holds while nobody was seen to use the replacement": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        current: { adoptedAt: null },
        evidence: evidence(use1, lastUsed(K2, unused)),
      }),
      ...hold("retire", "NotAdopted"),
    },
    "S3: adoption is waived when nobody used the old key for 90 days": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        current: { adoptedAt: null },
        old: {
          latestUse: { at: ago(quietNow + days(90)), service: "s3", region: null, detail: null },
        },
        evidence: evidence(
          lastUsed(K1, usedAt(ago(quietNow + days(90)))),
          lastUsed(K2, unused),
          trail(K1, unused),
          live("ours"),
        ),
      }),
      rule: "retire",
      step: "deactivate",
      reason: "OldKeyQuiet",
    },
    "S3: a day less, and it is not": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        current: { adoptedAt: null },
        old: {
          latestUse: { at: ago(quietNow + days(89)), service: "s3", region: null, detail: null },
        },
        evidence: evidence(use1, lastUsed(K2, unused)),
      }),
      ...hold("retire", "NotAdopted"),
    },
    "N7: in a second rotation our own probe of the old key is nobody's use": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        current: { adoptedAt: null },
        old: {
          latestUse: { at: ago(days(86) - minutes(1)), service: "sts", region: null, detail: null },
          probes: [{ from: ago(days(86) - minutes(1)), to: ago(days(86) - minutes(1)) }],
        },
        evidence: evidence(
          lastUsed(K1, usedAt(ago(days(86) - minutes(1)), "sts")),
          lastUsed(K2, unused),
          trail(K1, unused),
          live("ours"),
        ),
      }),
      rule: "retire",
      step: "deactivate",
      reason: "OldKeyQuiet",
    },
    "B3: a key that became active again stays until it is released": {
      seen: replaced({ deliveredAgoMs: days(30), old: { reactivatedAt: ago(days(20)) } }),
      ...hold("retire", "NeedsRelease"),
    },
    "N13: released for this reactivation, it may go": {
      seen: replaced({
        deliveredAgoMs: days(30),
        old: { reactivatedAt: ago(days(20)), releasedAt: ago(days(19)) },
      }),
      rule: "retire",
      step: "deactivate",
      reason: "OldKeyQuiet",
    },
    "B9: a destination that is no longer configured keeps the key": {
      seen: replaced({
        deliveredAgoMs: days(30),
        changes: {
          record: aRecord({
            deliveries: [aDelivery(K2, ago(days(30))), aDelivery(K1, ago(days(80)), { destination: "github:ci" })],
            keys: {
              [K1]: aMemory(),
              [K2]: aMemory({ promotedAt: ago(days(30)), adoptedAt: ago(days(29)) }),
            },
          }),
        },
      }),
      ...hold("retire", "FormerDestination"),
    },
    "N16: a version that somebody else deployed is given the pair once more": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        evidence: evidence(use1, trail(K1, unused), live("foreign")),
        changes: { proved: [K2] },
      }),
      rule: "deliver-again",
      step: "deliver",
      reason: "ForeignVersionLive",
    },
    "N16: but only after the pair answered in this sweep": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        evidence: evidence(use1, trail(K1, unused), live("foreign")),
      }),
      rule: "prove",
      step: "prove",
      reason: "ReplacementNotProved",
    },
    "a live state that cannot be read keeps the key": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        evidence: evidence(use1, trail(K1, unused), live("unknown")),
      }),
      ...hold("retire", "UseUnknown"),
    },
    "a replica that is behind keeps the key": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        changes: { custody: { ...aCustody({ current: K2 }), replicasBehind: ["eu-west-1"] } },
      }),
      ...hold("retire", "DestinationBackingOff"),
    },
    "S5: an unanswered deactivation starts the silence anew": {
      seen: replaced({
        deliveredAgoMs: days(30),
        old: {
          deactivation: {
            at: ago(days(2)),
            answeredAt: null,
            quietSince: ago(days(20)),
            isWaived: false,
          },
        },
      }),
      ...hold("retire", "OldKeyQuieting"),
    },
  });
});

describe("the soak", () => {
  const soaking = (over: {
    readonly inactiveForMs: number;
    readonly evidence?: Observation["evidence"];
    readonly old?: Parameters<typeof aMemory>[0];
  }): Observation => {
    const at = ago(over.inactiveForMs);
    const deactivation = {
      at,
      answeredAt: at,
      quietSince: ago(over.inactiveForMs + days(11)),
      isWaived: false,
    };
    return anObservation({
      keys: [aKey(K1, days(93), "inactive"), aKey(K2, days(18))],
      custody: aCustody({ current: K2 }),
      record: aRecord({
        deliveries: [aDelivery(K2, ago(days(18)))],
        keys: {
          [K1]: aMemory({ inactiveSince: at, deactivation, ...over.old }),
          [K2]: aMemory({ promotedAt: ago(days(18)), adoptedAt: ago(days(17)) }),
        },
      }),
      evidence:
        over.evidence ??
        evidence(lastUsed(K1, unused), trail(K1, unused), {
          source: "destination",
          destination: WORKER,
          live: "ours",
          because: null,
        }),
    });
  };
  const live = { source: "destination", destination: WORKER, live: "ours", because: null } as const;
  rows({
    "is waited for to the second": {
      seen: soaking({ inactiveForMs: days(7) - seconds(1) }),
      ...hold("delete", "Soaking"),
    },
    "ends with the deletion": {
      seen: soaking({ inactiveForMs: days(7) }),
      rule: "delete",
      step: "delete",
      reason: "SoakOver",
    },
    "asks what is late in every sweep": {
      seen: soaking({ inactiveForMs: days(1), evidence: [] }),
      rule: "needed-after-all",
      step: "look",
      reason: "NeedsEvidence",
    },
    "N6: a use that lay hidden before the deactivation gives the key back": {
      seen: soaking({
        inactiveForMs: hours(5),
        evidence: evidence(lastUsed(K1, usedAt(ago(hours(6)))), live),
      }),
      rule: "needed-after-all",
      step: "reactivate",
      reason: "UsedAfterDeactivation",
    },
    "N6: so does one up to 15 minutes after the call was answered": {
      seen: soaking({
        inactiveForMs: hours(5),
        evidence: evidence(lastUsed(K1, usedAt(ago(hours(5) - minutes(15)))), live),
      }),
      rule: "needed-after-all",
      step: "reactivate",
      reason: "UsedAfterDeactivation",
    },
    "N6: a later one is no proof of a use, and only keeps the key": {
      seen: soaking({
        inactiveForMs: days(7),
        evidence: evidence(lastUsed(K1, usedAt(ago(days(7) - minutes(16)))), trail(K1, unused), live),
      }),
      ...hold("delete", "UsedDuringSoak"),
    },
    "a use before the silence on record changes nothing": {
      seen: soaking({
        inactiveForMs: days(7),
        evidence: evidence(lastUsed(K1, usedAt(ago(days(18)))), trail(K1, unused), live),
      }),
      rule: "delete",
      step: "delete",
      reason: "SoakOver",
    },
    "gives back once a rotation": {
      seen: soaking({
        inactiveForMs: days(7),
        old: { isReactivatedByUs: true },
        evidence: evidence(lastUsed(K1, usedAt(ago(days(7) + hours(1)))), trail(K1, unused), live),
      }),
      ...hold("delete", "UsedDuringSoak"),
    },
    "B4: a destination back on its old version gives the key back": {
      seen: soaking({
        inactiveForMs: days(1),
        evidence: evidence(lastUsed(K1, unused), { ...live, live: "previous" }),
      }),
      rule: "needed-after-all",
      step: "reactivate",
      reason: "DestinationHoldsOldKey",
    },
    "unknown use is no reason to delete": {
      seen: soaking({ inactiveForMs: days(7), evidence: evidence(lastUsed(K1, unknown), live) }),
      ...hold("delete", "UseUnknown"),
    },
    "a waived key soaks for longer": {
      seen: soaking({
        inactiveForMs: days(29),
        old: {
          deactivation: {
            at: ago(days(29)),
            answeredAt: ago(days(29)),
            quietSince: ago(days(60)),
            isWaived: true,
          },
        },
      }),
      ...hold("delete", "Soaking"),
    },
  });
});
