import { createSecretsManager } from "../../../src/destinations/secrets-manager.ts";
import { freshRecord, newKeyRecord } from "../../../src/observe/remember.ts";
import type { Subject } from "../../../src/observe/observe.ts";
import { accessKeyId, userName } from "../../../src/rotation/keys.ts";
import type { Profile } from "../../../src/rotation/policy.ts";
import type { Delivery, KeyRecord, UserRecord } from "../../../src/rotation/record.ts";
import { Secret } from "../../../src/rotation/secret.ts";
import { days, hours, instant, minutes, seconds } from "../../../src/rotation/time.ts";
import type { Destination } from "../../../src/rotation/world.ts";
import { signerOf } from "../../world/caller.ts";
import { SimulatedClock } from "../../world/clock.ts";
import { createCloud } from "../../world/cloud.ts";
import type { Cloud } from "../../world/cloud.ts";
import { pairText, versionToken } from "../../world/direct/custody-content.ts";
import { MemoryJournal } from "../../world/direct/journal.ts";
import type { SimulatedKey } from "../../world/iam-state.ts";
import { memoryDestination } from "../../world/memory-destination.ts";
import type { MemoryDestination } from "../../world/memory-destination.ts";
import type { Dice } from "../dice.ts";
import { custodyName } from "../stage.ts";
import { REGIONS } from "./cast.ts";
import type { Which } from "./signers.ts";

const USER = "deploy";

/** When the replacement was made, became current, and was at each destination of its own. */
export interface Times {
  readonly createdMs: number;
  readonly promotedMs: number;
  readonly deliveredMs: readonly number[];
  /** Everything above is over. */
  readonly everywhereMs: number;
}

/** A user as the hour after a promotion finds it. */
export interface Ground {
  readonly cloud: Cloud;
  readonly clock: SimulatedClock;
  readonly journal: MemoryJournal;
  readonly keys: Readonly<Record<Which, SimulatedKey>>;
  readonly destinations: readonly Destination[];
  readonly subject: Subject;
  readonly custodyName: string;
}

/** Most rotations take a minute; some wait for a destination, and some destinations get the pair later than the readers. */
export function drawTimes(dice: Dice, { isPulled }: Profile): Times {
  const createdMs = Date.UTC(2026, 0, 5) + dice.between(0, days(7));
  const longestMs = dice.pick([seconds(90), seconds(90), hours(40), days(6)]);
  const waitsMs = dice.between(seconds(20), longestMs);
  const promotedMs = createdMs + waitsMs;
  const workers = isPulled ? 0 : dice.pick([0, 1, 1, 2]);
  const deliveredMs = Array.from({ length: workers }, () =>
    dice.chance(0.15)
      ? promotedMs + dice.between(hours(1), days(2))
      : promotedMs - dice.between(1_000, waitsMs - 10_000),
  );
  return { createdMs, promotedMs, deliveredMs, everywhereMs: Math.max(promotedMs, ...deliveredMs) };
}

/** State is set up directly: what a rotation leaves behind in IAM, in custody, at the destinations and in the journal. */
export async function layGround(dice: Dice, profile: Profile, times: Times): Promise<Ground> {
  const clock = new SimulatedClock(times.everywhereMs);
  const cloud = createCloud({
    clock,
    seed: dice.between(1, 1_000_000),
    regions: REGIONS,
    lags: { deactivationMs: 4_000 },
  });
  cloud.cloudTrail.isThrottling = false;
  cloud.cloudTrail.hasEmptyPages = dice.chance(0.2);
  cloud.cloudTrail.hasExactStart = dice.chance(0.3);
  // Of our own calls only those are looked up that tell who took a key.
  cloud.cloudTrail.isOfInterest = ({ caller, operation }) => caller.kind === "user" || operation === "UpdateAccessKey";
  const user = cloud.iam.createUser({ name: USER, tags: { keyturn: profile.name } });
  const isHandMade = dice.chance(0.3);
  const ageMs = isHandMade
    ? dice.between(days(95), days(400))
    : profile.policy.rotateAfterMs + dice.between(0, days(1));
  const old = cloud.iam.createKey(USER, { createdAtMs: times.createdMs - ageMs });
  const keys = { old, new: cloud.iam.createKey(USER, { createdAtMs: times.createdMs }) };
  // Whoever typed the old key in tried it.
  cloud.iam.recordUse(old.id, { atMs: old.createdAtMs + minutes(40), service: "lambda", region: "us-east-1" });
  for (const { from } of probesOf(times))
    cloud.iam.recordUse(keys.new.id, { atMs: from, service: "sts", region: "us-east-1" });
  storePairs(cloud, keys);

  const workers = times.deliveredMs.map((_, at) => memoryDestination(`worker-${String(at)}`, pairOf(old)));
  for (const worker of workers) worker.setByHand(pairOf(keys.new));
  const destinations = [...workers, createSecretsManager({ kind: "secrets-manager" })];
  const journal = new MemoryJournal();
  const ids = { user: userName(USER), account: cloud.account, userId: user.id };
  const record = recordOf(ids, { keys, times, isHandMade, workers });
  await journal.write(
    { record: null, number: 0, lease: null },
    { record, lease: null, now: instant(clock.now()), history: [] },
  );
  const { id, arn, path } = user;
  const subject: Subject = {
    user: ids.user,
    account: cloud.account,
    iamUser: { name: ids.user, id, arn, path, tags: { keyturn: profile.name }, smtp: "none" },
    standing: { profile: profile.name, barred: null },
    profile,
    destinations: destinations.map(({ name, slots, readsCustody }) => ({ name, slots, readsCustody })),
    listedAt: instant(clock.now()),
    reported: null,
    revision: null,
  };
  return { cloud, clock, journal, keys, destinations, subject, custodyName: custodyName(USER) };
}

