import { randomUUID } from "node:crypto";
import { chmod, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";
import type { BuildOptions as BuildOptionsOfEsbuild, Plugin } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * Lambda hands its credentials over in environment variables, which the SDK tries first. What it would try after them
 * (profiles, single sign-on, processes, containers, instances) is 110 kB that never runs there; on this machine it is
 * found in node_modules.
 */
const CREDENTIALS_NOT_IN_LAMBDA = [
  ...["sso", "ini", "process", "login", "web-identity", "http"].map((from) => `@aws-sdk/credential-provider-${from}`),
  "@smithy/credential-provider-imds",
];

interface BuildOptions {
  /** From the root of the project. */
  readonly output?: string;
  readonly plugins?: readonly Plugin[];
  /** Whether the deeper evidence is bundled too; where it is not said, as the configuration asks for it. */
  readonly isDeep?: boolean;
}

interface Built {
  readonly file: string;
  readonly bytes: number;
}

/** What few configurations ask for lies in a file of its own beside the function's, and is loaded when it is needed. */
const APART = [
  { entry: "src/observe/evidence/trail.ts", file: "keyturn-trail.cjs" },
  { entry: "src/cloud/sealed-box.ts", file: "keyturn-sealed-box.cjs" },
] as const;
const loadedApart: Plugin = {
  name: "loaded apart",
  setup(setting) {
    setting.onResolve({ filter: /\/(trail|sealed-box)\.ts$/ }, ({ kind, path }) => {
      const apart = APART.find(({ entry }) => entry.endsWith(path.slice(1)));
      return kind === "dynamic-import" && apart !== undefined ? { path: `./${apart.file}`, external: true } : null;
    });
  },
};

/**
 * DynamoDB's client makes a cache of discovered endpoints, and none is ever discovered: the least that keeps what it is given
 * does, in the place of 7 kB.
 */
const leastCache: Plugin = {
  name: "least cache",
  setup(setting) {
    const contents =
      "module.exports = class extends Map { constructor() { super(); } peek(key) { return this.get(key); } };";
    setting.onResolve({ filter: /^mnemonist\/lru-cache$/ }, ({ path }) => ({ path, namespace: "least-cache" }));
    setting.onLoad({ filter: /.*/, namespace: "least-cache" }, () => ({ contents, loader: "js" }));
  },
};

/**
 * Bundles the Lambda function into one file, and gives its absolute path and size. The configuration is loaded first,
 * so that one that would be refused in Lambda is refused here, and says which other files are needed beside it.
 */
export async function build({ output = "dist/keyturn.cjs", plugins = [], isDeep }: BuildOptions = {}): Promise<Built> {
  const { default: config } = await import("../keyturn.config.ts");
  const kinds = Object.values(config.profiles).flatMap(({ destinations }) => destinations.map(({ kind }) => kind));
  const isNeeded = {
    "keyturn-trail.cjs": isDeep ?? config.trail !== undefined,
    "keyturn-sealed-box.cjs": kinds.includes("github-actions"),
  };
  for (const { entry, file } of APART) {
    const beside = `${dirname(output)}/${file}`;
    // One of an earlier build would be deployed although nothing loads it.
    if (isNeeded[file]) await bundleOne(entry, beside, []);
    else await rm(new URL(`../${beside}`, import.meta.url), { force: true });
  }
  return bundleOne("src/handlers/keyturn.ts", output, [loadedApart, leastCache, ...plugins]);
}

/** Bundles the command line into one file, which runs where the repository is not. It has the SDK's whole chain of credentials. */
export async function buildCli(output = "dist/bin/keyturn.cjs"): Promise<Built> {
  const built = await bundleOne("src/cli/main.ts", output, [], {
    target: "node20",
    external: [],
    banner: { js: "#!/usr/bin/env node" },
  });
  await chmod(built.file, 0o755);
  return built;
}

/** CommonJS, because a local invocation loads the handler by `require`. */
async function bundleOne(
  entry: string,
  output: string,
  plugins: readonly Plugin[],
  options: Pick<BuildOptionsOfEsbuild, "target" | "external" | "banner"> = {},
): Promise<Built> {
  // Under a name of its own until it is whole: somebody else may load the last one meanwhile.
  const unfinished = `${output}.${randomUUID()}`;
  await bundle({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile: unfinished,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    // The packages' ES modules shake to about half the size of their CommonJS.
    mainFields: ["module", "main"],
    minify: true,
    external: CREDENTIALS_NOT_IN_LAMBDA,
    legalComments: "none",
    logLevel: "warning",
    plugins: [...plugins],
    ...options,
  });
  const file = fileURLToPath(new URL(`../${output}`, import.meta.url));
  await rename(new URL(`../${unfinished}`, import.meta.url), file);
  const { size } = await stat(file);
  return { file, bytes: size };
}

if (import.meta.main) {
  for (const { file, bytes } of [await build(), await buildCli()]) {
    console.log(`${file}: ${String(Math.round(bytes / 1_000))} kB`);
  }
}
