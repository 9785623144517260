import { availableParallelism } from "node:os";
import { pathToFileURL } from "node:url";
import type { Coverage } from "../test/simulation/coverage.ts";
import { MUTANTS } from "../test/simulation/mutants/index.ts";
import type { addCoverage as AddCoverage, simulate as Simulate } from "../test/simulation/retirement/entry.ts";
import { countOf, optionsOf } from "./command-line.ts";
import { bundleMutant } from "./mutants/bundle.ts";
import { tableOf } from "./retirements/table.ts";
import { runPool } from "./simulate/pool.ts";

const ENTRY = "test/simulation/retirement/entry.ts";

const HELP = `npm run retirements [-- <options>]

Retires one old key after the other, each with consumers, policy, lags and losses drawn from its number, and judges from
the world alone whether it was taken too early or too late. Exits with 1 if anybody was cut off.

  --count <n>        so many retirements; without it 1,000
  --from <n>         from this one; without it 1
  --jobs <n>         in so many processes; without it one a core
  --all              goes on after a false "unused", and names them all
  --coverage         everything that was counted
  --long             the whole trace, also of a retirement that went well
  --mistake <name>   with a mistake of the catalogue built in (test/simulation/mutants)
  --help             prints this`;

const values = optionsOf(HELP, {
  count: { type: "string", default: "1000" },
  from: { type: "string", default: "1" },
  jobs: { type: "string", default: String(availableParallelism()) },
  all: { type: "boolean", default: false },
  coverage: { type: "boolean", default: false },
  long: { type: "boolean", default: false },
  mistake: { type: "string", default: "" },
});
const count = (option: "from" | "count" | "jobs"): number => countOf(HELP, option, values[option]);
const [from, seeds, jobs] = [count("from"), count("count"), count("jobs")];
const print = (line = ""): void => {
  process.stdout.write(`${line}\n`);
};

const mistake = MUTANTS.find(({ name }) => name === values.mistake);
if (mistake === undefined && values.mistake !== "") throw new Error(`no mistake is called ${values.mistake}`);
const { file: bundle } = await bundleMutant(mistake?.patches ?? [], ENTRY);
const { simulate, addCoverage } = (await import(pathToFileURL(bundle).href)) as {
  readonly simulate: typeof Simulate;
  readonly addCoverage: typeof AddCoverage;
};

const sum: Record<string, number> = {};
const coverage: Coverage = {};
const failed: number[] = [];
let [done, cpuMs] = [0, 0];
const startedMs = performance.now();

function progress(): void {
  const wallS = (performance.now() - startedMs) / 1_000;
  print(
    `${String(done)} of ${String(seeds)} retirements in ${wallS.toFixed(0)} s; ${(done / wallS).toFixed(0)} a second, ` +
      `${(done / (cpuMs / 1_000)).toFixed(0)} a second of one core; ${String(failed.length)} false unused`,
  );
}

await runPool({
  bundle,
  from,
  seeds,
  jobs,
  hear: (report) => {
    done += report.done;
    cpuMs += report.cpuMs;
    for (const [name, value] of Object.entries(report.sum)) sum[name] = (sum[name] ?? 0) + value;
    addCoverage(coverage, report.coverage);
    if (report.failed !== null) {
      failed.push(report.failed);
      print(`retirement ${String(report.failed)} is a false "unused"`);
    }
    return failed.length === 0 || values.all;
  },
  progress,
});
progress();

const [first] = failed.toSorted((one, other) => one - other);
if (first !== undefined || values.long) {
  const seed = first ?? from;
  const { trace, violations } = await simulate(seed);
  print(`\nretirement ${String(seed)}:`);
  for (const line of values.long ? trace : [...trace.slice(0, 12), "...", ...trace.slice(-24)]) print(line);
  for (const { invariant, text } of violations) print(`${invariant}: ${text}`);
  const again = values.mistake === "" ? "" : ` --mistake "${values.mistake}"`;
  print(`\nreplay: npm run retirements -- --count 1 --from ${String(seed)} --long${again}\n`);
}
if (first !== undefined) {
  print(`false unused: ${failed.toSorted((one, other) => one - other).join(" ")}`);
  process.exitCode = 1;
}
for (const line of tableOf({ done, reconciles: sum["reconciles"] ?? 0, coverage })) print(line);
if (values.coverage) {
  for (const [kind, names] of Object.entries(coverage).filter(([name]) => !name.includes("hours"))) {
    const entries = Object.entries(names).toSorted(([, one], [, other]) => other - one);
    print(`${kind}: ${entries.map(([name, times]) => `${name} ${String(times)}`).join(", ")}`);
  }
}
