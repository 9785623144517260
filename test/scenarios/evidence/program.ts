import { createHash } from "node:crypto";
import { build } from "esbuild";
import { patched, ROOT } from "../../../scripts/mutants/bundle.ts";
import { MUTANTS } from "../../simulation/mutants/index.ts";
import type { Patch } from "../../simulation/mutants/mutant.ts";
import * as production from "./entry.ts";

/** Keyturn with its real adapters. */
export type Program = typeof production;

/** The production code, as it is. */
export const asItIs = async (): Promise<Program> => Promise.resolve(production);

/**
 * The production code with known mistakes of `test/simulation/mutants` in it. Where rule 1 would give a key back in the
 * very sweep that took it, one mistake alone hurts nobody: then that net is cut as well.
 */
export function withMistakes(...names: readonly string[]): () => Promise<Program> {
  const patches = names.flatMap((name) => {
    const mutant = MUTANTS.find((one) => one.name === name);
    if (mutant === undefined) throw new Error(`no mutant is called ${name}`);
    return mutant.patches;
  });
  return withPatches(patches);
}

/** The production code with a mistake that stands nowhere else. Packages stay outside of the bundle: they are the same. */
export function withPatches(patches: readonly Patch[]): () => Promise<Program> {
  return async () => {
    const digest = createHash("sha256").update(JSON.stringify(patches)).digest("hex").slice(0, 16);
    const outfile = `${ROOT}dist/scenarios/${digest}.mjs`;
    await build({
      absWorkingDir: ROOT,
      entryPoints: ["test/scenarios/evidence/entry.ts"],
      outfile,
      bundle: true,
      packages: "external",
      platform: "node",
      target: "node24",
      format: "esm",
      logLevel: "warning",
      plugins: [
        {
          name: "mistake",
          setup: (setting) => {
            setting.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
              const contents = await patched(path.slice(ROOT.length), patches);
              return { contents, loader: "ts" };
            });
          },
        },
      ],
    });
    return (await import(outfile)) as Program;
  };
}
