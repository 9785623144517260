import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUTPUT = "dist/keyturn.cjs";

/**
 * Bundles the Lambda function into one file, and gives its absolute path and size. The configuration is loaded first,
 * so that one that would be refused in Lambda is refused here. CommonJS, because a local invocation loads it by `require`.
 */
export async function build(): Promise<{ readonly file: string; readonly bytes: number }> {
  await import("../keyturn.config.ts");
  await bundle({
    absWorkingDir: ROOT,
    entryPoints: ["src/handlers/keyturn.ts"],
    outfile: OUTPUT,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    // The packages' ES modules shake to about half the size of their CommonJS.
    mainFields: ["module", "main"],
    minifySyntax: true,
    minifyWhitespace: true,
    minifyIdentifiers: false,
    keepNames: true,
    legalComments: "none",
    logLevel: "warning",
  });
  const file = fileURLToPath(new URL(`../${OUTPUT}`, import.meta.url));
  const { size } = await stat(file);
  return { file, bytes: size };
}

if (import.meta.main) {
  const { file, bytes } = await build();
  console.log(`${file}: ${String(Math.round(bytes / 1_000))} kB`);
}
