import type { ProjectEditParams } from "cloudflare/resources/pages/projects";
import { describe, expect, test } from "vitest";
import { CloudflarePagesOptions, createCloudflarePages } from "../../src/destinations/cloudflare-pages.ts";
import { accessKeyId } from "../../src/rotation/keys.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { hours, minutes } from "../../src/rotation/time.ts";
import { destinationContract } from "../contracts/destination-contract.ts";
import { cloudflareFetch } from "../world/cloudflare-api.ts";
import {
  CONFIG_HASH,
  OLD_PAIR,
  PAGES_OPTIONS,
  pagesAt,
  pagesUnderTest,
  pairOnPages,
  PROJECT,
  type SimulatedPages,
  simulatePages,
} from "./pages-under-test.ts";
import { ACCOUNT, ID, SECRET } from "./worker-under-test.ts";

const BASE = "http://cloudflare.invalid/client/v4";
const PAIR = { id: accessKeyId("AKIANEWNEWNEWNEWNEW1"), secret: new Secret("new-secret") };
const AS_SET = { id: PAIR.id, secret: "new-secret" };

const inProcess = ({ cloudflare }: SimulatedPages) => pagesAt(BASE, { fetch: cloudflareFetch(cloudflare) });

destinationContract("cloudflare-pages, without a socket,", () => {
  const simulated = simulatePages();
  return Promise.resolve(pagesUnderTest(simulated, inProcess(simulated)));
});

/** A project, and every write that the destination sends, with what happens before each. */
function simulate(options: Parameters<typeof simulatePages>[0] & { readonly previews?: boolean } = {}) {
  const simulated = simulatePages(options);
  const writes: { readonly path: string; readonly body: string }[] = [];
  const before = new Map<number, () => void>();
  const send = cloudflareFetch(simulated.cloudflare);
  const recording: typeof globalThis.fetch = (input, init) => {
    if (init?.method !== "GET") {
      const body = typeof init?.body === "string" ? init.body : "";
      writes.push({ path: new URL(new Request(input).url).pathname, body });
      before.get(writes.length)?.();
    }
    return send(input, init);
  };
  const more = options.previews === undefined ? {} : { previews: options.previews };
  const destination = createCloudflarePages({ ...PAGES_OPTIONS, ...more }, pagesAt(BASE, { fetch: recording }));
  const deployments = () => simulated.pages.project(ACCOUNT, PROJECT).deployments;
  return { ...simulated, destination, deployments, writes, before };
}

