import fc from "fast-check";
import { accessKeyId } from "../../src/rotation/keys.ts";
import type { AccessKey, AccessKeyId } from "../../src/rotation/keys.ts";
import type { Situation } from "../../src/rotation/decision.ts";
import type {
  Answer,
  DerivedSession,
  Evidence,
  Health,
  LiveState,
  ObservedCustody,
  Sighting,
  Use,
} from "../../src/rotation/observation.ts";
import type { Profile } from "../../src/rotation/policy.ts";
import type { Delivery, KeyRecord, UserRecord } from "../../src/rotation/record.ts";
import { days, hours, minutes, plus } from "../../src/rotation/time.ts";
import type { Instant } from "../../src/rotation/time.ts";
import * as build from "../builders.ts";
import { ago, K1, K2, NOW, WORKER } from "../builders.ts";

/** So often a property is tried in a short run; a seed is printed where it fails, and what failed is made small. */
export const RUNS = { numRuns: 300 };

const K3 = accessKeyId("AKIAK3K3K3K3K3K3K3K3");
const IDS = [K1, K2, K3] as const;
const id = fc.constantFrom<AccessKeyId>(...IDS);
const perhaps = <Value>(of: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(of, { nil: null });

/** Moments near those that decide something, and any others. */
export const past: fc.Arbitrary<Instant> = fc
  .oneof(
    fc.integer({ min: 0, max: minutes(90) }),
    fc.integer({ min: 0, max: days(20) }),
    fc.integer({ min: 0, max: days(120) }),
  )
  .map(ago);

const keys: fc.Arbitrary<AccessKey[]> = fc.uniqueArray(
  fc.record({
    id,
    status: fc.constantFrom("active", "active", "inactive", "unrecognized" as const),
    createdAt: fc.integer({ min: hours(1), max: days(200) }).map(ago),
  }),
  { selector: (key) => key.id, maxLength: 2 },
);

const custody: fc.Arbitrary<ObservedCustody> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ kind: "absent" } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: "unreadable" } as const) },
  {
    weight: 8,
    arbitrary: fc
      .record({ current: perhaps(id), pending: perhaps(id), previous: perhaps(id), behind: fc.boolean() })
      .map(({ current, pending, previous, behind }) => ({
        ...build.aCustody({
          ...(current === null ? {} : { current }),
          ...(pending === null || pending === current ? {} : { pending }),
          ...(previous === null || previous === current ? {} : { previous }),
        }),
        replicasBehind: behind ? ["eu-west-1"] : [],
      })),
  },
);

const sighting: fc.Arbitrary<Sighting> = fc.record({
  at: past,
  service: fc.constantFrom("lambda", "sts", "secretsmanager"),
  region: fc.constant("us-east-1"),
  detail: fc.constant(null),
});

const use: fc.Arbitrary<Use> = fc.oneof(
  sighting.map((latest): Use => ({ verdict: "used", latest })),
  fc.constant<Use>({ verdict: "unused", from: ago(days(4_000)), to: NOW }),
  fc.constant<Use>({ verdict: "unknown", because: "it could not be asked" }),
);

const session: fc.Arbitrary<DerivedSession> = past.map((at) => {
  return { event: "GetSessionToken", at, endsAt: plus(at, hours(36)), principal: null };
});

const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ source: fc.constant("last-used" as const), keyId: id, use }),
  fc.record({
    source: fc.constant("cloudtrail" as const),
    keyId: id,
    from: fc.constantFrom(ago(days(89)), ago(days(30))),
    use,
    handOverAt: perhaps(past),
    sessions: fc.array(session, { maxLength: 1 }),
    sessionsFrom: perhaps(fc.constant(ago(days(80)))),
    regionsAsked: fc.constant(["us-east-1"]),
    regionsUnasked: fc.constant({}),
  }),
  fc.record({
    source: fc.constant("authorship" as const),
    keyId: id,
    event: fc.constantFrom("CreateAccessKey" as const, "UpdateAccessKey" as const),
    author: fc.oneof(
      past.map((at) => ({ kind: "ours" as const, at })),
      past.map((at) => ({ kind: "other" as const, who: "somebody", at })),
      fc.constant({ kind: "unknown" as const, because: "nobody was found" }),
    ),
  }),
  fc.record({
    source: fc.constant("attribution" as const),
    keyId: id,
    attribution: fc.record({
      from: past,
      at: past,
      signers: fc.constant([]),
      sessions: fc.array(session, { maxLength: 1 }),
      isCut: fc.boolean(),
      because: perhaps(fc.constant("a Region could not be asked")),
    }),
  }),
  fc.record({
    source: fc.constant("readers" as const),
    keyId: id,
    seen: fc.record({ at: fc.record({ laptop: past }, { requiredKeys: [] }), readUntil: perhaps(past) }),
  }),
  fc.record({
    source: fc.constant("health" as const),
    destination: fc.constant(WORKER),
    keyId: id,
    health: fc.constantFrom<Health>(
      { verdict: "healthy", because: null, lastSignedAt: null },
      { verdict: "unhealthy", because: "AWS refuses its pair" },
      { verdict: "unknown", because: "it does not answer" },
    ),
  }),
  fc.constantFrom<LiveState>("ours", "previous", "foreign", "unknown").map((live) => ({
    source: "destination" as const,
    destination: WORKER,
    live,
    because: null,
  })),
);
export const evidence: fc.Arbitrary<Evidence[]> = fc.array(
  answer.map((told) => ({ askedAt: NOW, answeredAt: NOW, answer: told })),
  {
    maxLength: 8,
  },
);

