import type { SweepResult } from "../../src/sweep.ts";
import { decisionsOf, startGround } from "./ground.ts";
import type { Ground, SweepSeen, System } from "./ground.ts";
import type { Place, Point } from "./points.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface PlannedSweep {
  readonly sweep: string;
  /** Since the sweep before. */
  readonly afterMs: number;
}

/** The sweeps of a whole rotation: the three that act, and after each of them one that waits, or finds nothing to do. */
const PLANS: Readonly<Record<System, readonly PlannedSweep[]>> = {
  matchmaking: plan({ adoptMs: 6 * HOUR_MS, quietMs: 11 * DAY_MS }),
  "invoice-scanner": plan({ adoptMs: 10 * DAY_MS, quietMs: 20 * DAY_MS }),
};

function plan({ adoptMs, quietMs }: { readonly adoptMs: number; readonly quietMs: number }): PlannedSweep[] {
  return [
    { sweep: "create", afterMs: HOUR_MS },
    { sweep: "adopt", afterMs: adoptMs },
    { sweep: "deactivate", afterMs: quietMs },
    { sweep: "soak", afterMs: HOUR_MS },
    { sweep: "delete", afterMs: 7 * DAY_MS + HOUR_MS },
    { sweep: "idle", afterMs: HOUR_MS },
  ];
}

const cleanEndDay = (system: System): number => PLANS[system].reduce((sum, { afterMs }) => sum + afterMs, 0) / DAY_MS;

/** After the fault: hour after hour at first, with a gap that an orphan's 4 h 15 min are over in; then every other day. */
const FIRST_LEAPS_MS = [HOUR_MS, HOUR_MS, 5 * HOUR_MS, HOUR_MS, HOUR_MS];
const LATER_LEAP_MS = 2 * DAY_MS;
const SWEEPS_MAX = 60;
/** Whoever still holds a key that is gone is awake once in this time. */
const AFTERWARDS_MS = 10 * DAY_MS;

/** How a rotation with a fault in it went. */
export interface Outcome {
  readonly point: Point;
  /** The request that met the fault; null when none did. */
  readonly struck: string | null;
  /** By how many days the rotation was over later than without the fault, in whole leaps of the sweeps after it. */
  readonly lateDays: number;
  /** Keys that were made: a replacement, and one more for each that was lost on the way. */
  readonly made: number;
  /** Calls of consumers, and how many of them failed. */
  readonly calls: number;
  readonly failed: number;
  /** What is not as it must be. Empty: the point converges. */
  readonly wrong: readonly string[];
  /** What the sweeps did from the fault on. */
  readonly story: readonly string[];
}

/** A rotation without a fault: its requests, and what is not as it must be at its end. */
export async function playClean(file: string, system: System): Promise<{ places: Place[]; wrong: string[] }> {
  const ground = await startGround(file, system);
  try {
    const places: Place[] = [];
    let last: SweepSeen | null = null;
    for (const { sweep, afterMs } of PLANS[system]) {
      ground.pass(afterMs);
      last = await ground.sweep(null);
      places.push(...last.requests.map((request, index) => ({ system, sweep, nth: index + 1, request })));
    }
    ground.pass(AFTERWARDS_MS);
    return { places, wrong: [...(await unfinished(ground, last)), ...harm(ground)] };
  } finally {
    await ground.close();
  }
}

/** A rotation with one fault, from its beginning to its end, or until it is plain that it has none, after so many sweeps. */
export async function play(file: string, point: Point, sweepsMax = SWEEPS_MAX): Promise<Outcome> {
  const ground = await startGround(file, point.system);
  try {
    const struckSweep = await playUntilFault(ground, point);
    const story = [
      ...told(ground, struckSweep),
      ...struckSweep.requests.slice(point.nth - 1).map((name) => `    ${name}`),
    ];
    const left = await recover(ground, story, sweepsMax);
    const lateDays = Math.max(0, Math.round(ground.day() - cleanEndDay(point.system)));
    ground.pass(AFTERWARDS_MS);
    return {
      point,
      struck: struckSweep.struck,
      lateDays,
      made: ground.cloud.iam.keys.size - 1,
      calls: ground.consumers.calls(),
      failed: ground.consumers.failures().length,
      wrong: [...(struckSweep.struck === null ? ["the fault met no request"] : []), ...left, ...harm(ground)],
      story,
    };
  } finally {
    await ground.close();
  }
}

