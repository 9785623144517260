import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Bundles a simulation, with the production code that it runs, into one ES module. */
export async function bundleSimulation(outfile: string, entry = "test/simulation/entry.ts"): Promise<string> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node24",
    format: "esm",
    sourcemap: "inline",
    logLevel: "warning",
  });
  return ROOT + outfile;
}
