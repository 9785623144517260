import { describe } from "vitest";
import type { Observation } from "../../src/rotation/observation.ts";
import { days, hours, minutes, seconds } from "../../src/rotation/time.ts";
import {
  K1,
  WORKER,
  K2,
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
  unused,
  usedAt,
} from "../builders.ts";
import { hold, rows } from "./rows.ts";

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
        evidence: evidence({ source: "destination", destination: WORKER, live: "ours", because: null }),
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
