import { fork } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Coverage } from "../test/simulation/coverage.ts";
import type { addCoverage as AddCoverage, simulate as Simulate } from "../test/simulation/entry.ts";
import { bundleSimulation } from "./simulate/bundle.ts";

const WORKER = fileURLToPath(new URL("simulate/worker.ts", import.meta.url));
const TRACE_LINES_MAX = 120;

/** What a worker tells: what it did since it last spoke, and the seed that failed. */
interface Report {
  readonly done: number;
  readonly cpuMs: number;
  readonly sum: Readonly<Record<string, number>>;
  readonly coverage: Coverage;
  readonly failed: number | null;
}

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    jobs: { type: "string", default: "1" },
    /** Goes on after a failing seed, and names them all. */
    all: { type: "boolean", default: false },
    coverage: { type: "boolean", default: false },
    /** The whole trace of a failing seed. */
    long: { type: "boolean", default: false },
  },
});
const [from, seeds, jobs] = [Number(values.from), Number(values.seeds), Number(values.jobs)];

const print = (line = ""): void => {
  process.stdout.write(`${line}\n`);
};

const bundle = await bundleSimulation(`dist/simulation-${String(process.pid)}.mjs`);
const { simulate, addCoverage } = (await import(pathToFileURL(bundle).href)) as {
  readonly simulate: typeof Simulate;
  readonly addCoverage: typeof AddCoverage;
};

const sum: Record<string, number> = {};
const coverage: Coverage = {};
const failed: number[] = [];
let [done, cpuMs] = [0, 0];
const startedMs = performance.now();

const rate = (name: string): string => ((sum[name] ?? 0) / (cpuMs / 1_000)).toFixed(name === "userYears" ? 2 : 0);

function progress(): void {
  const wallS = ((performance.now() - startedMs) / 1_000).toFixed(0);
  print(
    `${String(done)} of ${String(seeds)} seeds in ${wallS} s; a second of one core: ${rate("reconciles")} reconciles, ` +
      `${rate("userYears")} user-years, ${rate("rotations")} rotations, ${rate("faults")} faults`,
  );
}

function hear(report: Report): void {
  done += report.done;
  cpuMs += report.cpuMs;
  for (const [name, value] of Object.entries(report.sum)) sum[name] = (sum[name] ?? 0) + value;
  addCoverage(coverage, report.coverage);
  if (report.failed === null) return;
  failed.push(report.failed);
  print(`seed ${String(report.failed)} fails`);
}

async function work(job: number): Promise<void> {
  const worker = fork(WORKER, [bundle, String(from + job), String(from + seeds - 1), String(jobs)]);
  let toldMs = performance.now();
  worker.on("message", (report) => {
    hear(report as Report);
    if (failed.length > 0 && !values.all) worker.kill();
    if (performance.now() - toldMs < 10_000) return;
    toldMs = performance.now();
    progress();
  });
  await new Promise((resolve) => worker.on("exit", resolve));
}

await Promise.all(Array.from({ length: jobs }, (_, job) => work(job)));
progress();
print(
  Object.entries(sum)
    .map(([name, value]) => `${name} ${value.toFixed(name === "userYears" ? 1 : 0)}`)
    .join(", "),
);
if (values.coverage) {
  for (const [kind, names] of Object.entries(coverage)) {
    const entries = Object.entries(names).toSorted(([, one], [, other]) => other - one);
    print(`${kind}: ${entries.map(([name, times]) => `${name} ${String(times)}`).join(", ")}`);
  }
}

const [first] = failed.toSorted((one, other) => one - other);
if (first !== undefined) {
  const { trace, violations } = await simulate(first);
  const shown = values.long ? trace : trace.slice(-TRACE_LINES_MAX);
  print(`\nseed ${String(first)} fails; its last ${String(shown.length)} of ${String(trace.length)} lines:`);
  for (const line of shown) print(line);
  for (const { invariant, user, text } of violations) print(`${invariant} ${user}: ${text}`);
  if (failed.length > 1) print(`\nfailing seeds: ${failed.toSorted((one, other) => one - other).join(" ")}`);
  print(`\nreplay: npm run simulate -- --seeds 1 --from ${String(first)} --long`);
  process.exitCode = 1;
}
