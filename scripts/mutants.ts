import { MUTANTS } from "../test/simulation/mutants/index.ts";
import type { Mutant } from "../test/simulation/mutants/mutant.ts";
import { countOf, optionsOf } from "./command-line.ts";
import { bundleMutant } from "./mutants/bundle.ts";
import { runControl } from "./mutants/control.ts";
import { keepFound, readFound, type Found } from "./mutants/found.ts";
import { keepKnown, readKnown, runSeeds } from "./mutants/seeds.ts";
import { runTests } from "./mutants/tests.ts";
import { keepDocument, keepVerdicts, readVerdicts, tableOf, type Verdict } from "./mutants/verdicts.ts";
import { wordsOf } from "./mutants/words.ts";

const EQUIVALENT = "nothing: an equivalent program (mutants.test.ts, neighbours that never rule at once)";

const HELP = `npm run mutants [-- <options>]

Builds one mistake after the other into the production code, and looks for the seed of the simulation, or the test, that
notices it (docs/invariants.md). What found it last (scripts/mutants/found.json) is tried first, so that a run over a changed
project searches only where it has to. What was learnt is kept in dist/mutants, and a later run of the same project goes on
from there: with --only and --budget the whole can be run in pieces. The table at the end is that of all pieces.

  --only <regexp>    only mutants whose names it finds
  --seeds <n>        so many seeds a mutant; without it 1,000
  --jobs <n>         in so many processes; without it 2
  --budget <s>       so many CPU seconds a mutant; without it 600
  --tests <regexp>   of the tests that notice what the simulation does not, only those whose paths it finds
  --document         writes the table to docs/mutants.md, if every mutant is caught
  --help             prints this`;

const values = optionsOf(HELP, {
  only: { type: "string", default: "" },
  seeds: { type: "string", default: "1000" },
  jobs: { type: "string", default: "2" },
  budget: { type: "string", default: "600" },
  tests: { type: "string", default: "" },
  document: { type: "boolean", default: false },
});
const count = (option: "seeds" | "jobs" | "budget"): number => countOf(HELP, option, values[option]);
const [seeds, jobs, budgetMs] = [count("seeds"), count("jobs"), count("budget") * 1_000];
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const chosen = MUTANTS.filter(({ name }) => new RegExp(values.only).test(name));
const bundles = new Map<Mutant, Awaited<ReturnType<typeof bundleMutant>>>();
for (const mutant of chosen) bundles.set(mutant, await bundleMutant(mutant.patches));
const control = await runControl({ seeds, jobs, tell: print });
const sound = Array.from({ length: seeds }, (_, index) => index + 1).filter((seed) => control[seed]?.broken === null);
const found = await readFound();
const openFindings = Object.values(control).flatMap(({ broken }) => (broken === null ? [] : wordsOf(broken)));
const excluded = seeds - sound.length;
const decisions = Object.values(control).reduce((sum, report) => sum + report.decisions, 0);
print(
  `control: ${String(sound.length)} of ${String(seeds)} seeds pass; ${String(excluded)} do not, and count for nothing`,
);

/** By something else than what the unmutated program is known to break. */
const isBroken = (broken: string | null | undefined): boolean =>
  typeof broken === "string" && !openFindings.includes(wordsOf(broken));

/** By a seed that the unmutated program passes. */
async function bySimulation(
  { name, mark }: Mutant,
  { file, digest, isWhole }: NonNullable<ReturnType<typeof bundles.get>>,
) {
  if (!isWhole) return { by: null, note: "not a part of the simulation" };
  const known = await readKnown(digest);
  const first = found[name]?.seed;
  const able = sound
    .filter((seed) => mark === undefined || control[seed]?.marks.includes(mark))
    .toSorted((one, other) => Number(other === first) - Number(one === first));
  const open = able.filter((seed) => !(seed in known.seeds));
  const isCaught = able.some((seed) => isBroken(known.seeds[seed]?.broken));
  if (!isCaught && open.length > 0) {
    await runSeeds(
      { bundle: file, seeds: open, budgetMs, isControl: false, open: openFindings },
      ({ seed, ...report }) => {
        known.seeds[seed] = { ...report, marks: [] };
      },
    );
    await keepKnown(digest, known);
  }
  const caught = able.find((seed) => isBroken(known.seeds[seed]?.broken));
  const tried = able.filter((seed) => seed in known.seeds).length;
  if (caught !== undefined)
    return {
      by: `${known.seeds[caught]?.broken?.split(":")[0] ?? ""}, seed ${String(caught)}`,
      note: `${known.seeds[caught]?.broken ?? ""}`,
    };
  if (mark !== undefined && able.length === 0)
    return { by: null, note: `the same decision in all ${String(decisions)} situations of ${String(seeds)} seeds` };
  return { by: null, note: `${String(tried)} of ${String(able.length)} seeds tried` };
}

async function judge(mutant: Mutant): Promise<Verdict> {
  const bundle = bundles.get(mutant);
  if (bundle === undefined) throw new Error(`${mutant.name} is not bundled`);
  const last = found[mutant.name]?.test;
  const again = last === undefined ? null : await runTests(mutant.patches, [last]);
  if (again !== null) return { by: again, note: "as before" };
  const simulated = await bySimulation(mutant, bundle);
  if (mutant.isEquivalent === true && simulated.by === null) return { by: EQUIVALENT, note: simulated.note };
  if (simulated.by !== null) return simulated;
  const tests = (mutant.tests ?? []).filter((path) => new RegExp(values.tests).test(path));
  const by = await runTests(mutant.patches, tests);
  return { by, note: simulated.note };
}

function foundBy({ by }: Verdict): Found {
  const seed = /, seed (\d+)$/.exec(by ?? "")?.[1];
  if (seed !== undefined) return { seed: Number(seed) };
  return by?.startsWith("test/") === true ? { test: by.slice(0, by.indexOf(": ")) } : {};
}

const verdicts: Record<string, Verdict> = { ...(await readVerdicts()) };
const isSettled = ({ name }: Mutant): boolean => typeof verdicts[name]?.by === "string";
const waiting = chosen.filter((mutant) => !isSettled(mutant));
async function work(): Promise<void> {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const verdict = await judge(mutant);
    verdicts[mutant.name] = verdict;
    await keepVerdicts(verdicts);
    found[mutant.name] = foundBy(verdict);
    await keepFound(found);
    print(`${mutant.name}: ${verdict.by ?? "SURVIVED"} (${verdict.note})`);
  }
}
await Promise.all(Array.from({ length: jobs }, () => work()));

print(`\n${tableOf(MUTANTS, verdicts)}`);
const caught = chosen.filter(isSettled).length;
print(`\n${String(caught)} of ${String(chosen.length)} mutants caught`);
if (caught < chosen.length) process.exitCode = 1;
else if (values.document) await keepDocument(MUTANTS, verdicts);
