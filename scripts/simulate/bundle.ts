import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Bundles the simulation, with the production code that it runs, into one ES module. */
export async function bundleSimulation(outfile: string): Promise<string> {
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
  });
  return ROOT + outfile;
}
