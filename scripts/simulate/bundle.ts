import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Plugin } from "esbuild";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A change of one source file on its way into the bundle: a mistake that the simulation must find. */
export interface Mutant {
  /** From the root of the project. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Throws when the text to be replaced is not in the file exactly once. */
function mutation({ file, find, replace }: Mutant): Plugin {
  return {
    name: "mutant",
    setup: (setting) => {
      setting.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (path !== ROOT + file) return null;
        const text = await readFile(path, "utf8");
        if (text.split(find).length !== 2) throw new Error(`${file} does not hold once: ${find}`);
        return { contents: text.replace(find, () => replace), loader: "ts" };
      });
    },
  };
}

/** Bundles the simulation, with the production code that it runs, into one ES module. */
export async function bundleSimulation(outfile: string, mutants: readonly Mutant[] = []): Promise<string> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: ["test/simulation/entry.ts"],
    outfile,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    sourcemap: "inline",
    logLevel: "warning",
    plugins: mutants.map(mutation),
  });
  return ROOT + outfile;
}
