import { fork } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Coverage } from "../test/simulation/coverage.ts";
import type {
  addCoverage as AddCoverage,
  drawLife as DrawLife,
  live as Live,
  simulate as Simulate,
} from "../test/simulation/entry.ts";
import type { Life } from "../test/simulation/life.ts";
import { MUTANTS } from "../test/simulation/mutants/index.ts";
import { bundleMutant } from "./mutants/bundle.ts";
import { shrink } from "./simulate/shrink.ts";

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
    /** The program with this mistake in it. */
    mutant: { type: "string" },
    /** Makes the first failing life as small as it can be, and keeps it under this name, to be lived with every test. */
    save: { type: "string" },
  },
});
const [from, seeds, jobs] = [Number(values.from), Number(values.seeds), Number(values.jobs)];

const print = (line = ""): void => {
  process.stdout.write(`${line}\n`);
};

const mutant = MUTANTS.find(({ name }) => name === values.mutant);
if (values.mutant !== undefined && mutant === undefined) throw new Error(`there is no mutant ${values.mutant}`);
const { file: bundle } = await bundleMutant(mutant?.patches ?? []);
const { simulate, live, drawLife, addCoverage } = (await import(pathToFileURL(bundle).href)) as {
  readonly simulate: typeof Simulate;
  readonly live: typeof Live;
  readonly drawLife: typeof DrawLife;
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

async function save(seed: number, name: string, invariant: string): Promise<void> {
  const shows = async (life: Life): Promise<boolean> =>
    (await live(life, { isTraced: false })).violations.some((violation) => violation.invariant === invariant);
  const life = await shrink(drawLife(seed), shows);
  const kept = { found: `that ${invariant} was broken`, mutant: values.mutant ?? null, life };
  await writeFile(
    fileURLToPath(new URL(`../test/simulation/lives/${name}.json`, import.meta.url)),
    JSON.stringify(kept),
  );
  print(`kept as ${name}: ${String(life.deeds.length)} deeds, ${String(life.troubles.length)} troubles`);
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
  if (values.save !== undefined) await save(first, values.save, violations[0]?.invariant ?? "");
  process.exitCode = 1;
}
