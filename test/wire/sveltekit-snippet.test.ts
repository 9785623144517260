import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { Miniflare, type Request, Response } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROUTE = "src/routes/keyturn-health";
const TOKEN = "health-route-token";

/** As much of a SvelteKit project as the snippet touches: what `svelte-kit sync` generates, and the platform of the Cloudflare adapter. */
const TYPES = `
  type Handler = (event: { request: Request; platform: Readonly<App.Platform> | undefined }) => Response | Promise<Response>;
  export type RequestHandler = Handler;
`;
const APP = `
  declare namespace App {
    interface Platform {
      env: {
        KEYTURN_HEALTH_TOKEN: string;
        CF_VERSION_METADATA: { id: string };
        LAMBDA_AWS_ACCESS_KEY_ID: string;
        LAMBDA_AWS_SECRET_ACCESS_KEY: string;
      };
    }
  }
`;
const OPTIONS = {
  strict: true,
  noEmit: true,
  allowJs: true,
  target: "es2024",
  lib: ["es2024", "dom"],
  module: "esnext",
  moduleResolution: "bundler",
  types: [],
  paths: { "$lib/*": ["./src/lib/*"] },
};

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyturn-sveltekit-"));
  await mkdir(join(folder, ROUTE), { recursive: true });
  await mkdir(join(folder, "src/lib/server"), { recursive: true });
  await cp("docs/snippets/sveltekit/+server.ts", join(folder, ROUTE, "+server.ts"));
  await cp("docs/snippets/worker-health.js", join(folder, "src/lib/server/worker-health.js"));
  await writeFile(join(folder, ROUTE, "$types.d.ts"), TYPES);
  await writeFile(join(folder, "src/app.d.ts"), APP);
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: OPTIONS, include: ["src"] }));
  await symlink(resolve("node_modules"), join(folder, "node_modules"));
});
afterAll(() => rm(folder, { recursive: true }));

/** What the compiler says of the project; nothing where all is well. */
const compile = (): Promise<string> =>
  new Promise((done) => {
    execFile(resolve("node_modules/.bin/tsc"), ["-p", folder], (_, out) => done(out.trim()));
  });

describe("the SvelteKit route that users paste", () => {
  test("compiles, strictly, in a project as SvelteKit makes it", async () => {
    expect(await compile()).toBe("");
  });

  test("and does not where it names what the platform does not have", async () => {
    const path = join(folder, ROUTE, "+server.ts");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace("env?.LAMBDA_AWS_ACCESS_KEY_ID", "env?.AWS_ACCESS_KEY"));
    expect(await compile()).toContain("AWS_ACCESS_KEY");
    await writeFile(path, text);
  });

  test("answers in workerd with the pair of the version that answers, and lets nobody else in", async () => {
    const entry = `
      import { GET } from "./${ROUTE}/+server.ts";
      export default { fetch: (request, env) => GET({ request, platform: { env } }) };
    `;
    const bundled = await build({
      stdin: { contents: entry, resolveDir: folder, loader: "js" },
      alias: { $lib: join(folder, "src/lib") },
      bundle: true,
      format: "esm",
      write: false,
    });
    const signed: string[] = [];
    const workerd = new Miniflare({
      modules: true,
      compatibilityDate: "2026-01-01",
      script: bundled.outputFiles[0]?.text ?? "",
      bindings: {
        KEYTURN_HEALTH_TOKEN: TOKEN,
        CF_VERSION_METADATA: { id: "version-1" },
        LAMBDA_AWS_ACCESS_KEY_ID: "AKIAOLDOLDOLDOLDOLD1",
        LAMBDA_AWS_SECRET_ACCESS_KEY: "old-secret",
      },
      outboundService(request: Request) {
        signed.push(`${request.url} ${request.headers.get("authorization") ?? ""}`);
        return new Response("<GetCallerIdentityResponse/>");
      },
    });
    const ask = (token: string) =>
      workerd.dispatchFetch("http://shop/", { headers: { authorization: `Bearer ${token}` } });
    expect((await ask("another")).status).toBe(401);
    expect(signed).toEqual([]);
    expect(await (await ask(TOKEN)).json()).toEqual({
      v: 1,
      versionId: "version-1",
      keyId: "OLD1",
      aws: { authenticated: true, status: 200, code: null },
      lastSignedAt: null,
    });
    expect(signed).toEqual([
      expect.stringMatching(/^https:\/\/sts\.us-east-1\.amazonaws\.com\/ .*AKIAOLDOLDOLDOLDOLD1/),
    ]);
    await workerd.dispose();
  });
});
