import type { SweepResult } from "../../src/sweep.ts";
import { type Ground, openGround, type Setting } from "./ground.ts";
import { ACCOUNT, FIRST } from "./holders.ts";
import { loadProgram } from "./program.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** After a promotion: past the ten minutes of an isolate by two at a time, then some hours, then day after day. */
const FIRST_LEAPS_MS = [...Array.from({ length: 6 }, () => 2 * MINUTE_MS), HOUR_MS, HOUR_MS, 3 * HOUR_MS];
/** Until then a sweep an hour; a promotion that takes longer waits for a person. */
const HOURLY_SWEEPS = 12;
/** The sweeps of an ordinary rotation: over these the calls are spread. */
const SWEEPS_EXPECTED = 30;
const CALLS_A_SWEEP_MIN = 20;
/** An ordinary one is over on day 18. */
const DAYS_MAX = 26;
/** A key that is missed after all is missed by then. */
const DAYS_AFTERWARDS = 1;

/** What happens beside Keyturn in a row, and what it must come to. */
export interface Plot {
  /** Before each sweep. */
  readonly before?: (ground: Ground) => Promise<void> | void;
  /** Whether the story is at its end; where it is left out, once the old key of each user is gone. */
  readonly isOver?: (ground: Ground) => boolean;
  /** By then it must be; 26 where it is left out. */
  readonly daysMax?: number;
  /** What serves at the end. */
  readonly live: string;
  /** What else is not as it must be. */
  readonly wrong?: () => readonly string[];
  /** What a notice must have said. */
  readonly told?: RegExp;
}

/** One row of the table. */
export interface Row {
  readonly what: string;
  /** A mistake of the catalogue (`test/simulation/mutants`) that is built in. */
  readonly mistake: string | null;
  /** Whether nothing may go wrong; else something must. */
  readonly isSound: boolean;
  /** The row that it is with a mistake built in. */
  readonly twinOf: string | null;
  readonly setting: Setting;
  readonly plot: (ground: Ground) => Plot;
}

/** What the visitors of the Workers met in a whole rotation, and how that ended. */
export interface Measured {
  readonly requests: number;
  readonly perSecond: number;
  readonly duringDeliveries: number;
  readonly failed: number;
  /** What AWS said to the failed ones. */
  readonly codes: readonly string[];
  readonly ended: string;
  /** What is not as it is promised. */
  readonly wrong: readonly string[];
}

/** Sweeps until the rotation is over, with visitors at every moment but while time leaps. */
export async function measure({ mistake, setting, plot: begin }: Row, requestsMin: number): Promise<Measured> {
  const ground = await openGround(await loadProgram(mistake), setting);
  try {
    const { traffic } = ground;
    traffic.urls.push(...setting.holders.map(({ path, workers: [worker = ""] }) => ground.edge.url(worker) + path));
    const plot = begin(ground);
    const startedAtMs = performance.now();
    traffic.open();
    const last = await pass(ground, plot, requestsMin);
    await traffic.close();
    const seconds = (performance.now() - startedAtMs) / 1_000;
    const failed = [...traffic.failures.values()].reduce((sum, count) => sum + count, 0);
    return {
      requests: traffic.count(),
      perSecond: Math.round(traffic.count() / seconds),
      duringDeliveries: ground.duringDeliveries(),
      failed,
      codes: [...traffic.failures.keys()],
      ended: `day ${String(Math.floor(ground.day()))}: ${endOf(ground, last)}`,
      wrong: wrongIn(ground, plot, failed),
    };
  } finally {
    await ground.close();
  }
}

async function pass(ground: Ground, plot: Plot, requestsMin: number): Promise<SweepResult> {
  const { traffic } = ground;
  const isOver = plot.isOver ?? areGone;
  let promotedSince = 0;
  for (let sweeps = 1; ; sweeps += 1) {
    await plot.before?.(ground);
    const result = await ground.sweep();
    const share = (requestsMin - traffic.count()) / Math.max(1, SWEEPS_EXPECTED - sweeps);
    await traffic.reach(traffic.count() + Math.max(CALLS_A_SWEEP_MIN, share));
    if (isOver(ground) || ground.day() > (plot.daysMax ?? DAYS_MAX)) {
      await ground.leap(DAYS_AFTERWARDS * DAY_MS);
      await traffic.reach(Math.max(requestsMin, traffic.count() + CALLS_A_SWEEP_MIN));
      return result;
    }
    const isPromoted = ground.systems.every((system) => currentOf(ground, system.user) !== system.firstPair.keyId);
    promotedSince = isPromoted ? promotedSince + 1 : 0;
    const before = sweeps < HOURLY_SWEEPS ? HOUR_MS : DAY_MS;
    await ground.leap(isPromoted ? (FIRST_LEAPS_MS[promotedSince - 1] ?? DAY_MS) : before);
  }
}

/** Of every user the old key is deleted, and the one that is left is Active, and current in custody. */
export const areGone = (ground: Ground): boolean =>
  ground.systems.every(({ user, firstPair }) => {
    const [key, ...others] = ground.cloud.iam.keysOf(user);
    if (key === undefined || others.length > 0 || key.id === firstPair.keyId) return false;
    return key.status === "Active" && currentOf(ground, user) === key.id;
  });

export function currentOf({ cloud }: Ground, user: string): string | null {
  const text = cloud.secretsManager.textOf(`keyturn/${user}`, "AWSCURRENT") ?? "{}";
  const { AccessKeyId = null } = JSON.parse(text) as { readonly AccessKeyId?: string | null };
  return AccessKeyId;
}

/** What serves in a Worker: whose code, and which pair of the first user's. */
export function liveIn({ cloud, cloudflare, systems: [system] }: Ground, worker: string): string {
  const told = cloudflare.live(ACCOUNT, worker).map(({ code, secrets }) => {
    const id = secrets[FIRST.secrets.accessKeyId];
    const isTheirs = cloud.iam.keysOf(system?.user ?? "").every((key) => key.id !== id);
    const pair = id === system?.firstPair.keyId ? "old pair" : "new pair";
    return `${code}, ${isTheirs ? "a pair of their own" : pair}`;
  });
  return told.join(" + ");
}

function endOf(ground: Ground, { users }: SweepResult): string {
  if (areGone(ground)) return "the old key is deleted";
  const lines = users.flatMap(({ decisions, error }) => error?.message ?? decisions.at(-1) ?? []);
  return lines
    .map((line) => (typeof line === "string" ? line : `${line.step}, ${line.reason}: ${line.because}`))
    .join("; ");
}

function wrongIn(ground: Ground, plot: Plot, failed: number): readonly string[] {
  const live = liveIn(ground, FIRST.workers[0] ?? "");
  const messages = ground.cloud.sns.published.map(({ message }) => message);
  return [
    ...(failed === 0 ? [] : [`${String(failed)} calls failed`]),
    ...((plot.isOver ?? areGone)(ground) ? [] : ["it has no end"]),
    ...(live === plot.live ? [] : [`live is "${live}" in the place of "${plot.live}"`]),
    ...(plot.told === undefined || messages.some((message) => plot.told?.test(message)) ? [] : ["nobody was told"]),
    ...(plot.wrong?.() ?? []),
  ];
}
