import { appendFile, readFile } from "node:fs/promises";

/** What one run of seeds came to. */
export interface Figures {
  /** The digest of what was run: seeds of another program are another claim. */
  readonly program: string;
  readonly from: number;
  readonly seeds: number;
  readonly cpuS: number;
  readonly failed: readonly number[];
  readonly sum: Readonly<Record<string, number>>;
}

/** Adds a run to a file of runs, one JSON line each, and gives in words what all runs of the same program come to. */
export async function addFigures(file: string, run: Figures): Promise<string> {
  await appendFile(file, `${JSON.stringify(run)}\n`);
  const lines = (await readFile(file, "utf8")).trim().split("\n");
  const runs = lines.map((line) => JSON.parse(line) as Figures).filter(({ program }) => program === run.program);
  const sum: Record<string, number> = {};
  for (const each of runs) for (const [name, value] of Object.entries(each.sum)) sum[name] = (sum[name] ?? 0) + value;
  const seeds = runs.reduce((all, each) => all + each.seeds, 0);
  const cpuS = runs.reduce((all, each) => all + each.cpuS, 0);
  const failed = runs.flatMap((each) => each.failed).toSorted((one, other) => one - other);
  const counted = Object.entries(sum).map(([name, value]) => `${name} ${value.toFixed(name === "userYears" ? 1 : 0)}`);
  return (
    `all runs of program ${run.program}: ${String(seeds)} seeds in ${cpuS.toFixed(0)} CPU s ` +
    `(${((sum["reconciles"] ?? 0) / cpuS).toFixed(0)} reconciles a second of one core), ` +
    `failing: ${failed.join(" ") || "none"}; ${counted.join(", ")}`
  );
}
