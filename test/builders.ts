import { NO_NOTES } from "../src/rotation/exposure.ts";
import { accessKeyId, userName } from "../src/rotation/keys.ts";
import type { AccessKey, AccessKeyId, IamUser } from "../src/rotation/keys.ts";
import type { Answer, Custody, Observation, Use } from "../src/rotation/observation.ts";
import type { Profile, RotationPolicy } from "../src/rotation/policy.ts";
import type { Delivery, KeyRecord, UserRecord } from "../src/rotation/record.ts";
import { days, hours, instant, plus } from "../src/rotation/time.ts";
import type { Instant } from "../src/rotation/time.ts";

/** A valid world, in which a test states only what matters to it. All ages count back from NOW. */
export const NOW = instant(Date.UTC(2026, 5, 1));
const USER = userName("deploy");
const ACCOUNT = "123456789012";
const USER_ID = "AIDAEXAMPLEEXAMPLE01";
export const K1 = accessKeyId("AKIAK1K1K1K1K1K1K1K1");
export const K2 = accessKeyId("AKIAK2K2K2K2K2K2K2K2");
export const WORKER = "cloudflare-worker:api";

export const ago = (ms: number): Instant => plus(NOW, -ms);

export const aPolicy = (changes: Partial<RotationPolicy> = {}): RotationPolicy => ({
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
  ...changes,
});

export const aProfile = (changes: Partial<Profile> = {}): Profile => ({
  name: "ci",
  users: [USER],
  policy: aPolicy(),
  isPulled: false,
  readers: [],
  smtp: null,
  regions: ["us-east-1"],
  unaskedRegions: {},
  replicaRegions: [],
  ...changes,
});

export const aKey = (id: AccessKeyId, ageMs: number, status: AccessKey["status"] = "active"): AccessKey => ({
  id,
  status,
  createdAt: ago(ageMs),
});

export const aUser = (changes: Partial<IamUser> = {}): IamUser => ({
  name: USER,
  id: USER_ID,
  arn: `arn:aws:iam::${ACCOUNT}:user/${USER}`,
  path: "/",
  tags: { keyturn: "ci" },
  smtp: "none",
  ...changes,
});

export const aMemory = (changes: Partial<KeyRecord> = {}): KeyRecord => ({
  firstSeenAt: ago(days(200)),
  promotedAt: null,
  adoptedAt: null,
  latestUse: null,
  latestRead: null,
  handOverAt: null,
  probes: [],
  deactivation: null,
  inactiveSince: null,
  reactivatedAt: null,
  isReactivatedByUs: false,
  releasedAt: null,
  missingSince: null,
  ...changes,
});

export const aRecord = (changes: Partial<UserRecord> = {}): UserRecord => ({
  v: 1,
  user: USER,
  account: ACCOUNT,
  userId: USER_ID,
  since: ago(days(300)),
  intent: null,
  orphans: { count: 0, lastAt: ago(days(300)) },
  deliveries: [],
  backOffs: [],
  keys: {},
  notices: {},
  rest: null,
  ...changes,
});

export const aDelivery = (keyId: AccessKeyId, deliveredAt: Instant, changes: Partial<Delivery> = {}): Delivery => ({
  destination: WORKER,
  slots: [WORKER],
  keyId,
  attemptedAt: deliveredAt,
  deliveredAt,
  confirmedAt: null,
  receipt: { version: "v2", anchor: "v1" },
  ...changes,
});

export type PresentCustody = Extract<Custody, { readonly kind: "present" }>;

export const aCustody = (
  held: {
    readonly current?: AccessKeyId;
    readonly pending?: AccessKeyId;
    readonly previous?: AccessKeyId;
  } = {},
): PresentCustody => {
  const version = (keyId: AccessKeyId | undefined, versionId: string) =>
    keyId === undefined ? null : { versionId, keyId };
  return {
    kind: "present",
    owner: { account: ACCOUNT, userId: USER_ID },
    current: version(held.current, "version-current") ?? {
      versionId: "version-marker",
      keyId: null,
    },
    pending: version(held.pending, "version-pending"),
    previous: version(held.previous, "version-previous"),
    intent: null,
    replicasBehind: [],
    isHalfPromoted: false,
    notes: NO_NOTES,
  };
};

export const anObservation = (changes: Partial<Observation> = {}): Observation => {
  const keys = changes.keys ?? [aKey(K1, days(10))];
  const known = Object.fromEntries(keys.map(({ id }) => [id, aMemory()]));
  const record = changes.record ?? aRecord();
  return {
    user: USER,
    account: ACCOUNT,
    iamUser: aUser(),
    standing: { profile: "ci", barred: null },
    observedAt: NOW,
    custody: { kind: "absent" },
    destinations: [{ name: WORKER, slots: [WORKER], readsCustody: false }],
    evidence: [],
    proved: [],
    blindSpots: [],
    notes: NO_NOTES,
    stalled: [],
    ...changes,
    keys,
    record: { ...record, keys: { ...known, ...record.keys } },
  };
};

export const evidence = (...answers: readonly Answer[]): Observation["evidence"] =>
  answers.map((answer) => ({ askedAt: NOW, answeredAt: NOW, answer }));

export const lastUsed = (keyId: AccessKeyId, use: Use): Answer => ({
  source: "last-used",
  keyId,
  use,
});

export const usedAt = (at: Instant, service = "lambda"): Use => ({
  verdict: "used",
  latest: { at, service, region: "us-east-1", detail: null },
});

export const unused: Use = { verdict: "unused", from: ago(days(90)), to: ago(hours(4)) };
export const unknown: Use = { verdict: "unknown", because: "access denied" };

export const trail = (keyId: AccessKeyId, use: Use): Answer => ({
  source: "cloudtrail",
  keyId,
  from: ago(days(90)),
  use,
  handOverAt: null,
  sessions: [],
  sessionsFrom: ago(days(90)),
  regionsAsked: ["us-east-1"],
  regionsUnasked: {},
});
