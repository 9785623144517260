import { readFile, writeFile } from "node:fs/promises";
import { ROOT } from "./bundle.ts";

/** What noticed a mutant when it was tried last. Neither, where nothing did, or it is an equivalent program. */
export interface Found {
  readonly seed?: number;
  readonly test?: string;
}

const FILE = `${ROOT}scripts/mutants/found.json`;

export const readFound = async (): Promise<Record<string, Found>> =>
  JSON.parse(await readFile(FILE, "utf8")) as Record<string, Found>;

/** Keeps what noticed each mutant, by its name, a line each as the formatter has it, so that a later run begins with it. */
export async function keepFound(found: Readonly<Record<string, Found>>): Promise<void> {
  const lines = Object.entries(found)
    .filter(([, { seed, test }]) => seed !== undefined || test !== undefined)
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([name, { seed, test }]) => {
      const by = seed === undefined ? `"test": ${JSON.stringify(test)}` : `"seed": ${String(seed)}`;
      return `  ${JSON.stringify(name)}: { ${by} }`;
    });
  await writeFile(FILE, `{\n${lines.join(",\n")}\n}\n`);
}
