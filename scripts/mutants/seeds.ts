import { fork } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ROOT } from "./bundle.ts";
import type { Order, SeedReport } from "./worker.ts";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

/** Runs seeds in a process of their own, and hears of each as it ends. */
export async function runSeeds(order: Order, hear: (report: SeedReport) => void): Promise<void> {
  const worker = fork(WORKER);
  worker.on("message", (report) => {
    hear(report as SeedReport);
  });
  worker.send(order);
  await new Promise((resolve) => worker.on("exit", resolve));
}

/** What is known of a program, by its digest: seeds run so far, and what they gave. Kept, so that a run can go on later. */
export interface Known {
  readonly seeds: Record<number, Omit<SeedReport, "seed">>;
}

const fileOf = (digest: string): string => `${ROOT}dist/mutants/${digest}.json`;

export async function readKnown(digest: string): Promise<Known> {
  const text = await readFile(fileOf(digest), "utf8").catch(() => '{"seeds":{}}');
  return JSON.parse(text) as Known;
}

export const keepKnown = (digest: string, known: Known): Promise<void> =>
  writeFile(fileOf(digest), JSON.stringify(known));
