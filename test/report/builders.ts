import { NO_NOTES } from "../../src/rotation/exposure.ts";
import type { Decision, Reason, Step } from "../../src/rotation/decision.ts";
import { type AccessKey, accessKeyId, userName } from "../../src/rotation/keys.ts";
import type { Observation } from "../../src/rotation/observation.ts";
import type { Profile } from "../../src/rotation/policy.ts";
import { days, hours, instant, plus } from "../../src/rotation/time.ts";
import type { Findings } from "../../src/report/notices.ts";

export const NOW = instant(Date.UTC(2026, 5, 1));
export const USER = userName("flowid-dev-user");
export const K1 = accessKeyId("AKIAK1K1K1K1K1K1K1K1");
export const K2 = accessKeyId("AKIAK2K2K2K2K2K2K2K2");

export const daysAgo = (count: number) => plus(NOW, -days(count));

export const key = (id = K1, ageMs = days(10), status: AccessKey["status"] = "active"): AccessKey => ({
  id,
  status,
  createdAt: plus(NOW, -ageMs),
});

export const profile: Profile = {
  name: "flowid",
  users: [USER],
  policy: {
    rotateAfterMs: days(75),
    deliverWithinMs: days(1),
    quietForMs: days(10),
    idleAtMostMs: null,
    soakForMs: days(7),
    maxAgeMs: days(90),
    cutExposedWithinMs: hours(1),
    cacheForMs: hours(1),
    adopt: "when-due",
    adoption: "required",
    window: null,
  },
  isPulled: false,
  readers: [],
  smtp: null,
  regions: ["us-east-1"],
  unaskedRegions: {},
  replicaRegions: [],
};

/** Custody with these pairs. */
export function custodyOf(labels: {
  readonly current?: string;
  readonly pending?: string;
  readonly previous?: string;
}): Observation["custody"] {
  const version = (id: string | undefined) =>
    id === undefined ? null : { versionId: `v-${id}`, keyId: accessKeyId(id) };
  return {
    kind: "present",
    owner: null,
    current: version(labels.current),
    pending: version(labels.pending),
    previous: version(labels.previous),
    intent: null,
    replicasBehind: [],
    isHalfPromoted: false,
    notes: NO_NOTES,
  };
}

/** A user of ten days' standing with one young key that custody holds as current. */
export function observation(differs: Partial<Observation> = {}): Observation {
  return {
    user: USER,
    account: "123456789012",
    iamUser: null,
    standing: { profile: "flowid", barred: null },
    observedAt: NOW,
    keys: [key()],
    custody: custodyOf({ current: K1 }),
    destinations: [],
    record: {
      v: 1,
      user: USER,
      account: "123456789012",
      userId: "AIDAEXAMPLE",
      since: daysAgo(200),
      intent: null,
      orphans: { count: 0, lastAt: daysAgo(200) },
      deliveries: [],
      backOffs: [],
      keys: {},
      notices: {},
      rest: null,
    },
    evidence: [],
    proved: [],
    blindSpots: [],
    notes: NO_NOTES,
    stalled: [],
    ...differs,
  };
}

const HOLD: Step = { kind: "hold", until: null };

export const decided = (reason: Reason, because = "a sentence", step: Step = HOLD): Decision => ({
  rule: "a rule",
  reason,
  because,
  step,
});

export function findings(differs: Partial<Findings> = {}): Findings {
  return {
    user: USER,
    now: NOW,
    profile,
    observation: observation(),
    turns: [{ decision: decided("NothingDue"), outcome: { kind: "held" } }],
    failure: null,
    undescribed: null,
    unguarded: null,
    ...differs,
  };
}
