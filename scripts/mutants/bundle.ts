import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Plugin } from "esbuild";
import type { Patch } from "../../test/simulation/mutants/mutant.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The text of a source file with its patches. Throws when a text to be replaced is not there exactly once. */
export async function patched(file: string, patches: readonly Patch[]): Promise<string> {
  let text = await readFile(ROOT + file, "utf8");
  for (const { find, replace } of patches.filter((patch) => patch.file === file)) {
    if (text.split(find).length !== 2) throw new Error(`${file} does not hold exactly once: ${find}`);
    text = text.replace(find, () => replace);
  }
  return text;
}

const mutation = (patches: readonly Patch[]): Plugin => ({
  name: "mutation",
  setup: (setting) => {
    setting.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const file = path.slice(ROOT.length);
      if (!patches.some((patch) => patch.file === file)) return null;
      return { contents: await patched(file, patches), loader: "ts" };
    });
  },
});

/** A bundle of the simulation, and whether every file that was to be patched is a part of it. */
export interface MutantBundle {
  readonly file: string;
  /** The same for the same program. */
  readonly digest: string;
  readonly isWhole: boolean;
}

/** Bundles the simulation, with the production code that it runs and the patches in it, into `dist/mutants`. */
export async function bundleMutant(
  patches: readonly Patch[],
  entry = "test/simulation/entry.ts",
  plugins: readonly Plugin[] = [],
): Promise<MutantBundle> {
  for (const { file } of patches) await patched(file, patches);
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile: "dist/mutants/simulation.mjs",
    bundle: true,
    packages: "external",
    write: false,
    metafile: true,
    platform: "node",
    target: "node24",
    format: "esm",
    logLevel: "warning",
    plugins: [mutation(patches), ...plugins],
  });
  const text = outputFiles[0]?.text ?? "";
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const file = `${ROOT}dist/mutants/${digest}.mjs`;
  await mkdir(`${ROOT}dist/mutants`, { recursive: true });
  await writeFile(file, text);
  return { file, digest, isWhole: patches.every((patch) => patch.file in metafile.inputs) };
}
