import { describe } from "vitest";
import { NO_NOTES } from "../../src/rotation/exposure.ts";
import type { Observation } from "../../src/rotation/observation.ts";
import { days, hours, minutes, plus } from "../../src/rotation/time.ts";
import {
  K1,
  K2,
  WORKER,
  aCustody,
  aDelivery,
  aKey,
  aMemory,
  aRecord,
  aUser,
  ago,
  anObservation,
  evidence,
  lastUsed,
  unused,
  usedAt,
} from "../builders.ts";
import { hold, rows } from "./rows.ts";

/** Where two neighbouring rules would both rule, and which of them must. */
describe("the order of the rules", () => {
  const held = { profile: "ci", barred: { reason: "HeldByOperator", because: "a freeze" } } as const;
  const deactivation = { at: ago(hours(5)), answeredAt: ago(hours(5)), quietSince: ago(days(11)), isWaived: false };
  const takenTooEarly = (changes: Partial<Observation>): Observation =>
    anObservation({
      keys: [aKey(K1, days(90), "inactive"), aKey(K2, days(14))],
      custody: aCustody({ current: K2, previous: K1 }),
      record: aRecord({
        deliveries: [aDelivery(K2, ago(days(13)))],
        keys: {
          [K1]: aMemory({ deactivation, inactiveSince: ago(hours(5)) }),
          [K2]: aMemory({ promotedAt: ago(days(13)) }),
        },
      }),
      evidence: evidence(
        lastUsed(K1, usedAt(ago(hours(6)))),
        { source: "destination", destination: WORKER, live: "ours", because: null },
        { source: "authorship", keyId: K1, event: "UpdateAccessKey", author: { kind: "ours", at: ago(hours(5)) } },
      ),
      ...changes,
    });
  const reactivate = { rule: "needed-after-all", step: "reactivate", reason: "UsedAfterDeactivation" } as const;
  const intent = { at: ago(hours(5)), before: [K1], created: K2 };
  const lost = (changes: Partial<Observation>): Observation =>
    anObservation({
      keys: [aKey(K1, days(80)), { ...aKey(K2, 0), createdAt: plus(intent.at, minutes(1)) }],
      record: aRecord({ intent }),
      evidence: evidence(lastUsed(K2, unused)),
      ...changes,
    });

  rows({
    "B4: a key that was needed is given back although custody cannot be read": {
      seen: takenTooEarly({
        custody: { kind: "unreadable" },
        blindSpots: [{ about: "custody", because: "KMS refuses" }],
      }),
      ...reactivate,
    },
    "B4: but not where it leaked since": {
      seen: takenTooEarly({ notes: { ...NO_NOTES, exposures: [{ keyId: K1, at: ago(hours(1)), by: "health" }] } }),
      ...hold("delete", "Soaking"),
    },
    "B4: but not where nobody can tell whether it leaked": {
      seen: takenTooEarly({
        custody: { kind: "unreadable" },
        blindSpots: [{ about: "custody", because: "Secrets Manager fails" }],
        notes: { ...NO_NOTES, isUnread: true },
      }),
      ...hold("cannot-see", "BlindSpot"),
    },
    "B4: and although an operator holds the user": { seen: takenTooEarly({ standing: held }), ...reactivate },
    "what cannot be read is said before a hold": {
      seen: anObservation({ standing: held, blindSpots: [{ about: "custody", because: "KMS refuses" }] }),
      ...hold("cannot-see", "BlindSpot"),
    },
    "a hold is said before the right to send mail": {
      seen: anObservation({ standing: held, iamUser: aUser({ smtp: "allowed" }) }),
      ...hold("not-ours-to-touch", "HeldByOperator"),
    },
    "N20: an exposed key is looked after although the user may send mail": {
      seen: anObservation({
        keys: [aKey(K1, days(90)), aKey(K2, days(14))],
        custody: aCustody({ current: K2, previous: K1 }),
        iamUser: aUser({ smtp: "allowed" }),
        notes: { ...NO_NOTES, exposures: [{ keyId: K1, at: ago(hours(2)), by: "revoke" }] },
      }),
      rule: "exposed",
      step: "prove",
      reason: "KeyExposed",
    },
    "a lost replacement is deleted": { seen: lost({}), rule: "orphan", step: "delete", reason: "OrphanProvedOurs" },
    "and is left alone while the user may send mail": {
      seen: lost({ iamUser: aUser({ smtp: "allowed" }) }),
      ...hold("smtp", "SmtpNotRuledOut"),
    },
    "who made an unknown key is asked before it is called a stranger": {
      seen: anObservation({ keys: [aKey(K1, days(10)), aKey(K2, days(1))], custody: aCustody({ current: K1 }) }),
      rule: "orphan",
      step: "look",
      reason: "NeedsEvidence",
    },
    "a replacement that somebody disabled is not even tried": {
      seen: anObservation({
        keys: [aKey(K1, days(80)), aKey(K2, hours(1), "inactive")],
        custody: aCustody({ current: K1, pending: K2 }),
      }),
      ...hold("stranger", "PendingDisabled"),
    },
    "a promotion is finished before anything else is delivered": {
      seen: anObservation({
        keys: [aKey(K1, days(80)), aKey(K2, hours(2))],
        custody: { ...aCustody({ current: K2, previous: K1 }), isHalfPromoted: true },
        record: aRecord({ keys: { [K2]: aMemory({ promotedAt: ago(hours(1)) }) } }),
        proved: [K2],
      }),
      rule: "promote",
      step: "withdraw-pending",
      reason: "DeliveredEverywhere",
    },
  });
});
