import { WATCH } from "../../test/simulation/mutants/mutant.ts";
import { bundleMutant } from "./bundle.ts";
import { keepKnown, readKnown, runSeeds, type Known } from "./seeds.ts";

interface ControlOptions {
  readonly seeds: number;
  readonly jobs: number;
  readonly tell: (line: string) => void;
}

/**
 * The unmutated program over the same seeds, with every decision watched: which of them pass, who wins in which, and
 * where two neighbouring rules would decide otherwise in the other order.
 */
export async function runControl({ seeds, jobs, tell }: ControlOptions): Promise<Known["seeds"]> {
  const { file, digest } = await bundleMutant([WATCH]);
  const known = await readKnown(digest);
  const open = Array.from({ length: seeds }, (_, index) => index + 1).filter((seed) => !(seed in known.seeds));
  let toldMs = performance.now();
  const work = (job: number): Promise<void> =>
    runSeeds(
      {
        bundle: file,
        seeds: open.filter((_, at) => at % jobs === job),
        budgetMs: Number.MAX_SAFE_INTEGER,
        isControl: true,
        open: [],
      },
      ({ seed, ...report }) => {
        known.seeds[seed] = report;
        if (performance.now() - toldMs < 20_000) return;
        toldMs = performance.now();
        tell(`control: ${String(Object.keys(known.seeds).length)} of ${String(seeds)} seeds`);
        void keepKnown(digest, known);
      },
    );
  if (open.length === 0) return known.seeds;
  await Promise.all(Array.from({ length: jobs }, (_, job) => work(job)));
  await keepKnown(digest, known);
  return known.seeds;
}