async function playUntilFault(ground: Ground, { system, sweep, nth, fault }: Point): Promise<SweepSeen> {
  for (const planned of PLANS[system]) {
    ground.pass(planned.afterMs);
    const isHere = planned.sweep === sweep;
    const seen = await ground.sweep(isHere ? { nth, fault } : null);
    if (isHere) return seen;
  }
  throw new RangeError(`a rotation of ${system} has no sweep ${sweep}`);
}

/** Ordinary sweeps until the end state is there; what is missing of it when they were too many, or somebody failed. */
async function recover(ground: Ground, story: string[], sweepsMax: number): Promise<readonly string[]> {
  let left: readonly string[] = [];
  for (let sweeps = 1; sweeps <= sweepsMax; sweeps += 1) {
    ground.pass(FIRST_LEAPS_MS[sweeps - 1] ?? LATER_LEAP_MS);
    const seen = await ground.sweep(null);
    story.push(...told(ground, seen));
    left = await unfinished(ground, seen);
    if (left.length === 0 || ground.consumers.failures().length > 0) break;
  }
  return left;
}

const told = (ground: Ground, seen: SweepSeen): string[] =>
  decisionsOf(seen).map((line) => `day ${ground.day().toFixed(2)}  ${line}`);

/** What of the end state is not there yet. */
async function unfinished(ground: Ground, last: SweepSeen | null): Promise<string[]> {
  const { cloud, system } = ground;
  const wrong: string[] = [];
  const demand = (isSo: boolean, otherwise: string): void => {
    if (!isSo) wrong.push(otherwise);
  };
  const keys = cloud.iam.keysOf(system.user);
  const [key] = keys;
  demand(
    keys.length === 1 && key?.status === "Active",
    `IAM lists ${keys.map(({ id, status }) => `${id} ${status}`).join(", ")}`,
  );
  demand(key?.id !== system.firstPair.keyId, "the old key is still there");
  const held = (stage: string): string | null => cloud.secretsManager.textOf(`keyturn/${system.user}`, stage);
  const current = JSON.parse(held("AWSCURRENT") ?? "{}") as Readonly<Record<string, unknown>>;
  demand(
    current["AccessKeyId"] === key?.id && current["SecretAccessKey"] === key?.secret,
    "custody's current pair is not the key's",
  );
  demand(held("AWSPENDING") === null, "AWSPENDING is still there");
  const { isLeased, hasIntent } = await ground.journal();
  demand(!isLeased, "a lease is left in the journal");
  demand(!hasIntent, "an intent is left in the journal");
  demand(isAtRest(last), `the last sweep ended otherwise than with nothing due`);
  return wrong;
}

function isAtRest(last: SweepSeen | null): boolean {
  if (last?.ending.kind !== "returned") return false;
  const { status, users } = last.ending.result as SweepResult;
  return status === "ok" && users.length === 1 && users[0]?.decisions.at(-1)?.reason === "NothingDue";
}

/** What must never be, at whatever point of a rotation. Whoever called last did so with the key that is left. */
function harm(ground: Ground): string[] {
  const { cloud, system, consumers } = ground;
  const [key] = cloud.iam.keysOf(system.user);
  return [
    ...consumers.failures().slice(0, 5),
    ...ground.leaked().map((name) => `the secret of ${name} was written to a log`),
    ...(consumers.latestKeys().every((id) => id === key?.id)
      ? []
      : ["a consumer signs with another key than the last"]),
  ];
}
