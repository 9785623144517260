import { describe } from "vitest";
import type { Observation } from "../../src/rotation/observation.ts";
import { days, hours, minutes, seconds } from "../../src/rotation/time.ts";
import { K1, K2, NOW, WORKER, aCustody, aDelivery, aKey, aMemory, aRecord, ago, anObservation } from "../builders.ts";
import { hold, rows } from "./rows.ts";

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
    "is delivered again to a destination that became another place under its old name": {
      seen: pending({
        proved: [K2],
        destinations: [{ name: WORKER, slots: ["another account"], readsCustody: false }],
        record: aRecord({ deliveries: [aDelivery(K2, ago(minutes(1)))] }),
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
        destinations: [{ name: "secrets-manager", slots: [], readsCustody: true }],
      }),
      rule: "promote",
      step: "promote",
      reason: "DeliveredEverywhere",
    },
    "N22: rules during its destination's back-off": {
      seen: pending({
        record: aRecord({
          backOffs: [{ destination: WORKER, failures: 1, until: ago(-seconds(1)) }],
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
