import { describe } from "vitest";
import type { Author, Observation } from "../../src/rotation/observation.ts";
import type { Instant } from "../../src/rotation/time.ts";
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
  aRecord,
  ago,
  anObservation,
  evidence,
  lastUsed,
  trail,
  unknown,
  unused,
  usedAt,
} from "../builders.ts";
import { hold, rows } from "./rows.ts";

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
  const ours = {
    source: "authorship",
    keyId: K1,
    event: "UpdateAccessKey",
    author: { kind: "ours", at: NOW },
  } as const;
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
        evidence: evidence(lastUsed(K1, usedAt(ago(hours(6)))), live, ours),
      }),
      rule: "needed-after-all",
      step: "reactivate",
      reason: "UsedAfterDeactivation",
    },
    "what somebody else disabled since stays so": {
      seen: soaking({
        inactiveForMs: hours(5),
        evidence: evidence(lastUsed(K1, usedAt(ago(hours(6)))), live, {
          ...ours,
          author: { kind: "other", who: "security", at: NOW },
        }),
      }),
      ...hold("delete", "Soaking"),
    },
    "what a person did before we took the key does not hide our own hand": {
      seen: soaking({
        inactiveForMs: hours(5),
        evidence: evidence(lastUsed(K1, usedAt(ago(hours(6)))), live, {
          ...ours,
          author: { kind: "other", who: "security", at: ago(hours(5) + minutes(2) + seconds(1)) },
        }),
      }),
      rule: "needed-after-all",
      step: "reactivate",
      reason: "UsedAfterDeactivation",
    },
    "and what a person did in the same minutes counts as done since": {
      seen: soaking({
        inactiveForMs: hours(5),
        evidence: evidence(lastUsed(K1, usedAt(ago(hours(6)))), live, {
          ...ours,
          author: { kind: "other", who: "security", at: ago(hours(5) + minutes(2)) },
        }),
      }),
      ...hold("delete", "Soaking"),
    },
    "N6: so does one up to 15 minutes after the call was answered": {
      seen: soaking({
        inactiveForMs: hours(5),
        evidence: evidence(lastUsed(K1, usedAt(ago(hours(5) - minutes(15)))), live, ours),
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
        evidence: evidence(lastUsed(K1, unused), { ...live, live: "previous" }, ours),
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

describe("a key that was Inactive when its record was begun", () => {
  const live = { source: "destination", destination: WORKER, live: "ours", because: null } as const;
  const nobody = { kind: "unknown", because: "CloudTrail shows no UpdateAccessKey" } as const;
  const met = (over: {
    readonly use: Parameters<typeof lastUsed>[1];
    readonly author?: Author;
    readonly firstSeenAt?: Instant;
  }): Observation =>
    anObservation({
      keys: [aKey(K1, days(300), "inactive"), aKey(K2, days(150))],
      custody: aCustody({ current: K2 }),
      record: aRecord({
        deliveries: [aDelivery(K2, ago(days(150)))],
        keys: {
          [K1]: aMemory({ firstSeenAt: over.firstSeenAt ?? ago(days(7)), inactiveSince: ago(days(7)) }),
          [K2]: aMemory({ promotedAt: ago(days(150)), adoptedAt: ago(days(150)) }),
        },
      }),
      evidence: evidence(lastUsed(K1, over.use), trail(K1, unused), live, {
        source: "authorship",
        keyId: K1,
        event: "UpdateAccessKey",
        author: over.author ?? nobody,
      }),
    });
  const gone = { rule: "delete", step: "delete", reason: "SoakOver" } as const;
  rows({
    "stays where nothing says since when: it may have been in use to the last": {
      seen: met({ use: usedAt(ago(days(20))) }),
      ...hold("delete", "UseUnknown"),
    },
    "stays until its last use is 90 days ago": {
      seen: met({ use: usedAt(ago(days(90) + minutes(15) - seconds(1))) }),
      ...hold("delete", "UseUnknown"),
    },
    "goes when its last use is 90 days ago": { seen: met({ use: usedAt(ago(days(90) + minutes(15))) }), ...gone },
    "goes where it was never used": { seen: met({ use: unused }), ...gone },
    "goes where CloudTrail names who disabled it": {
      seen: met({ use: usedAt(ago(days(20))), author: { kind: "other", who: "security", at: ago(days(9)) } }),
      ...gone,
    },
    "goes where it was in use until CloudTrail's event, which takes effect within minutes": {
      seen: met({
        use: usedAt(ago(days(20) - minutes(15))),
        author: { kind: "other", who: "security", at: ago(days(20)) },
      }),
      ...gone,
    },
    "stays where a use after CloudTrail's event shows that it was Active again: a later event is missing": {
      seen: met({
        use: usedAt(ago(days(20) - minutes(15) - seconds(1))),
        author: { kind: "ours", at: ago(days(20)) },
      }),
      ...hold("delete", "UseUnknown"),
    },
    "goes where it was seen before it was Inactive": {
      seen: met({ use: usedAt(ago(days(20))), firstSeenAt: ago(days(7) + seconds(1)) }),
      ...gone,
    },
  });
});
