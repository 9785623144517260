import { userName, accessKeyId } from "../../src/rotation/keys.ts";
import type { Profile } from "../../src/rotation/policy.ts";
import { days, hours, instant, minutes, plus } from "../../src/rotation/time.ts";
import type { Destination, Destinations, World } from "../../src/rotation/world.ts";
import { sweep } from "../../src/sweep.ts";
import { wireWorld } from "../../test/world/wire/wire-world.ts";
import type { WireWorld } from "../../test/world/wire/wire-world.ts";
import { START_MS } from "./messages.ts";
import type { Rate } from "./messages.ts";
import { startRemoteCloud } from "./remote-cloud.ts";
import type { RemoteCloud } from "./remote-cloud.ts";

const LATENCY_MS = 25;

export interface Measured {
  readonly calls: number;
  readonly perUser: number;
  readonly wallMs: number;
  readonly inFlightMax: number;
  readonly byService: Readonly<Record<string, number>>;
  /** Users whose rotation had not begun when the sweeps were over. */
  readonly missed: number;
  /** How often a destination was asked what is live: calls to somebody else than AWS, and not among the others. */
  readonly asked: number;
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
    cutExposedWithinMs: hours(1),
    cacheForMs: hours(1),
    adopt: "when-due",
    adoption: "required",
    window: null,
  },
  isPulled: false,
  readers: [],
  smtp: "none",
  regions: ["us-east-1"],
  unaskedRegions: {},
  replicaRegions: [],
};

/** One sweep of so many enrolled users, after one that met them for the first time. */
export async function sweepAll(options: {
  readonly users: number;
  readonly isDue: boolean;
  /** The key that is to be replaced: made by hand, or by an earlier rotation, so that custody has it. */
  readonly isInCustody?: boolean;
  /** Each pair was delivered somewhere, and six hours have passed: whether it is still live there is due to be looked at. */
  readonly isDrifting?: boolean;
  readonly iam?: Rate;
}): Promise<Measured> {
  const { users, isDue, isDrifting = false, isInCustody = isDrifting, iam } = options;
  const places = isDrifting ? filled() : { destinations: custodyAlone, asked: () => 0 };
  const cloud = await startRemoteCloud(LATENCY_MS);
  try {
    await cloud.ask({ do: "seed", users, keyAgeMs: days(74), isInCustody });
    await run(cloud, (world) => world.journal.setRunning(instant(START_MS)));
    // The first sweep meets everybody; what is measured comes after it.
    await runSweeps(cloud, places.destinations);
    await cloud.ask({ do: "advance", ms: isDue ? days(2) : hours(isDrifting ? 6 : 1) });
    if (iam !== undefined) await cloud.ask({ do: "limit-iam", ...iam });
    await cloud.ask({ do: "measure" });
    const askedBefore = places.asked();
    const startedAt = performance.now();
    await runSweeps(cloud, places.destinations);
    const wallMs = performance.now() - startedAt;
    const { keys, inFlightMax, byService } = await cloud.ask({ do: "tell" });
    const calls = Object.values(byService).reduce((sum, count) => sum + count, 0);
    const asked = places.asked() - askedBefore;
    return {
      calls,
      perUser: calls / users,
      wallMs,
      inFlightMax,
      byService,
      missed: isDue ? users * 2 - keys : 0,
      asked,
    };
  } finally {
    await cloud.close();
  }
}

/** Sweeps until one leaves nobody and fails for nobody, as the schedule would, hour after hour. */
async function runSweeps(cloud: RemoteCloud, destinations: Destinations): Promise<void> {
  for (let count = 0; count < 24; count += 1) {
    const sweepIt = (world: World) =>
      sweep(world, { profiles: { bench: PROFILE }, enrolmentTag: "keyturn", mode: "act" });
    const result = await run(cloud, sweepIt, destinations);
    if (result.left.length === 0 && result.status === "ok") return;
    await cloud.ask({ do: "advance", ms: hours(1) });
  }
}

async function run<Result>(
  cloud: RemoteCloud,
  work: (world: WireWorld) => Promise<Result>,
  destinations: Destinations = custodyAlone,
): Promise<Result> {
  const world = wireWorld(cloud, cloud, { deadlineMs: minutes(14), destinations });
  try {
    await world.identity.read();
    return await work(world);
  } finally {
    world.close();
  }
}

/** Every user has a place that its pair is delivered to, where it stays. */
function filled(): { readonly destinations: Destinations; readonly asked: () => number } {
  let asked = 0;
  const destination: Destination = {
    name: "cloudflare-worker:bench",
    slots: [],
    readsCustody: false,
    preflight: async () => Promise.resolve({ kind: "ready", anchor: "v1" }),
    deliver: async () => Promise.resolve({ anchor: "v1", version: "v2" }),
    live: async () => {
      asked += 1;
      return Promise.resolve("ours");
    },
  };
  return { destinations: { of: () => [destination] }, asked: () => asked };
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

/** The look-ups of so many old keys in every Region, as fast as this, under CloudTrail's own limit of two a second. */
export async function trails({ keys, perSecond }: { readonly keys: number; readonly perSecond: number }): Promise<{
  readonly wallMs: number;
  readonly calls: number;
  readonly regions: number;
  /** Keys of which a look-up was throttled again and again. */
  readonly unknown: number;
}> {
  const cloud = await startRemoteCloud(LATENCY_MS);
  const world = wireWorld(cloud, cloud, { lookupsPerSecond: perSecond });
  try {
    await world.identity.read();
    const from = plus(world.clock.now(), -days(11));
    await cloud.ask({ do: "measure" });
    const startedAt = performance.now();
    const answers = await Promise.all(
      Array.from({ length: keys }, (_, index) => {
        const keyId = accessKeyId(`AKIA${String(index).padStart(16, "0")}`);
        return world.evidence.answer(
          { source: "cloudtrail", keyId, from, handOversApart: false, sessionsFrom: plus(from, -hours(36)) },
          { user: userName("bench"), unaskedRegions: {} },
        );
      }),
    );
    const wallMs = performance.now() - startedAt;
    const unknown = answers.filter((answer) => answer.source === "cloudtrail" && answer.use.verdict === "unknown");
    const { byService, regions } = await cloud.ask({ do: "tell" });
    return { wallMs, calls: byService["cloudtrail"] ?? 0, regions, unknown: unknown.length };
  } finally {
    world.close();
    await cloud.close();
  }
}
