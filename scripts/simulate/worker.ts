import { pathToFileURL } from "node:url";
import type { addCoverage as AddCoverage, simulate as Simulate } from "../../test/simulation/entry.ts";

type Simulation = { readonly simulate: typeof Simulate; readonly addCoverage: typeof AddCoverage };

/** Seeds between two words to the parent. */
const SEEDS_A_REPORT = 10;

/** `worker.ts <bundle> <from> <to> <step> <hourly or not> <crowd>`: every step-th seed, told to the parent as they go; ends at the first failure. */
const [bundle = "", from = "1", to = "1", step = "1", hourly = "", crowd = "1"] = process.argv.slice(2);
const { simulate, addCoverage } = (await import(pathToFileURL(bundle).href)) as Simulation;

// Thousands of refusals a second are made, and nobody reads where.
Error.stackTraceLimit = 0;
let [done, cpuMs] = [0, 0];
let sum: Record<string, number> = {};
let coverage = {};
const tell = (failed: number | null): void => {
  process.send?.({ done, cpuMs, sum, coverage, failed });
  [done, cpuMs, sum, coverage] = [0, 0, {}, {}];
};

for (let seed = Number(from); seed <= Number(to); seed += Number(step)) {
  const before = process.cpuUsage();
  const result = await simulate(seed, { isTraced: false, isHourly: hourly === "true", crowd: Number(crowd) });
  const spent = process.cpuUsage(before);
  cpuMs += (spent.user + spent.system) / 1_000;
  done += 1;
  for (const [name, value] of Object.entries(result.stats)) sum[name] = (sum[name] ?? 0) + value;
  addCoverage(coverage, result.coverage);
  if (result.violations.length > 0) tell(seed);
  else if (done >= SEEDS_A_REPORT) tell(null);
  // The parent may have something to say.
  await new Promise((resolve) => setImmediate(resolve));
}
tell(null);
process.disconnect?.();
