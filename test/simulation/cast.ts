import { quietMs } from "../../src/rotation/policy.ts";
import type { Profile } from "../../src/rotation/policy.ts";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import type { Destination } from "../../src/rotation/world.ts";
import type { SigningPair } from "../world/caller.ts";
import type { SimulatedKey } from "../world/iam-state.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import type { MemoryDestination } from "../world/memory-destination.ts";
import type { CallKind, Consumer, Hold } from "./consumers.ts";
import { count } from "./coverage.ts";
import type { Dice } from "./dice.ts";
import { cachedHold, NO_PAIR, pullingHold, typedInHold, workerHold } from "./holds.ts";
import { rhythmOf } from "./rhythm.ts";
import type { Rhythm } from "./rhythm.ts";
import { profileShape, rhythmShape, silenceAllowedMs } from "./shapes.ts";
import type { SimulatedSubject, Stage } from "./stage.ts";

const CALLS: readonly CallKind[] = [
  { service: "lambda", operation: "Invoke", isManagement: false, region: "us-east-1" },
  { service: "s3", operation: "GetObject", isManagement: false, region: "us-east-1" },
  { service: "ec2", operation: "DescribeInstances", isManagement: true, region: "us-east-1" },
  { service: "kms", operation: "Encrypt", isManagement: true, region: "eu-central-1" },
];
/** What nobody can tell from our own probes. */
const STS: CallKind = { service: "sts", operation: "GetCallerIdentity", isManagement: true, region: "us-east-1" };

const KEY_SHAPES = [
  "one",
  "one",
  "one",
  "one",
  "none",
  "two",
  "two, one unused",
  "one and an inactive",
  "inactive",
] as const;

/** Makes one user of some shape, its profile, its destinations and whoever calls with its keys. */
export function castUser(stage: Stage, dice: Dice, index: number): SimulatedSubject {
  const name = `p${String(index)}`;
  const profile = profileShape(dice, name);
  const user = `user-${name}`;
  const mayMail = dice.chance(0.04);
  stage.cloud.iam.createUser({
    name: user,
    tags: { [dice.chance(0.1) ? "Keyturn" : "keyturn"]: name, ...(dice.chance(0.02) ? { "keyturn-other": "x" } : {}) },
    ...(mayMail ? { inline: { mail: { Statement: [{ Effect: "Allow", Action: "ses:*", Resource: "*" }] } } } : {}),
  });
  const shape = dice.pick(KEY_SHAPES);
  count(stage.coverage, "shape", `${shape}${profile.isPulled ? ", pulls" : ""}`);
  const keys = makeKeys(stage, dice, { user, profile, shape });
  const [first = null, second = null] = keys.filter(({ status }) => status === "Active").map(pairOf);
  const workers = makeWorkers(dice, profile, { name, first });
  const destinations: Destination[] = [...workers];
  const hasReaders = profile.isPulled || workers.length === 0 || dice.chance(0.35);
  if (hasReaders) destinations.push(custodyReader(user));
  const consumers: Consumer[] = [];
  const subject: SimulatedSubject = { user, profile, workers, destinations, consumers, first };
  const cast = { stage, dice, subject };
  // Somebody whom no destination reaches: it goes on with the pair that was typed in, however seldom.
  if (profile.policy.idleAtMostMs === null && first !== null && dice.chance(0.12)) {
    addConsumer({ ...cast, isSlow: true }, `out of reach of ${user}`, () => typedInHold(first));
    // Whoever typed it in tried it. A key that was never used in its whole life counts as nobody's (rule 13).
    const createdAtMs = stage.cloud.iam.keys.get(first.keyId)?.createdAtMs ?? 0;
    stage.cloud.iam.recordUse(first.keyId, { atMs: createdAtMs + minutes(30), service: "lambda", region: "us-east-1" });
    return subject;
  }
  for (const worker of workers) addConsumer(cast, `${worker.name} of ${user}`, () => workerHold(worker));
  // Without a declared silence last-used speaks for one consumer only.
  const isAlone = profile.policy.idleAtMostMs === null;
  const readers = hasReaders ? dice.between(1, 2) : 0;
  for (let reader = 0; reader < readers && !(isAlone && consumers.length > 0); reader += 1) {
    addReader(cast, `reader ${String(reader)} of ${user}`, first);
  }
  const isSecondUsed = second !== null && shape !== "two, one unused";
  if (isSecondUsed && !isAlone) addConsumer(cast, `typed-in of ${user}`, () => typedInHold(second));
  if (first !== null && !isAlone && dice.chance(0.2))
    addConsumer(cast, `typed-in of ${user}`, () => typedInHold(first));
  return subject;
}

