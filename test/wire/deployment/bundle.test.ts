import { access, readFile, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Plugin } from "esbuild";
import { build } from "../../../scripts/build.ts";
import { setUpWire } from "../setup.ts";
import type { createDeepen } from "../../../src/observe/evidence/deepen.ts";

const FOLDER = fileURLToPath(new URL("../../../dist/bundle-test/", import.meta.url));
const MAIN_BYTES_MAX = 700_000;
const CLIENTS_OF_A_TRAIL = /StartQueryExecution|StartQueryCommand/;

/** Has the bundle export what loads the second file, so that it can be tried. */
const showDeepen: Plugin = {
  name: "show deepen",
  setup(setting) {
    setting.onLoad({ filter: /src\/handlers\/keyturn\.ts$/ }, async ({ path }) => ({
      contents: `${await readFile(path, "utf8")}\nexport { createDeepen } from "../observe/evidence/deepen.ts";`,
      loader: "ts",
    }));
  },
};

describe("the bundle", () => {
  beforeAll(async () => {
    await build({ output: "dist/bundle-test/keyturn.cjs", isDeep: true, plugins: [showDeepen] });
  });
  afterAll(() => rm(FOLDER, { recursive: true, force: true }));

  test("has the deeper evidence and its SDK clients in a file of their own, and stays below 700 kB itself", async () => {
    const [main, deeper] = await Promise.all(
      ["keyturn.cjs", "keyturn-trail.cjs"].map((name) => readFile(FOLDER + name, "utf8")),
    );
    expect(main).not.toMatch(CLIENTS_OF_A_TRAIL);
    expect(deeper).toMatch(CLIENTS_OF_A_TRAIL);
    expect((await stat(`${FOLDER}keyturn.cjs`)).size).toBeLessThan(MAIN_BYTES_MAX);
  });

  test("loads that file where a trail is asked", async () => {
    const setup = await setUpWire();
    const { cloud, clock, world } = setup;
    cloud.trail.isOn = true;
    cloud.callAs(cloud.role, { service: "sts", operation: "GetCallerIdentity" });
    clock.advance(3_600_000);
    await world.identity.read();
    const bundled = createRequire(import.meta.url)(`${FOLDER}keyturn.cjs`) as {
      readonly createDeepen: typeof createDeepen;
    };
    const options = { kind: "logs-insights", logGroup: "aws-cloudtrail-logs", region: "us-east-1" } as const;
    const sleep = async (ms: number): Promise<void> => Promise.resolve(clock.advance(ms));
    const deepen = bundled.createDeepen(options, world.clients, { ...world.clock, sleep });
    const from = world.clock.now();
    const answer = {
      source: "cloudtrail",
      keyId: "AKIAEXAMPLE000000000" as never,
      from,
      use: { verdict: "unused", from, to: from },
      handOverAt: null,
      sessions: [],
      sessionsFrom: null,
      regionsAsked: [],
      regionsUnasked: {},
    } as const;
    expect(await deepen(answer, false)).toMatchObject({
      deeper: "logs-insights",
      use: { verdict: "unused" },
    });
    await setup.close();
  });

  test("has no second file where the configuration names no trail, not even an old one", async () => {
    await build({ output: "dist/bundle-test/keyturn.cjs" });
    await expect(access(`${FOLDER}keyturn-trail.cjs`)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
