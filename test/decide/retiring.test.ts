import { describe } from "vitest";
import type { Attribution, Observation } from "../../src/rotation/observation.ts";
import { SESSION_MAX_MS } from "../../src/rotation/policy.ts";
import { days, hours, minutes, seconds } from "../../src/rotation/time.ts";
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
  unknown,
  unused,
  usedAt,
} from "../builders.ts";
import { hold, rows } from "./rows.ts";

const usedAgo = (agoMs: number) => ({ at: ago(agoMs), service: "lambda", region: "us-east-1", detail: null });

/** Who signs since the readers' caches of a delivery ran out, as asked so long ago. */
const attributed = (deliveredAgoMs: number, askedAgoMs: number): Attribution => ({
  from: ago(deliveredAgoMs - hours(1)),
  at: ago(askedAgoMs),
  signers: [],
  sessions: [],
  isCut: false,
  because: null,
});

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
  const asks = { rule: "retire", step: "look", reason: "NeedsEvidence" } as const;
  const noSessions = { ...trail(K1, unused), sessionsFrom: null };
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
    "asks what is live before anything else, long before the key could go": {
      seen: replaced({ deliveredAgoMs: hours(1), evidence: [] }),
      rule: "deliver-again",
      step: "look",
      reason: "NeedsEvidence",
    },
    "and then last-used": {
      seen: replaced({ deliveredAgoMs: quietNow, evidence: evidence(live("ours")) }),
      rule: "retire",
      step: "look",
      reason: "NeedsEvidence",
    },
    "gives a destination that is back on the old pair the current one, whatever else is open": {
      seen: replaced({ deliveredAgoMs: hours(1), evidence: evidence(live("previous")), changes: { proved: [K2] } }),
      rule: "deliver-again",
      step: "deliver",
      reason: "DestinationBehind",
    },
    "holds when last-used is unknown": {
      seen: replaced({ deliveredAgoMs: quietNow, evidence: evidence(lastUsed(K1, unknown), live("ours")) }),
      ...hold("retire", "UseUnknown"),
    },
    "asks CloudTrail last": {
      seen: replaced({ deliveredAgoMs: quietNow, evidence: evidence(use1, live("ours")) }),
      rule: "retire",
      step: "look",
      reason: "NeedsEvidence",
    },
    "holds when last-used names no use of a key that was seen in use": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        evidence: evidence(lastUsed(K1, unused), trail(K1, unused), live("ours")),
      }),
      ...hold("retire", "UseUnknown"),
    },
    "holds when CloudTrail is unknown": {
      seen: replaced({ deliveredAgoMs: quietNow, evidence: evidence(use1, trail(K1, unknown), live("ours")) }),
      ...hold("retire", "UseUnknown"),
    },
    "holds when CloudTrail shows a use that last-used does not": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        evidence: evidence(use1, trail(K1, usedAt(ago(hours(1)))), live("ours")),
      }),
      ...hold("retire", "OldKeyStillUsed"),
    },
    "asks who signs, once a use shows after the delivery": {
      seen: replaced({ deliveredAgoMs: quietNow, old: { latestUse: usedAgo(days(2)) } }),
      ...asks,
    },
    "holds and names a use after the delivery, once it was asked who signs": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        old: { latestUse: usedAgo(days(2)), attribution: attributed(quietNow, days(2)) },
      }),
      ...hold("retire", "OldKeyStillUsed"),
    },
    "asks no more while the same use is the latest": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        old: { latestUse: usedAgo(days(9)), attribution: attributed(quietNow, days(9)) },
      }),
      ...hold("retire", "OldKeyStillUsed"),
    },
    "asks again after a day, for a later use": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        old: { latestUse: usedAgo(days(1) - seconds(1)), attribution: attributed(quietNow, days(1)) },
      }),
      ...asks,
    },
    "asks at most once a day, however often the key is used": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        old: { latestUse: usedAgo(minutes(1)), attribution: attributed(quietNow, days(1) - seconds(1)) },
      }),
      ...hold("retire", "OldKeyStillUsed"),
    },
    "asks anew after another delivery": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        old: { latestUse: usedAgo(days(2)), attribution: attributed(quietNow + seconds(1), days(1)) },
      }),
      ...asks,
    },
    "an attribution that failed holds as one that did not": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        old: {
          latestUse: usedAgo(days(2)),
          attribution: { ...attributed(quietNow, days(2)), because: "access denied" },
        },
      }),
      ...hold("retire", "OldKeyStillUsed"),
    },
    "asks CloudTrail for sessions while one can still count": {
      seen: replaced({
        deliveredAgoMs: quietNow + SESSION_MAX_MS - seconds(1),
        evidence: evidence(use1, noSessions, live("ours")),
      }),
      rule: "retire",
      step: "look",
      reason: "NeedsEvidence",
    },
    "and not when the longest would be over for long enough": {
      seen: replaced({
        deliveredAgoMs: quietNow + SESSION_MAX_MS,
        evidence: evidence(use1, noSessions, live("ours")),
      }),
      rule: "retire",
      step: "deactivate",
      reason: "OldKeyQuiet",
    },
    "counts the silence from the end of a session that the key made": {
      seen: replaced({ deliveredAgoMs: days(30), old: { sessionsEndAt: ago(wait - seconds(1)) } }),
      ...hold("retire", "OldKeyQuieting"),
    },
    "and takes the key exactly then": {
      seen: replaced({ deliveredAgoMs: days(30), old: { sessionsEndAt: ago(wait) } }),
      rule: "retire",
      step: "deactivate",
      reason: "OldKeyQuiet",
    },
    "a session that ends after a short quiet keeps the key": {
      seen: replaced({ deliveredAgoMs: hours(6), old: { sessionsEndAt: ago(-hours(20)) } }),
      profile: aProfile({ policy: aPolicy({ quietForMs: hours(1) }) }),
      ...hold("retire", "OldKeyQuieting"),
    },
    "N6: a use once seen counts, though last-used now shows an older one": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        old: { latestUse: usedAgo(days(9)), attribution: attributed(quietNow, days(9)) },
      }),
      ...hold("retire", "OldKeyStillUsed"),
    },
    "B7: a weekly job that is late is not cut off": {
      seen: replaced({
        deliveredAgoMs: days(30),
        old: { latestUse: usedAgo(days(7) + hours(12)), attribution: attributed(days(30), days(7)) },
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
        evidence: evidence(use1, lastUsed(K2, unused), live("ours")),
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
        evidence: evidence(use1, lastUsed(K2, unused), live("ours")),
      }),
      ...hold("retire", "NotAdopted"),
    },
    "S3: nor by the whole life of a key of a fast rotation, which a monthly consumer may not have met": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        current: { adoptedAt: null },
        old: { latestUse: null },
        evidence: evidence(lastUsed(K1, unused), lastUsed(K2, unused), trail(K1, unused), live("ours")),
        changes: { keys: [aKey(K1, days(35) - seconds(1)), aKey(K2, quietNow)] },
      }),
      profile: aProfile({ policy: aPolicy({ rotateAfterMs: days(20) }) }),
      ...hold("retire", "NotAdopted"),
    },
    "S3: but once it is longer than a month and some days": {
      seen: replaced({
        deliveredAgoMs: quietNow,
        current: { adoptedAt: null },
        old: { latestUse: null },
        evidence: evidence(lastUsed(K1, unused), lastUsed(K2, unused), trail(K1, unused), live("ours")),
        changes: { keys: [aKey(K1, days(35)), aKey(K2, quietNow)] },
      }),
      profile: aProfile({ policy: aPolicy({ rotateAfterMs: days(20) }) }),
      rule: "retire",
      step: "deactivate",
      reason: "OldKeyQuiet",
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