/** Two profiles that name the same place: nobody may be delivered there, whoever is enrolled. */
export function shareSlot(subjects: readonly SimulatedSubject[]): void {
  const shared = memoryDestination("shared", NO_PAIR);
  if (subjects.length < 2) return;
  for (const subject of subjects.slice(0, 2)) subject.destinations = [...subject.destinations, shared];
}

const pairOf = ({ id, secret }: SimulatedKey): SigningPair => ({ keyId: id, secret });

function makeKeys(
  stage: Stage,
  dice: Dice,
  of: { readonly user: string; readonly profile: Profile; readonly shape: (typeof KEY_SHAPES)[number] },
): SimulatedKey[] {
  const { shape, profile } = of;
  const nowMs = stage.clock.now();
  const ageMs = (): number => {
    const dueMs = profile.policy.rotateAfterMs;
    return dice.chance(0.6) ? dice.between(dueMs - days(12), dueMs + days(3)) : dice.between(0, days(400));
  };
  const make = (isActive: boolean): SimulatedKey => {
    const createdAtMs = nowMs - Math.max(hours(1), ageMs());
    const key = stage.cloud.iam.createKey(of.user, { createdAtMs });
    if (isActive) return key;
    key.status = "Inactive";
    key.changes.push({ atMs: createdAtMs, works: false });
    return key;
  };
  switch (shape) {
    case "none":
      return [];
    case "one":
      return [make(true)];
    case "two":
    case "two, one unused":
      return [make(true), make(true)];
    case "one and an inactive":
      return [make(true), make(false)];
    case "inactive":
      return [make(false)];
  }
}

function makeWorkers(
  dice: Dice,
  { isPulled, policy }: Profile,
  { name, first }: { readonly name: string; readonly first: SigningPair | null },
): MemoryDestination[] {
  if (isPulled && dice.chance(0.7)) return [];
  const most = policy.idleAtMostMs === null ? 1 : 2;
  const workers = dice.chance(0.2) ? 0 : dice.between(1, most);
  return Array.from({ length: workers }, (_, at) =>
    memoryDestination(`worker-${name}-${String(at)}`, first ?? NO_PAIR),
  );
}

/** Custody itself, seen as a destination: filled by promotion. */
function custodyReader(user: string): Destination {
  const name = `secrets-manager:${user}`;
  const never = (): never => {
    throw new Error("custody is filled by promotion, and never delivered to");
  };
  return {
    name,
    slots: [name],
    readsCustody: true,
    preflight: async () => ({ kind: "ready", anchor: null }),
    deliver: async () => never(),
    live: async () => "unknown",
  };
}

interface Cast {
  /** Calls as seldom as the profile allows; by chance where it is not said. */
  readonly isSlow?: boolean;
  readonly stage: Stage;
  readonly dice: Dice;
  readonly subject: SimulatedSubject;
}

function addReader(cast: Cast, name: string, first: SigningPair | null): void {
  const { stage, dice, subject } = cast;
  const { profile, user } = subject;
  if (!profile.isPulled) {
    const cacheMs = Math.floor(profile.policy.cacheForMs * dice.fraction());
    addConsumer(cast, name, () => cachedHold(stage, user, { first, cacheMs }));
    return;
  }
  const allowedMs = silenceAllowedMs(profile);
  addConsumer(cast, name, (rhythm) => {
    // A laptop that does not pull at each use pulls within the silence that its profile declares.
    const everyMs = dice.chance(0.5) ? 0 : Math.max(0, Math.floor((allowedMs - rhythm.gapMs) * dice.fraction()));
    return pullingHold(stage, user, { first, everyMs });
  });
}

function addConsumer({ stage, dice, subject, ...cast }: Cast, name: string, hold: (rhythm: Rhythm) => Hold): void {
  const { profile, consumers, user } = subject;
  const startMs = stage.clock.now();
  const declaredMs = silenceAllowedMs(profile);
  // Most of those who might be silent for months are not.
  const isSlow = dice.chance(0.25) || cast.isSlow === true;
  const allowedMs = isSlow || profile.isPulled ? declaredMs : Math.min(declaredMs, quietMs(profile.policy));
  const rhythm = rhythmOf(rhythmShape(dice, allowedMs, { atLeastMs: profile.isPulled ? hours(1) : 0, startMs }));
  const isOnlySts = dice.chance(0.03);
  const held = hold(rhythm);
  // They have been at work for as long as their key is there.
  const pair = held.peek(startMs);
  const createdAtMs = pair === null ? startMs : (stage.cloud.iam.keys.get(pair.keyId)?.createdAtMs ?? startMs);
  const settledMs = Math.max(createdAtMs, startMs - rhythm.gapMs - days(1));
  const call = isOnlySts ? STS : dice.pick(CALLS);
  count(stage.coverage, "rhythm", rhythm.name);
  consumers.push({ name, user, rhythm, hold: held, call, settledMs, excused: new Set(), forgiven: new Set() });
}
