import { writeFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Coverage } from "../test/simulation/coverage.ts";
import type {
  addCoverage as AddCoverage,
  drawLife as DrawLife,
  live as Live,
  simulate as Simulate,
} from "../test/simulation/entry.ts";
import type { Life } from "../test/simulation/life.ts";
import { MUTANTS } from "../test/simulation/mutants/index.ts";
import { countOf, optionsOf } from "./command-line.ts";
import { bundleMutant } from "./mutants/bundle.ts";
import { addFigures } from "./simulate/figures.ts";
import { runPool } from "./simulate/pool.ts";
import type { Report } from "./simulate/pool.ts";
import { shrink } from "./simulate/shrink.ts";

const TRACE_LINES_MAX = 120;

const HELP = `npm run simulate [-- <options>]

Lives random lives of users on the simulated cloud, faults and people included, one for each seed, and watches what is
promised (docs/invariants.md). Exits with 0 if no promise was broken; else shows the first seed that did, and with 1.

  --seeds <n>        so many seeds; without it 200
  --from <n>         from this one; without it 1
  --jobs <n>         in so many processes; without it 1
  --hourly           a sweep each hour while anything is open, in every life (docs/invariants.md, Lives)
  --crowded <n>      draws faults, leaks, and what people do and say, n times for each life: what must meet meets sooner
  --all              goes on after a failing seed, and names them all
  --coverage         counts what was decided, done and met
  --long             the whole trace of a failing seed
  --mutant <name>    the program with this mistake in it
  --figures <file>   adds this run to a file, a line a run, and says what all runs of it come to
  --save <name>      makes the first failing life as small as it can be, and keeps it, to be lived with every test
  --help             prints this`;

const values = optionsOf(HELP, {
  seeds: { type: "string", default: "200" },
  from: { type: "string", default: "1" },
  jobs: { type: "string", default: "1" },
  hourly: { type: "boolean", default: false },
  crowded: { type: "string", default: "1" },
  all: { type: "boolean", default: false },
  coverage: { type: "boolean", default: false },
  long: { type: "boolean", default: false },
  mutant: { type: "string" },
  save: { type: "string" },
  figures: { type: "string" },
});
const count = (option: "from" | "seeds" | "jobs" | "crowded"): number => countOf(HELP, option, values[option]);
const [from, seeds, jobs, crowd] = [count("from"), count("seeds"), count("jobs"), count("crowded")];

const print = (line = ""): void => {
  process.stdout.write(`${line}\n`);
};

const mutant = MUTANTS.find(({ name }) => name === values.mutant);
if (values.mutant !== undefined && mutant === undefined) throw new Error(`there is no mutant ${values.mutant}`);
const { file: bundle, digest } = await bundleMutant(mutant?.patches ?? []);
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

/** Whoever ends it early is told what was lived until then; a second time it ends at once. */
let isEnded = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    isEnded = true;
  });
}
await runPool({
  bundle,
  from,
  seeds,
  jobs,
  isHourly: values.hourly,
  crowd,
  hear: (report) => {
    hear(report);
    return !isEnded && (failed.length === 0 || values.all);
  },
  progress,
});
progress();
print(
  Object.entries(sum)
    .map(([name, value]) => `${name} ${value.toFixed(name === "userYears" ? 1 : 0)}`)
    .join(", "),
);
if (values.figures !== undefined) {
  const run = { program: digest, from, seeds: done, cpuS: cpuMs / 1_000, failed, sum };
  print(await addFigures(values.figures, run));
}
if (values.coverage) {
  for (const [kind, names] of Object.entries(coverage)) {
    const entries = Object.entries(names).toSorted(([, one], [, other]) => other - one);
    print(`${kind}: ${entries.map(([name, times]) => `${name} ${String(times)}`).join(", ")}`);
  }
}

async function save(seed: number, name: string, invariant: string): Promise<void> {
  const shows = async (life: Life): Promise<boolean> =>
    (await live(life, { isTraced: false })).violations.some((violation) => violation.invariant === invariant);
  const drawn = drawLife(seed, crowd);
  const life = await shrink({ ...drawn, isHourly: drawn.isHourly || values.hourly }, shows);
  const kept = { found: `that ${invariant} was broken`, mutant: values.mutant ?? null, life };
  await writeFile(
    fileURLToPath(new URL(`../test/simulation/lives/${name}.json`, import.meta.url)),
    JSON.stringify(kept),
  );
  print(`kept as ${name}: ${String(life.deeds.length)} deeds, ${String(life.troubles.length)} troubles`);
  print("npm run format:write lays it out");
}

const [first] = failed.toSorted((one, other) => one - other);
if (first !== undefined) {
  const { trace, violations } = await simulate(first, { isHourly: values.hourly, crowd });
  const shown = values.long ? trace : trace.slice(-TRACE_LINES_MAX);
  print(`\nseed ${String(first)} fails; its last ${String(shown.length)} of ${String(trace.length)} lines:`);
  for (const line of shown) print(line);
  for (const { invariant, user, text } of violations) print(`${invariant} ${user}: ${text}`);
  if (failed.length > 1) print(`\nfailing seeds: ${failed.toSorted((one, other) => one - other).join(" ")}`);
  const like = `${values.hourly ? " --hourly" : ""}${crowd > 1 ? ` --crowded ${String(crowd)}` : ""}`;
  print(`\nreplay: npm run simulate -- --seeds 1 --from ${String(first)} --long${like}`);
  if (values.save !== undefined) await save(first, values.save, violations[0]?.invariant ?? "");
  process.exitCode = 1;
}
