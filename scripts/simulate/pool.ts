import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Coverage } from "../../test/simulation/coverage.ts";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

/** A life makes much that it soon forgets: with room for it the collector copies less, and a worker is 6 % quicker. */
const MANY_DIE_YOUNG = ["--max-semi-space-size=64"];

/** What a worker tells: what it did since it last spoke, and the seed that failed. */
export interface Report {
  readonly done: number;
  readonly cpuMs: number;
  readonly sum: Readonly<Record<string, number>>;
  readonly coverage: Coverage;
  readonly failed: number | null;
}

/** What is to be run: a bundle that exports `simulate` and `addCoverage`, and its seeds. */
export interface PoolOptions {
  readonly bundle: string;
  readonly from: number;
  readonly seeds: number;
  readonly jobs: number;
  /** A sweep each hour in every life. */
  readonly isHourly?: boolean;
  /** How many times what goes wrong is drawn. */
  readonly crowd?: number;
  /** Hears each report; false stops the worker that sent it. */
  readonly hear: (report: Report) => boolean;
  /** Called every ten seconds or so. */
  readonly progress: () => void;
}

/** Shares the seeds out among worker processes. Ends when all of them have ended. */
export async function runPool({
  bundle,
  from,
  seeds,
  jobs,
  isHourly = false,
  crowd = 1,
  hear,
  progress,
}: PoolOptions): Promise<void> {
  let toldMs = performance.now();
  const work = async (job: number): Promise<void> => {
    const seedsOf = [bundle, from + job, from + seeds - 1, jobs, isHourly, crowd].map(String);
    const worker = fork(WORKER, seedsOf, { execArgv: MANY_DIE_YOUNG });
    worker.on("message", (report) => {
      if (!hear(report as Report)) worker.kill();
      if (performance.now() - toldMs < 10_000) return;
      toldMs = performance.now();
      progress();
    });
    await new Promise((resolve) => worker.on("exit", resolve));
  };
  await Promise.all(Array.from({ length: jobs }, (_, job) => work(job)));
}
