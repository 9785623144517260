import { createHash } from "node:crypto";
import { glob, mkdir, readFile, writeFile } from "node:fs/promises";
import type { Mutant } from "../../test/simulation/mutants/mutant.ts";
import { ROOT } from "./bundle.ts";

/** What became of a mutant. */
export interface Verdict {
  /** "INV-1, seed 12", or a test; null where nothing noticed it. */
  readonly by: string | null;
  readonly note: string;
}

export type Verdicts = Readonly<Record<string, Verdict>>;

const FILE = `${ROOT}dist/mutants/verdicts.json`;

interface Kept {
  /** The digest of everything that a verdict rests on. */
  readonly project: string;
  readonly verdicts: Verdicts;
}

async function projectDigest(): Promise<string> {
  const sum = createHash("sha256");
  const files: string[] = [];
  for await (const file of glob("{src,test}/**/*.{ts,js,json}", { cwd: ROOT })) files.push(file);
  for (const file of files.toSorted()) sum.update(file).update(await readFile(ROOT + file));
  return sum.digest("hex").slice(0, 16);
}

/** The verdicts of earlier runs upon the very same project, so that the whole can be run in pieces. */
export async function readVerdicts(): Promise<Verdicts> {
  const text = await readFile(FILE, "utf8").catch(() => '{"project":"","verdicts":{}}');
  const { project, verdicts } = JSON.parse(text) as Kept;
  return project === (await projectDigest()) ? verdicts : {};
}

export async function keepVerdicts(verdicts: Verdicts): Promise<void> {
  await mkdir(`${ROOT}dist/mutants`, { recursive: true });
  await writeFile(FILE, JSON.stringify({ project: await projectDigest(), verdicts } satisfies Kept));
}

const ABOUT = `# Who notices which mistake

Each mutant of \`test/simulation/mutants\` is one mistake, built into the program; here is what noticed it first, as \`npm run mutants -- --document\`
found it. A number is the seed of the simulation in which the promise was broken ([invariants](invariants.md)); a test is named by its file.`;

/** Writes the table where the documents are. Throws where a mutant has no verdict yet. */
export async function keepDocument(mutants: readonly Mutant[], verdicts: Verdicts): Promise<void> {
  const open = mutants.filter(({ name }) => typeof verdicts[name]?.by !== "string").map(({ name }) => name);
  if (open.length > 0) throw new Error(`these mutants have no verdict yet: ${open.join(", ")}`);
  const caught = `${String(mutants.length)} mutants, and none survives.`;
  await writeFile(`${ROOT}docs/mutants.md`, `${ABOUT}\n\n${caught}\n\n${tableOf(mutants, verdicts)}\n`);
}

/** The verdicts as a table for a document: a line for each checker or test file, with the mutants that it caught. */
export function tableOf(mutants: readonly Mutant[], verdicts: Verdicts): string {
  const rows = new Map<string, string[]>();
  for (const { name } of mutants) {
    const verdict = verdicts[name];
    const [catcher, entry] = verdict === undefined ? ["not tried", name] : rowOf(name, verdict);
    rows.set(catcher, [...(rows.get(catcher) ?? []), entry]);
  }
  const lines = [...rows].toSorted(([one], [other]) => one.localeCompare(other));
  return [
    "| caught by | mutants |",
    "| --- | --- |",
    ...lines.map(([by, names]) => `| ${by} | ${names.join("; ")} |`),
  ].join("\n");
}

/** By the simulation: the promise, and the mutant with its seed. By a test: its file. */
function rowOf(name: string, { by, note }: Verdict): readonly [string, string] {
  if (by === null) return ["NOTHING", `${name} (${note})`];
  const [, promise, seed] = /^([^,]+), seed (\d+)$/.exec(by) ?? [];
  if (promise !== undefined && seed !== undefined) return [promise, `${name} (${seed})`];
  return [by.startsWith("test/") ? `\`${by.slice(0, by.indexOf(": "))}\`` : by, name];
}