export const memory: fc.Arbitrary<KeyRecord> = fc.record({
  firstSeenAt: past,
  promotedAt: perhaps(past),
  adoptedAt: perhaps(past),
  latestUse: perhaps(sighting),
  latestRead: perhaps(sighting),
  handOverAt: perhaps(past),
  readers: perhaps(fc.record({ at: fc.record({ laptop: past }, { requiredKeys: [] }), readUntil: perhaps(past) })),
  probes: fc.array(
    past.map((from) => ({ from, to: from })),
    { maxLength: 2 },
  ),
  deactivation: perhaps(
    fc.record(
      {
        at: past,
        answeredAt: perhaps(past),
        quietSince: past,
        isWaived: fc.boolean(),
        exposedBy: fc.constantFrom("health", "quarantine"),
      },
      { requiredKeys: ["at", "answeredAt", "quietSince", "isWaived"] },
    ),
  ),
  inactiveSince: perhaps(past),
  reactivatedAt: perhaps(past),
  isReactivatedByUs: fc.boolean(),
  releasedAt: perhaps(past),
  missingSince: perhaps(past),
});

const delivery: fc.Arbitrary<Delivery> = fc
  .record({ keyId: id, at: past, destination: fc.constantFrom(WORKER, "a former one"), isConfirmed: fc.boolean() })
  .map(({ keyId, at, destination, isConfirmed }) =>
    build.aDelivery(keyId, at, { destination, slots: [destination], deliveredAt: isConfirmed ? at : null }),
  );

const record: fc.Arbitrary<UserRecord> = fc
  .record({
    known: fc.record({ [K1]: memory, [K2]: memory, [K3]: memory }, { requiredKeys: [K1, K2] }),
    deliveries: fc.array(delivery, { maxLength: 3 }),
    intent: perhaps(fc.record({ at: past, before: fc.uniqueArray(id, { maxLength: 2 }), created: perhaps(id) })),
    since: past,
  })
  .map(({ known, ...rest }) => build.aRecord({ ...rest, keys: known }));

export const profile: fc.Arbitrary<Profile> = fc
  .record({
    isPulled: fc.boolean(),
    isNamed: fc.boolean(),
    idleAtMostMs: perhaps(fc.constantFrom(days(3), days(28))),
    adoption: fc.constantFrom("required" as const, "optional" as const),
    quietForMs: fc.constantFrom(days(2), days(10)),
    soakForMs: fc.constantFrom(hours(5), days(7)),
  })
  .map(({ isPulled, isNamed, ...policy }) =>
    build.aProfile({ isPulled, readers: isPulled && isNamed ? ["laptop"] : [], policy: build.aPolicy(policy) }),
  );

/** Any situation at all, such as no sequence of events leads to. */
const any: fc.Arbitrary<Situation> = fc
  .record({
    keys,
    custody,
    record,
    evidence,
    profile: fc.option(profile, { nil: null, freq: 10 }),
    isBlind: fc.boolean(),
    hasHealth: fc.boolean(),
  })
  .map(({ profile: served, isBlind, hasHealth, ...seen }) => ({
    profile: served,
    now: NOW,
    observation: build.anObservation({
      ...seen,
      destinations: [{ name: WORKER, slots: [WORKER], readsCustody: false, hasHealth }],
      blindSpots: isBlind && seen.custody.kind === "unreadable" ? [{ about: "custody", because: "denied" }] : [],
    }),
  }));

/** Long after a promotion: an old key that may go, or has been taken, unless some of the evidence is against it. */
const late: fc.Arbitrary<Situation> = fc
  .record({ old: memory, evidence, profile, isTaken: fc.boolean(), isKeptSimple: fc.boolean() })
  .map(({ old, evidence: told, profile: served, isTaken, isKeptSimple }) => {
    const taken = { at: ago(days(9)), answeredAt: ago(days(9)), quietSince: ago(days(40)), isWaived: false };
    const simple = { reactivatedAt: null, latestRead: null, deactivation: isTaken ? taken : null };
    const known = {
      ...old,
      ...(isKeptSimple ? { ...simple, latestUse: null, handOverAt: null } : {}),
      inactiveSince: isTaken ? ago(days(9)) : null,
    };
    const current = build.aMemory({ promotedAt: ago(days(60)), adoptedAt: ago(days(50)) });
    const unused: Use = { verdict: "unused", from: ago(days(4_000)), to: NOW };
    const trail = {
      from: ago(days(89)),
      handOverAt: null,
      sessions: [],
      sessionsFrom: ago(days(89)),
      regionsAsked: ["us-east-1"],
      regionsUnasked: {},
    };
    const silent: Answer[] = [
      { source: "last-used", keyId: K1, use: unused },
      { source: "last-used", keyId: K2, use: unused },
      { source: "cloudtrail", keyId: K1, use: unused, ...trail },
      { source: "destination", destination: WORKER, live: "ours", because: null },
      {
        source: "health",
        destination: WORKER,
        keyId: K2,
        health: { verdict: "healthy", because: null, lastSignedAt: null },
      },
    ];
    const observation = build.anObservation({
      keys: [build.aKey(K1, days(140), isTaken ? "inactive" : "active"), build.aKey(K2, days(60))],
      custody: build.aCustody({ current: K2, previous: K1 }),
      record: build.aRecord({ keys: { [K1]: known, [K2]: current }, deliveries: [build.aDelivery(K2, ago(days(60)))] }),
      destinations: [{ name: WORKER, slots: [WORKER], readsCustody: false, hasHealth: true }],
      evidence: [...silent.map((spoken) => ({ askedAt: NOW, answeredAt: NOW, answer: spoken })), ...told.slice(0, 2)],
    });
    return { profile: served, now: NOW, observation };
  });

export const situation: fc.Arbitrary<Situation> = fc.oneof(any, late);
