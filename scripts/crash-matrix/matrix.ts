import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isSlow } from "./faults.ts";
import type { Point } from "./points.ts";
import type { Outcome } from "./rotation.ts";

const SHARD = fileURLToPath(new URL("shard.ts", import.meta.url));
/** One process a core of the smallest machine that runs this. */
const SHARDS = 2;
/** How many rotations a process plays at once: more than it has cores for, since each waits now and then. */
const AT_ONCE_MAX = 5;
/** Of those that wait for a time-out most of the time. */
const SLOW_AT_ONCE_MAX = 30;

/**
 * Plays every point, on both cores. After a SIGINT no more are begun, and those that are under way are told of all the
 * same. Rejects when one of them could not be played at all.
 */
export async function playAll(
  file: string,
  points: readonly Point[],
  onOutcome: (outcome: Outcome) => void,
): Promise<readonly Outcome[]> {
  // Those that take longest begin first.
  const slow = points.filter(({ fault }) => isSlow(fault));
  const quick = points.filter(({ fault }) => !isSlow(fault));
  const outcomes: Outcome[] = [];
  const keep = (outcome: Outcome): void => {
    outcomes.push(outcome);
    onOutcome(outcome);
  };
  process.once("SIGINT", () => {
    for (const queue of [slow, quick]) queue.length = 0;
  });
  await Promise.all(Array.from({ length: SHARDS }, () => workOff(fork(SHARD, [file]), { slow, quick, keep })));
  return outcomes;
}

interface Work {
  /** Both queues are shared by all shards. */
  readonly slow: Point[];
  readonly quick: Point[];
  readonly keep: (outcome: Outcome) => void;
}

function workOff(shard: ChildProcess, { slow, quick, keep }: Work): Promise<void> {
  const underWay = { slow: 0, quick: 0 };
  const begin = (kind: keyof typeof underWay, queue: Point[]): void => {
    const point = queue.shift();
    if (point === undefined) return;
    underWay[kind] += 1;
    shard.send(point);
  };
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      if (underWay.slow + underWay.quick > 0) return;
      resolve();
      shard.disconnect();
    };
    shard.on("message", (message) => {
      const outcome = message as Outcome;
      const kind = isSlow(outcome.point.fault) ? "slow" : "quick";
      underWay[kind] -= 1;
      keep(outcome);
      begin(kind, kind === "slow" ? slow : quick);
      settle();
    });
    shard.once("exit", (code) => {
      if (code !== 0) reject(new Error("playing a share of the points, its process ended early"));
    });
    for (let index = 0; index < SLOW_AT_ONCE_MAX; index += 1) begin("slow", slow);
    for (let index = 0; index < AT_ONCE_MAX; index += 1) begin("quick", quick);
    settle();
  });
}
