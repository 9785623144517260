import { decide } from "../../src/decide/decide.ts";
import { type Decision } from "../../src/rotation/decision.ts";
import { type Exposure, NO_NOTES } from "../../src/rotation/exposure.ts";
import { accessKeyId, type AccessKeyId } from "../../src/rotation/keys.ts";
import { type Answer, type Observation } from "../../src/rotation/observation.ts";
import { days, hours, type Instant } from "../../src/rotation/time.ts";
import * as build from "../builders.ts";
import { aCustody, aDelivery, ago, aKey, aMemory, anObservation, aProfile, aRecord, K1, K2, NOW } from "../builders.ts";

export const K3 = accessKeyId("AKIAK3K3K3K3K3K3K3K3");
export const exposure = (keyId: AccessKeyId, at: Instant = NOW, by: Exposure["by"] = "health"): Exposure => ({
  keyId,
  at,
  by,
});
export const notes = (...exposures: readonly Exposure[]) => ({ ...NO_NOTES, exposures });
export const ofSigners = (keyId: AccessKeyId): Answer => ({
  source: "attribution",
  keyId,
  attribution: { from: ago(hours(36)), at: NOW, signers: [], sessions: [], isCut: false, because: null },
});
export const asked = build.evidence(ofSigners(K1), ofSigners(K2));
export const madeByWhom = {
  source: "authorship",
  keyId: K2,
  event: "CreateAccessKey",
  author: { kind: "unknown", because: "CloudTrail tells nothing" },
} as const;
/** What rule 4 does, or rule 3 in its place; the rules below are tested elsewhere. */
export const said = ({ rule, step }: Decision): string =>
  !["exposed", "not-ours-to-touch"].includes(rule)
    ? "not exposed"
    : [rule, step.kind, ...("keyId" in step ? [step.keyId] : "replaces" in step ? [step.replaces] : [])].join(" ");

export const judged = (seen: Partial<Observation>, profile = aProfile()): Decision =>
  decide({ observation: anObservation({ evidence: asked, ...seen }), profile, now: NOW });

/** K2 is current and everywhere, K1 the old key beside it. */
export const after = {
  keys: [aKey(K1, days(80)), aKey(K2, days(2))],
  custody: aCustody({ current: K2, previous: K1 }),
  record: aRecord({ deliveries: [aDelivery(K2, ago(days(2)))], keys: { [K2]: aMemory({ promotedAt: ago(days(2)) }) } }),
} as const;
/** K1 is current and alone. */
export const alone = {
  keys: [aKey(K1, days(10))],
  custody: aCustody({ current: K1 }),
  record: aRecord({
    deliveries: [aDelivery(K1, ago(days(10)))],
    keys: { [K1]: aMemory({ promotedAt: ago(days(10)) }) },
  }),
} as const;

/** K1 is exposed, and somebody disabled its replacement. */
export const waiting = {
  ...after,
  keys: [aKey(K1, days(80)), aKey(K2, hours(1), "inactive")],
  custody: aCustody({ current: K1, pending: K2 }),
  record: alone.record,
  notes: notes(exposure(K1)),
} as const;
