import { describe } from "vitest";
import type { LiveState, Observation } from "../../src/rotation/observation.ts";
import type { Delivery, KeyRecord, UserRecord } from "../../src/rotation/record.ts";
import { days, hours, minutes, plus } from "../../src/rotation/time.ts";
import {
  K1,
  K2,
  WORKER,
  aCustody,
  aDelivery,
  aKey,
  aMemory,
  aPolicy,
  aProfile,
  aRecord,
  ago,
  anObservation,
  evidence,
  lastUsed,
  trail,
  unused,
  usedAt,
} from "../builders.ts";
import { hold, rows } from "./rows.ts";

/** Decisions that lives from seeds meet too seldom for a mistake in them to be noticed there. */
describe("a key that nobody is known to have made", () => {
  const intent = { at: ago(hours(6)), before: [K1], created: null };
  const seen = (of: {
    readonly ageMs: number;
    readonly by: "ours" | "unknown";
    readonly record?: Partial<UserRecord>;
  }) => {
    const author = of.by === "ours" ? ({ kind: "ours", at: ago(of.ageMs) } as const) : UNKNOWN;
    return anObservation({
      keys: [aKey(K1, days(80)), aKey(K2, of.ageMs)],
      record: aRecord({ intent, ...of.record }),
      evidence: evidence(lastUsed(K2, unused), { source: "authorship", keyId: K2, event: "CreateAccessKey", author }),
    });
  };
  const UNKNOWN = { kind: "unknown", because: "CloudTrail shows none" } as const;
  rows({
    "B2: is not deleted on the absence of evidence": {
      seen: seen({ ageMs: hours(6) - minutes(1), by: "unknown" }),
      ...hold("orphan", "OrphanUnproved"),
    },
    "B2: is not deleted before last-used could tell of a use": {
      seen: seen({
        ageMs: hours(4),
        by: "ours",
        record: { intent: { ...intent, at: plus(ago(hours(4)), -minutes(1)) } },
      }),
      ...hold("orphan", "OrphanTooYoung"),
    },
    "B2: is a person's, where the intent was void when it was made": {
      seen: seen({ ageMs: hours(6) - minutes(16), by: "unknown" }),
      rule: "make-room",
      step: "look",
      reason: "NeedsEvidence",
    },
    "N18: is not deleted by a journal that is younger": {
      seen: seen({ ageMs: hours(6) - minutes(1), by: "ours", record: { since: ago(hours(5)) } }),
      ...hold("orphan", "OrphanUnproved"),
    },
  });
});

describe("when quiet is over", () => {
  const replaced = (of: {
    readonly old?: Partial<KeyRecord>;
    readonly delivery?: Partial<Delivery>;
    readonly live?: LiveState;
    /** Those seen to sign with the new pair. */
    readonly readers?: readonly string[];
  }): Observation => {
    const at = ago(days(20));
    const seen = (of.readers ?? []).map((name) => [name, at] as const);
    const readers = { at: Object.fromEntries(seen), readUntil: at };
    const live = { source: "destination", destination: WORKER, live: of.live ?? "ours", because: null } as const;
    return anObservation({
      keys: [aKey(K1, days(95)), aKey(K2, days(20))],
      custody: aCustody({ current: K2, previous: K1 }),
      record: aRecord({
        deliveries: [aDelivery(K2, at, of.delivery)],
        keys: { [K1]: aMemory(of.old), [K2]: aMemory({ promotedAt: at, adoptedAt: at, readers }) },
      }),
      evidence: evidence(lastUsed(K1, usedAt(ago(days(21)))), trail(K1, unused), live),
    });
  };
  const deactivate = { rule: "retire", step: "deactivate", reason: "OldKeyQuiet" } as const;
  rows({
    "the old key goes": { seen: replaced({}), ...deactivate },
    "a destination that had the pair last week only is waited for": {
      seen: replaced({ delivery: { deliveredAt: ago(days(7)) } }),
      ...hold("retire", "OldKeyQuieting"),
    },
    "a re-delivery an hour ago is waited for": {
      seen: replaced({ delivery: { confirmedAt: ago(hours(1)) } }),
      ...hold("retire", "OldKeyQuieting"),
    },
    "B8: a version of others that was confirmed once is not confirmed again": {
      seen: replaced({ live: "foreign", delivery: { confirmedAt: ago(days(1)) } }),
      ...deactivate,
    },
    "N10: of a laptop that pulled last week, and names nobody, it is asked who it is": {
      seen: replaced({ old: { handOverAt: ago(days(7)) } }),
      profile: aProfile({ isPulled: true, policy: aPolicy({ idleAtMostMs: days(10) }) }),
      rule: "retire",
      step: "look",
      reason: "NeedsEvidence",
    },
    "N10: one that was seen to have its new pair is waited for all the same": {
      seen: replaced({ old: { handOverAt: ago(days(7)) }, readers: ["laptop"] }),
      profile: aProfile({ isPulled: true, readers: ["laptop"], policy: aPolicy({ idleAtMostMs: days(10) }) }),
      ...hold("retire", "OldKeyQuieting"),
    },
  });
});

describe("when the soak is over", () => {
  const soaked = (old: Partial<KeyRecord>, live: LiveState = "ours"): Observation =>
    anObservation({
      keys: [aKey(K1, days(95), "inactive"), aKey(K2, days(20))],
      custody: aCustody({ current: K2, previous: K1 }),
      record: aRecord({
        deliveries: [aDelivery(K2, ago(days(20)))],
        keys: {
          [K1]: aMemory({ inactiveSince: ago(days(9)), isReactivatedByUs: true, latestUse: USED, ...old }),
          [K2]: aMemory({ promotedAt: ago(days(20)) }),
        },
      }),
      evidence: evidence(
        lastUsed(K1, usedAt(ago(days(21)))),
        lastUsed(K2, unused),
        trail(K1, unused),
        { source: "destination", destination: WORKER, live, because: null },
        { source: "authorship", keyId: K1, event: "UpdateAccessKey", author: OTHER },
      ),
    });
  const backingOff = (seen: Observation): Observation => {
    const backOffs = [{ destination: WORKER, failures: 1, until: plus(ago(0), hours(1)) }];
    return { ...seen, record: { ...seen.record, backOffs } };
  };
  const USED = { at: ago(days(21)), service: "lambda", region: null, detail: null };
  const OTHER = { kind: "other", who: "security", at: ago(days(9)) } as const;
  const at = ago(days(9));
  const deactivation = { at, answeredAt: at, quietSince: ago(days(15)), isWaived: false };
  rows({
    "the old key goes": { seen: soaked({ deactivation }), rule: "delete", step: "delete", reason: "SoakOver" },
    "a destination that is back on it is given the current pair": {
      seen: { ...soaked({ deactivation }, "previous"), proved: [K2] },
      rule: "deliver-again",
      step: "deliver",
      reason: "DestinationBehind",
    },
    "and the old key stays while that fails": {
      seen: backingOff(soaked({ deactivation }, "previous")),
      ...hold("delete", "DestinationHoldsOldKey"),
    },
    "and stays where somebody else disabled it, and nobody adopted the new one": {
      seen: soaked({}),
      ...hold("delete", "NotAdopted"),
    },
  });
});
