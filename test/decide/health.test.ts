import { describe } from "vitest";
import type { Answer, Health, Observation } from "../../src/rotation/observation.ts";
import { days, hours } from "../../src/rotation/time.ts";
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
  unused,
  usedAt,
} from "../builders.ts";
import { hold, rows } from "./rows.ts";

const live = { source: "destination", destination: WORKER, live: "ours", because: null } as const;
const theirs = { ...live, live: "foreign" } as const;
const health = (said: Health): Answer => ({ source: "health", destination: WORKER, keyId: K2, health: said });
const WELL = health({ verdict: "healthy", because: null, lastSignedAt: null });
const ILL = health({ verdict: "unhealthy", because: "AWS refuses its pair" });
const SILENT = health({ verdict: "unknown", because: "no answer" });
const ours: Answer = {
  source: "authorship",
  keyId: K1,
  event: "UpdateAccessKey",
  author: { kind: "ours", at: NOW },
};
const destinations = [{ name: WORKER, slots: [WORKER], readsCustody: false, hasHealth: true }];

/** All allows the deactivation, but for what the consumer says of itself. */
const quiet = (...said: readonly Answer[]): Observation => {
  const at = ago(days(10) + hours(5));
  const latestUse = { at: ago(days(11)), service: "lambda", region: null, detail: null };
  return anObservation({
    destinations,
    keys: [aKey(K1, days(86)), aKey(K2, days(11))],
    custody: aCustody({ current: K2 }),
    record: aRecord({
      deliveries: [aDelivery(K2, at)],
      keys: { [K1]: aMemory({ latestUse }), [K2]: aMemory({ promotedAt: at, adoptedAt: at }) },
    }),
    evidence: evidence(lastUsed(K1, usedAt(latestUse.at)), trail(K1, unused), ...said),
  });
};

/** The old key was taken, and its soak is so long. */
const soaking = (forMs: number, said: readonly Answer[], old: Parameters<typeof aMemory>[0] = {}): Observation => {
  const at = ago(forMs);
  const deactivation = { at, answeredAt: at, quietSince: ago(forMs + days(11)), isWaived: false };
  return anObservation({
    destinations,
    keys: [aKey(K1, days(93), "inactive"), aKey(K2, days(18))],
    custody: aCustody({ current: K2 }),
    record: aRecord({
      deliveries: [aDelivery(K2, ago(days(18)))],
      keys: {
        [K1]: aMemory({ inactiveSince: at, deactivation, ...old }),
        [K2]: aMemory({ promotedAt: ago(days(18)), adoptedAt: ago(days(17)) }),
      },
    }),
    evidence: evidence(lastUsed(K1, unused), trail(K1, unused), live, ...said),
  });
};

describe("a consumer that can say whether it is well", () => {
  rows({
    "is not asked before what is live is known to be ours": {
      seen: quiet(),
      rule: "deliver-again",
      step: "look",
      reason: "NeedsEvidence",
    },
    "B8: is asked before a version of others is given our pair once more": {
      seen: quiet(theirs),
      rule: "deliver-again",
      step: "look",
      reason: "NeedsEvidence",
    },
    "B8: and is well there: the pair is proved, to be delivered once more": {
      seen: quiet(theirs, WELL),
      rule: "prove",
      step: "prove",
      reason: "ReplacementNotProved",
    },
    "B8: and has another key there: what somebody gave it is not overwritten": {
      seen: quiet(theirs, ILL),
      ...hold("retire", "ConsumerUnhealthy"),
    },
    "B8: and does not answer: nothing is overwritten": { seen: quiet(theirs, SILENT), ...hold("retire", "UseUnknown") },
    "is asked last before the old key is taken": {
      seen: quiet(live),
      rule: "retire",
      step: "look",
      reason: "NeedsEvidence",
    },
    "and is well: the key is taken": {
      seen: quiet(live, WELL),
      rule: "retire",
      step: "deactivate",
      reason: "OldKeyQuiet",
    },
    "and is not: the key stays": { seen: quiet(live, ILL), ...hold("retire", "ConsumerUnhealthy") },
    "and does not answer: the key stays": { seen: quiet(live, SILENT), ...hold("retire", "UseUnknown") },
    "is asked in each sweep of the soak": {
      seen: soaking(days(1), []),
      rule: "needed-after-all",
      step: "look",
      reason: "NeedsEvidence",
    },
    "gets the old key back when it is no longer well": {
      seen: soaking(days(1), [ILL, ours]),
      rule: "needed-after-all",
      step: "reactivate",
      reason: "ConsumerUnhealthy",
    },
    "gets it back once a rotation": {
      seen: soaking(days(1), [ILL, ours], { isReactivatedByUs: true }),
      ...hold("delete", "Soaking"),
    },
    "does not get back what somebody else disabled": {
      seen: soaking(days(1), [ILL, { ...ours, author: { kind: "other", who: "security", at: NOW } }]),
      ...hold("delete", "Soaking"),
    },
    "is waited for while it does not answer": { seen: soaking(days(1), [SILENT]), ...hold("delete", "Soaking") },
    "and is well: the key is deleted": {
      seen: soaking(days(7), [WELL]),
      rule: "delete",
      step: "delete",
      reason: "SoakOver",
    },
    "and does not answer: the key is not deleted": {
      seen: soaking(days(7), [SILENT]),
      ...hold("delete", "UseUnknown"),
    },
    "and is ill for the second time: the key is not deleted": {
      seen: soaking(days(7), [ILL], { isReactivatedByUs: true }),
      ...hold("delete", "ConsumerUnhealthy"),
    },
  });
});

