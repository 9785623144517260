import { userName, accessKeyId } from "../../src/rotation/keys.ts";
import type { Profile } from "../../src/rotation/policy.ts";
import { days, hours, instant, minutes, plus } from "../../src/rotation/time.ts";
import { sweep } from "../../src/sweep.ts";
import { SimulatedClock } from "../../test/world/clock.ts";
import { createCloud } from "../../test/world/cloud.ts";
import type { Cloud } from "../../test/world/cloud.ts";
import { startWire } from "../../test/world/wire/wire.ts";
import type { Wire } from "../../test/world/wire/wire.ts";
import { wireWorld } from "../../test/world/wire/wire-world.ts";

const LATENCY_MS = 25;
const START_MS = Date.UTC(2027, 0, 4);

export interface Measured {
  readonly calls: number;
  readonly perUser: number;
  readonly wallMs: number;
  readonly inFlightMax: number;
  readonly byService: ReadonlyMap<string, number>;
  /** Users whose rotation had not begun when the sweeps were over. */
  readonly missed: number;
}

interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

const PROFILE: Profile = {
  name: "bench",
  users: ["/bench/"],
  policy: {
    rotateAfterMs: days(75),
    deliverWithinMs: days(1),
    quietForMs: days(10),
    idleAtMostMs: null,
    soakForMs: days(7),
    maxAgeMs: days(90),
    cacheForMs: hours(1),
    adopt: "when-due",
    adoption: "required",
  },
  isPulled: false,
  smtp: "none",
  regions: ["us-east-1"],
  unaskedRegions: {},
  replicaRegions: [],
};

interface Place {
  readonly cloud: Cloud;
  readonly clock: SimulatedClock;
  readonly wire: Wire;
}

async function open(latencyMs: number): Promise<Place> {
  const clock = new SimulatedClock(START_MS);
  const cloud = createCloud({ clock, lags: { propagationMs: 0 } });
  return { cloud, clock, wire: await startWire(cloud, { clock, latencyMs }) };
}

/** One sweep of so many enrolled users, after one that met them for the first time. */
export async function sweepAll(options: {
  readonly users: number;
  readonly isDue: boolean;
  readonly iam?: Rate;
}): Promise<Measured> {
  const place = await open(LATENCY_MS);
  const { cloud, clock, wire } = place;
  for (let index = 0; index < options.users; index += 1) {
    const { name } = cloud.iam.createUser({
      name: `user-${String(index)}`,
      path: "/bench/",
      tags: { keyturn: "bench" },
    });
    cloud.iam.createKey(name, { createdAtMs: START_MS - days(74) });
  }
  clock.run();
  await run(place, (world) => world.journal.setRunning(instant(START_MS)));
  // The first sweep meets everybody; what is measured comes after it.
  await runSweeps(place);
  clock.stop();
  clock.advance(options.isDue ? days(2) : hours(1));
  clock.run();
  const meter = measure(cloud, wire);
  if (options.iam !== undefined) limitIam(cloud, clock, options.iam);
  const startedAt = performance.now();
  await runSweeps(place);
  const wallMs = performance.now() - startedAt;
  const found = meter();
  const missed = options.isDue ? cloud.iam.users.size * 2 - cloud.iam.keys.size : 0;
  await wire.close();
  const calls = [...found.byService.values()].reduce((sum, count) => sum + count, 0);
  return { ...found, calls, perUser: calls / options.users, wallMs, missed };
}

/** Sweeps until one leaves nobody and fails for nobody, as the schedule would, hour after hour. */
async function runSweeps(place: Place): Promise<void> {
  for (let count = 0; count < 24; count += 1) {
    const result = await run(place, (world) =>
      sweep(world, { profiles: { bench: PROFILE }, enrolmentTag: "keyturn", mode: "act" }),
    );
    if (result.left.length === 0 && result.status === "ok") return;
    place.clock.stop();
    place.clock.advance(hours(1));
    place.clock.run();
  }
}

async function run<Result>(
  { cloud, wire }: Place,
  work: (world: ReturnType<typeof wireWorld>) => Promise<Result>,
): Promise<Result> {
  const world = wireWorld(cloud, wire, { deadlineMs: minutes(14), destinations: custodyAlone });
  try {
    await world.identity.read();
    return await work(world);
  } finally {
    world.close();
  }
}

/** Every user's consumers read custody. */
const custodyAlone = {
  of: () => [
    {
      name: "secrets-manager",
      slots: [],
      readsCustody: true,
      preflight: async () => Promise.resolve({ kind: "ready" as const, anchor: null }),
      deliver: async () => Promise.reject(new Error("delivered by promotion")),
      live: async () => Promise.resolve("ours" as const),
    },
  ],
};

/** Counts what arrives from now on, and how much of it is under way at once. */
function measure(cloud: Cloud, wire: Wire): () => Pick<Measured, "byService" | "inFlightMax"> {
  const byService = new Map<string, number>();
  wire.inFlightMax = 0;
  const stop = cloud.onCall(({ service }) => byService.set(service, (byService.get(service) ?? 0) + 1));
  return () => {
    stop();
    return { byService, inFlightMax: wire.inFlightMax };
  };
}

/** IAM's throttle: a bucket that fills at so many a second. */
function limitIam(cloud: Cloud, clock: SimulatedClock, { perSecond, burst }: Rate): void {
  let tokens = burst;
  let filledAt = clock.now();
  cloud.faults.add({
    service: "iam",
    operation: null,
    kind: "throttle",
    times: "forever",
    when: () => {
      const now = clock.now();
      tokens = Math.min(burst, tokens + ((now - filledAt) / 1_000) * perSecond);
      filledAt = now;
      if (tokens < 1) return true;
      tokens -= 1;
      return false;
    },
  });
}

/** The look-ups of so many old keys in every Region, under CloudTrail's own limit. */
export async function trails({ keys }: { readonly keys: number; readonly perSecond: number }): Promise<{
  readonly wallMs: number;
  readonly calls: number;
  readonly regions: number;
}> {
  const { cloud, clock, wire } = await open(LATENCY_MS);
  clock.run();
  const world = wireWorld(cloud, wire, { lookupsPerSecond: 1.5 });
  await world.identity.read();
  cloud.counts.clear();
  const startedAt = performance.now();
  const from = plus(world.clock.now(), -days(11));
  const user = userName("bench");
  const answers = await Promise.all(
    Array.from({ length: keys }, (_, index) =>
      world.evidence.answer(
        {
          source: "cloudtrail",
          keyId: accessKeyId(`AKIA${String(index).padStart(16, "0")}`),
          from,
          handOversApart: false,
        },
        { user, unaskedRegions: {} },
      ),
    ),
  );
  const wallMs = performance.now() - startedAt;
  const unknown = answers.filter((answer) => answer.source === "cloudtrail" && answer.use.verdict === "unknown");
  if (unknown.length > 0) throw new Error(`${String(unknown.length)} of ${String(keys)} keys could not be looked up`);
  const calls = cloud.counts.get("cloudtrail.LookupEvents") ?? 0;
  world.close();
  await wire.close();
  return { wallMs, calls, regions: cloud.regions.length };
}