describe("a delivery to a Pages project that is connected to Git", () => {
  test("sets both halves in one request, with the file's hash, and builds the live commit again", async () => {
    const { destination, writes, deployments, pages, clock } = simulate();
    await destination.deliver(PAIR, null);
    const secret = (value: string) => ({ type: "secret_text", value }) as const;
    const env_vars = { [ID]: secret(PAIR.id), [SECRET]: secret("new-secret") };
    const body: Omit<ProjectEditParams, "account_id"> = {
      deployment_configs: { production: { env_vars, wrangler_config_hash: CONFIG_HASH } },
    };
    expect(writes.map(({ body: sent }) => (sent === "" ? null : JSON.parse(sent)))).toEqual([body, null]);
    clock.advance(hours(1));
    expect(deployments().map(({ commit }) => commit)).toEqual(["commit-1", "commit-1"]);
    const { variables, hash } = pages.project(ACCOUNT, PROJECT).configs.production;
    expect([variables["AWS_REGION"]?.value, hash]).toEqual(["us-east-1", CONFIG_HASH]);
    expect(pages.project(ACCOUNT, PROJECT).configs.preview.variables).toEqual({});
  });

  test("gives previews the pair, in the same request, where that is said", async () => {
    const { destination, writes, pages } = simulate({ previews: true });
    await destination.deliver(PAIR, null);
    expect(writes).toHaveLength(2);
    const { preview } = pages.project(ACCOUNT, PROJECT).configs;
    expect([preview.variables[ID]?.value, preview.hash]).toEqual([PAIR.id, CONFIG_HASH]);
  });

  test("is live when its build has ended, and not a moment before", async () => {
    const { destination, pages, clock } = simulate();
    const receipt = await destination.deliver(PAIR, null);
    clock.advance(minutes(3) - 1);
    expect([pairOnPages({ pages }), await destination.live(receipt)]).toEqual([OLD_PAIR, "previous"]);
    clock.advance(1);
    expect([pairOnPages({ pages }), await destination.live(receipt)]).toEqual([AS_SET, "ours"]);
  });

  test("has failed when its build has, and what is pushed afterwards has the pair", async () => {
    const { destination, pages, clock } = simulate();
    pages.buildsEnd = "failure";
    const receipt = await destination.deliver(PAIR, null);
    expect(await destination.live(receipt)).toBe("previous");
    clock.advance(hours(1));
    expect(await destination.live(receipt)).toBe("failed");
    pages.buildsEnd = "success";
    pages.deploy(ACCOUNT, PROJECT, "mended");
    clock.advance(hours(1));
    expect([pairOnPages({ pages }), await destination.live(receipt)]).toEqual([AS_SET, "foreign"]);
  });

  test("is unknown while a newer deployment stands where the live one should", async () => {
    const { destination, pages, clock } = simulate();
    const receipt = await destination.deliver(PAIR, null);
    clock.advance(hours(1));
    pages.canonicalIs = "newest";
    pages.deploy(ACCOUNT, PROJECT, "theirs");
    expect(await destination.live(receipt)).toBe("unknown");
  });

  test.for([
    ["before the pair is set", 1],
    ["before the build is begun", 2],
  ] as const)("builds their commit, too, when somebody pushes %s: it stays live", async ([, write]) => {
    const { destination, pages, clock, before } = simulate();
    before.set(write, () => void pages.deploy(ACCOUNT, PROJECT, "theirs"));
    const receipt = await destination.deliver(PAIR, null);
    clock.advance(hours(1));
    expect(pages.live(ACCOUNT, PROJECT)?.commit).toBe("theirs");
    expect([pairOnPages({ pages }), await destination.live(receipt)]).toEqual([AS_SET, "ours"]);
  });

  test("gives up when others push again and again", async () => {
    const { destination, pages, before, writes } = simulate();
    for (let write = 1; write <= 9; write += 1) before.set(write, () => void pages.deploy(ACCOUNT, PROJECT, "theirs"));
    await expect(destination.deliver(PAIR, null)).rejects.toMatchObject({ code: "Conflict" });
    expect(writes).toHaveLength(4);
  });

  test("names the deployments and previews that can be brought back with an older pair", async () => {
    const { destination } = simulate();
    const receipt = await destination.deliver(PAIR, null);
    expect(await destination.kept?.(receipt)).toMatch(/^1 older deployments or more .*, and so do all previews/);
    expect(await destination.kept?.(null)).toBeNull();
  });

  test("goes to what somebody rolled back to, and not to what they left", async () => {
    const { destination, pages, clock, deployments } = simulate();
    pages.deploy(ACCOUNT, PROJECT, "bad release");
    clock.advance(hours(1));
    pages.rollBack(ACCOUNT, PROJECT, deployments()[0]?.id ?? "");
    await destination.deliver(PAIR, null);
    clock.advance(hours(1));
    expect(pages.live(ACCOUNT, PROJECT)?.commit).toBe("commit-1");
  });
});

describe("a delivery to a Pages project that only an upload deploys", () => {
  test("stores the pair, says what has to be run, and begins nothing", async () => {
    const { destination, writes, pages, clock } = simulate({ isGit: false });
    const receipt = await destination.deliver(PAIR, null);
    expect(receipt).toMatchObject({ version: null, awaits: expect.stringContaining("wrangler pages deploy") });
    expect(writes).toHaveLength(1);
    clock.advance(hours(48));
    expect([pairOnPages({ pages }), await destination.live(receipt)]).toEqual([OLD_PAIR, "previous"]);
  });

  test("is live with the first upload after it, and with those that follow", async () => {
    const { destination, pages, clock } = simulate({ isGit: false });
    const receipt = await destination.deliver(PAIR, null);
    for (const commit of ["first", "second"]) {
      pages.deploy(ACCOUNT, PROJECT, commit);
      clock.advance(hours(1));
      expect([pairOnPages({ pages }), await destination.live(receipt)]).toEqual([AS_SET, "ours"]);
    }
  });

  test("is not taken for live by an upload that began before it was stored", async () => {
    const { destination, pages, clock, before } = simulate({ isGit: false });
    before.set(1, () => void pages.deploy(ACCOUNT, PROJECT, "theirs"));
    const receipt = await destination.deliver(PAIR, null);
    clock.advance(hours(1));
    expect([pairOnPages({ pages }), await destination.live(receipt)]).toEqual([OLD_PAIR, "previous"]);
  });
});

describe("the options of a Pages project", () => {
  test.for([
    ["a name with a slash", { project: "a/b" }],
    ["a name that begins with a hyphen", { project: "-a" }],
    ["one name for both halves", { secrets: { accessKeyId: "A", secretAccessKey: "A" } }],
    ["a setting that does not exist", { branch: "main" }],
  ] as const)("refuse %s", ([, change]) => {
    expect(CloudflarePagesOptions.safeParse(PAGES_OPTIONS).success).toBe(true);
    expect(CloudflarePagesOptions.safeParse({ ...PAGES_OPTIONS, ...change }).success).toBe(false);
  });
});