const pairOf = ({ id, secret }: SimulatedKey) => ({ keyId: id, secret });

function storePairs(cloud: Cloud, keys: Ground["keys"]): void {
  const call = (operation: string, key: SimulatedKey, more: Readonly<Record<string, unknown>>): void => {
    const id = accessKeyId(key.id);
    const SecretString = pairText({ id, secret: new Secret(key.secret) });
    const request = { service: "secretsmanager", operation, region: "us-east-1", signer: signerOf(cloud.role) };
    const input = { ...more, ClientRequestToken: versionToken(id), SecretString };
    cloud.call({ ...request, input, sourceAddress: "192.0.2.10", userAgent: "keyturn" });
  };
  const name = custodyName(USER);
  const Tags = [
    { Key: "keyturn:account", Value: cloud.account },
    { Key: "keyturn:user-id", Value: cloud.iam.users.get(USER)?.id ?? "" },
  ];
  call("CreateSecret", keys.old, { Name: name, Tags });
  call("PutSecretValue", keys.new, { SecretId: name });
}

/** The pair was tried when it was made, and once more by the sweep that promoted it. */
function probesOf({ createdMs, promotedMs }: Times): KeyRecord["probes"] {
  return [createdMs + 8_000, promotedMs - 4_000].map((atMs) => ({ from: instant(atMs), to: instant(atMs + 2_000) }));
}

interface Known {
  readonly keys: Ground["keys"];
  readonly times: Times;
  readonly isHandMade: boolean;
  readonly workers: readonly MemoryDestination[];
}

function recordOf(
  ids: Pick<UserRecord, "user" | "account" | "userId">,
  { keys, times, isHandMade, workers }: Known,
): UserRecord {
  const [oldId, newId] = [accessKeyId(keys.old.id), accessKeyId(keys.new.id)];
  // A hand-made key was met when the user was enrolled; one of ours is known since it was made, and was seen in use.
  const since = instant(isHandMade ? times.createdMs - hours(3) : keys.old.createdAtMs - days(80));
  const usedAt = instant(keys.old.createdAtMs + minutes(40));
  const ours = {
    promotedAt: instant(keys.old.createdAtMs + minutes(1)),
    adoptedAt: instant(usedAt + hours(5)),
    latestUse: { at: usedAt, service: "lambda", region: "us-east-1", detail: null },
  };
  const old: KeyRecord = isHandMade ? newKeyRecord(since) : { ...newKeyRecord(instant(keys.old.createdAtMs)), ...ours };
  const promotedAt = instant(times.promotedMs);
  const current: KeyRecord = { ...newKeyRecord(instant(times.createdMs)), promotedAt, probes: probesOf(times) };
  const deliveries = workers.map(({ name, slots }, at): Delivery => {
    const deliveredAt = instant(times.deliveredMs[at] ?? 0);
    const receipt = { version: "v2", anchor: "v1" };
    return {
      destination: name,
      slots,
      keyId: newId,
      attemptedAt: deliveredAt,
      deliveredAt,
      confirmedAt: null,
      receipt,
    };
  });
  return { ...freshRecord(ids, since), deliveries, keys: { [oldId]: old, [newId]: current } };
}