/** One key, which is not due, and what is seen of its consumer. */
const resting = (said: readonly Answer[], delivery: Parameters<typeof aDelivery>[2] = {}): Observation =>
  anObservation({
    destinations,
    keys: [aKey(K2, days(20))],
    custody: aCustody({ current: K2 }),
    record: aRecord({
      deliveries: [aDelivery(K2, ago(days(20)), delivery)],
      keys: { [K2]: aMemory({ promotedAt: ago(days(20)), adoptedAt: ago(days(19)) }) },
    }),
    evidence: evidence(...said),
  });
const stored = { receipt: { version: "v2", anchor: "v1", awaits: "its build" } };

describe("a consumer of a key of which nothing is due", () => {
  rows({
    "is looked at": { seen: resting([]), rule: "deliver-again", step: "look", reason: "NeedsEvidence" },
    "and then asked": { seen: resting([live]), rule: "drift", step: "look", reason: "NeedsEvidence" },
    "and is well": { seen: resting([live, WELL]), ...hold("nothing-due", "NothingDue") },
    "and signs with another key: somebody set it, and that is told": {
      seen: resting([live, ILL]),
      ...hold("drift", "ConsumerUnhealthy"),
    },
    "and does not answer: it is asked again at the next look": {
      seen: resting([live, SILENT]),
      ...hold("nothing-due", "NothingDue"),
    },
    "is given the current pair when what was live before is live again": {
      seen: { ...resting([{ ...live, live: "previous" }]), proved: [K2] },
      rule: "deliver-again",
      step: "deliver",
      reason: "DestinationBehind",
    },
    "is let be when a version of others is live": {
      seen: resting([{ ...live, live: "foreign" }, WELL]),
      ...hold("nothing-due", "NothingDue"),
    },
    "waits for a stored pair, and is not given it again": {
      seen: resting([{ ...live, live: "previous" }, WELL], stored),
      ...hold("drift", "DestinationStored"),
    },
    "is named where a stored pair will not be live by itself": {
      seen: resting([{ ...live, live: "failed" }, WELL], { ...stored, attemptedAt: ago(hours(5)) }),
      ...hold("drift", "DestinationNotLive"),
    },
    "has it stored again six hours later": {
      seen: {
        ...resting([{ ...live, live: "failed" }, WELL], { ...stored, attemptedAt: ago(hours(6)) }),
        proved: [K2],
      },
      rule: "deliver-again",
      step: "deliver",
      reason: "DestinationBehind",
    },
  });
});

/** The current key is due by an operator's word, and somebody may have disabled it. */
const asked = (status: "active" | "inactive", ...said: readonly Answer[]): Observation => {
  const seen = resting(said);
  const rotateAsked = { at: NOW, replaces: K2 };
  return { ...seen, keys: [aKey(K2, days(20), status)], record: { ...seen.record, rotateAsked } };
};
const LEFT = health({ verdict: "unhealthy", because: "AWS refuses its pair", isRefused: true });
const held = hold("create", "ConsumerUnhealthy");
const made = { rule: "create", step: "create-replacement", reason: "RotateAsked" } as const;

describe("a consumer of a key that an operator has replaced", () => {
  rows({
    "is asked": { seen: asked("active", live), rule: "create", step: "look", reason: "NeedsEvidence" },
    "and is well": { seen: asked("active", live, WELL), ...made },
    "and is refused with it, which IAM lists as Active": { seen: asked("active", live, LEFT), ...held },
    "is asked where somebody disabled the key": {
      seen: asked("inactive", live),
      rule: "create",
      step: "look",
      reason: "NeedsEvidence",
    },
    "and is refused with it: another is what it needs": { seen: asked("inactive", live, LEFT), ...made },
    "and signs with another by now": { seen: asked("inactive", live, ILL), ...held },
    "and does not answer": { seen: asked("inactive", live, SILENT), ...hold("create", "UseUnknown") },
  });
});
