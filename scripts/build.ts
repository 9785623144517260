import { rename, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";
import type { Plugin } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * Lambda hands its credentials over in environment variables, which the SDK tries first. What it would try after them
 * (profiles, single sign-on, processes) is 100 kB that never runs there; on this machine it is found in node_modules.
 */
const CREDENTIALS_NOT_IN_LAMBDA = ["sso", "ini", "process", "login", "web-identity"].map(
  (source) => `@aws-sdk/credential-provider-${source}`,
);

interface BuildOptions {
  /** From the root of the project. */
  readonly output?: string;
  readonly plugins?: readonly Plugin[];
}

/**
 * Bundles the Lambda function into one file, and gives its absolute path and size. The configuration is loaded first,
 * so that one that would be refused in Lambda is refused here. CommonJS, because a local invocation loads it by `require`.
 */
export async function build({ output = "dist/keyturn.cjs", plugins = [] }: BuildOptions = {}): Promise<{
  readonly file: string;
  readonly bytes: number;
}> {
  await import("../keyturn.config.ts");
  // Under a name of its own until it is whole: somebody else may load the last one meanwhile.
  const unfinished = `${output}.${String(process.pid)}`;
  await bundle({
    absWorkingDir: ROOT,
    entryPoints: ["src/handlers/keyturn.ts"],
    outfile: unfinished,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    // The packages' ES modules shake to about half the size of their CommonJS.
    mainFields: ["module", "main"],
    minify: true,
    // Error names and stack traces stay readable.
    keepNames: true,
    external: CREDENTIALS_NOT_IN_LAMBDA,
    legalComments: "none",
    logLevel: "warning",
    plugins: [...plugins],
  });
  const file = fileURLToPath(new URL(`../${output}`, import.meta.url));
  await rename(new URL(`../${unfinished}`, import.meta.url), file);
  const { size } = await stat(file);
  return { file, bytes: size };
}

if (import.meta.main) {
  const { file, bytes } = await build();
  console.log(`${file}: ${String(Math.round(bytes / 1_000))} kB`);
}
