import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import CloudflareSdk from "cloudflare";
import { beforeEach, describe, expect, test } from "vitest";
import { createCloudflarePages } from "../../src/destinations/cloudflare-pages.ts";
import { hours } from "../../src/rotation/time.ts";
import { destinationContract } from "../contracts/destination-contract.ts";
import {
  CONFIG_HASH,
  OLD_PAIR,
  PAGES_OPTIONS,
  pagesAt,
  pagesUnderTest,
  pairOnPages,
  PROJECT,
  simulatePages,
} from "../destinations/pages-under-test.ts";
import { ACCOUNT, ID, PAIR, SECRET, TOKEN } from "../destinations/worker-under-test.ts";
import { startCloudflareApi } from "../world/wire/cloudflare-handler.ts";
import { wrangler as runWrangler } from "./wrangler.ts";

destinationContract("cloudflare-pages, over HTTP,", async () => {
  const simulated = simulatePages();
  const api = await startCloudflareApi(simulated.cloudflare);
  return pagesUnderTest(simulated, pagesAt(api.baseUrl), () => api.close());
});

let simulated = simulatePages();
let api: Awaited<ReturnType<typeof startCloudflareApi>>;
beforeEach(async () => {
  simulated = simulatePages();
  api = await startCloudflareApi(simulated.cloudflare);
  return () => api.close();
});
const projectNow = () => simulated.pages.project(ACCOUNT, PROJECT);

describe("the Cloudflare SDK against the simulated Pages", () => {
  const sdk = () => new CloudflareSdk({ apiToken: TOKEN, baseURL: api.baseUrl, maxRetries: 0, logLevel: "off" });
  const account = { account_id: ACCOUNT };

  test("sets the pair, which is live only after a retry of the deployment, and is never shown", async () => {
    const { projects } = sdk().pages;
    const secret = (value: string) => ({ type: "secret_text", value }) as const;
    const env_vars = { [ID]: secret(PAIR.id), [SECRET]: secret("new+secret/") };
    const production = { env_vars, wrangler_config_hash: CONFIG_HASH };
    await projects.edit(PROJECT, { ...account, deployment_configs: { production } });
    expect(pairOnPages(simulated)).toEqual(OLD_PAIR);
    const project = await projects.get(PROJECT, account);
    expect(JSON.stringify(project)).not.toContain(PAIR.id);
    const place = { ...account, project_name: PROJECT };
    const made = await projects.deployments.retry(project.canonical_deployment?.id ?? "", place);
    expect(made.latest_stage).toMatchObject({ name: "build", status: "active" });
    simulated.clock.advance(hours(1));
    expect((await projects.deployments.get(made.id, place)).latest_stage).toMatchObject({
      name: "deploy",
      status: "success",
    });
    expect(pairOnPages(simulated)).toEqual({ id: PAIR.id, secret: "new+secret/" });
  });

  test("a roll-back brings the old pair back, and leaves the project's own values", async () => {
    const destination = createCloudflarePages(PAGES_OPTIONS, pagesAt(api.baseUrl));
    const receipt = await destination.deliver(PAIR, null);
    simulated.clock.advance(hours(1));
    const [first] = projectNow().deployments;
    await sdk().pages.projects.deployments.rollback(first?.id ?? "", { ...account, project_name: PROJECT });
    // Ours was built, and nobody saw it live: it will not be by itself.
    expect([pairOnPages(simulated), await destination.live(receipt)]).toEqual([OLD_PAIR, "failed"]);
    expect(projectNow().configs.production.variables[ID]?.value).toBe(PAIR.id);
  });

  test.for([
    ["a project that does not exist", "absent", {}, 404, 8000007],
    ["a page of a hundred", PROJECT, { per_page: 100 }, 400, 8000024],
  ] as const)("%s is refused", async ([, name, page, status, code]) => {
    const asked = sdk().pages.projects.deployments.list(name, { ...account, ...page });
    await expect(asked).rejects.toMatchObject({ status, errors: [{ code }] });
  });
});

describe("wrangler against the simulated Pages", () => {
  async function wrangler(command: readonly string[], input: string) {
    const folder = await mkdtemp(join(tmpdir(), "keyturn-wrangler-"));
    const asked = ["pages", ...command, "--project-name", PROJECT];
    try {
      return await runWrangler({ baseUrl: api.baseUrl, folder }, asked, input);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  test("secret bulk sets the pair as a delivery does, hash and all, and lists it", async () => {
    const bulk = await wrangler(["secret", "bulk"], JSON.stringify({ [ID]: "AKIANEW", [SECRET]: "by hand" }));
    expect(bulk).toMatchObject({ status: 0 });
    const { variables, hash } = projectNow().configs.production;
    expect([variables[ID]?.value, variables[SECRET]?.value, hash]).toEqual(["AKIANEW", "by hand", CONFIG_HASH]);
    expect(pairOnPages(simulated)).toEqual(OLD_PAIR);
    const list = await wrangler(["secret", "list"], "");
    expect(list).toMatchObject({ status: 0, said: expect.stringContaining(`${SECRET}: Value Encrypted`) });
  });

  test("deployment list shows what a delivery has built", async () => {
    await createCloudflarePages(PAGES_OPTIONS, pagesAt(api.baseUrl)).deliver(PAIR, null);
    const list = await wrangler(["deployment", "list", "--environment", "production"], "");
    expect(list).toMatchObject({ status: 0, said: expect.stringContaining(projectNow().deployments[1]?.id ?? "?") });
  });
});
