import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Coverage } from "../test/simulation/coverage.ts";
import type { addCoverage as AddCoverage, simulate as Simulate } from "../test/simulation/entry.ts";
import { bundleSimulation } from "./simulate/bundle.ts";
import { runPool } from "./simulate/pool.ts";
import type { Report } from "./simulate/pool.ts";

const TRACE_LINES_MAX = 120;

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

await runPool({
  bundle,
  from,
  seeds,
  jobs,
  hear: (report) => {
    hear(report);
    return failed.length === 0 || values.all;
  },
  progress,
});
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
