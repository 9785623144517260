import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import CloudflareSdk from "cloudflare";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ACCOUNT, ID, SECRET, simulateWorker, TOKEN, WORKER } from "../destinations/worker-under-test.ts";
import { startCloudflareApi } from "../world/wire/cloudflare-handler.ts";
import { wrangler as runWrangler } from "./wrangler.ts";

let cloudflare = simulateWorker();
let api: Awaited<ReturnType<typeof startCloudflareApi>>;
beforeEach(async () => {
  cloudflare = simulateWorker();
  api = await startCloudflareApi(cloudflare);
  return () => api.close();
});

const versions = () => cloudflare.versions(ACCOUNT, WORKER);
const liveSecrets = () => cloudflare.live(ACCOUNT, WORKER)[0]?.secrets;

describe("wrangler against the simulated Cloudflare", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "keyturn-wrangler-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const wrangler = (command: readonly string[], input: string) =>
    runWrangler({ baseUrl: api.baseUrl, folder }, [...command, "--name", WORKER], input);

  test("secret bulk sets the pair in one version, and lists it", async () => {
    const pair = JSON.stringify({ [ID]: "AKIANEW", [SECRET]: "new+secret/" });
    const bulk = await wrangler(["secret", "bulk"], pair);
    expect(bulk).toMatchObject({ status: 0 });
    expect(versions()).toHaveLength(2);
    expect(liveSecrets()).toEqual({ [ID]: "AKIANEW", [SECRET]: "new+secret/" });

    const list = await wrangler(["secret", "list"], "");
    expect(JSON.parse(list.said)).toEqual([ID, SECRET].map((name) => ({ name, type: "secret_text" })));
  });

  test("secret put sets one half, and is refused while the newest version is not live", async () => {
    const put = await wrangler(["secret", "put", ID], "AKIANEW");
    expect(put).toMatchObject({ status: 0 });
    expect(liveSecrets()).toMatchObject({ [ID]: "AKIANEW", [SECRET]: "old-secret" });

    cloudflare.upload(ACCOUNT, WORKER, { code: "unreleased" });
    const refused = await wrangler(["secret", "put", SECRET], "new-secret");
    expect(refused.status).toBe(1);
    expect(refused.said).toMatch(/10215|latest version/);
    expect(liveSecrets()).toMatchObject({ [SECRET]: "old-secret" });
    expect(await everythingIn(folder)).not.toContain("new-secret");
  });

  test("versions secret bulk stages the pair, and versions deploy puts it beside the live version, and then live", async () => {
    const pair = JSON.stringify({ [ID]: "AKIANEW", [SECRET]: "new" });
    const bulk = await wrangler(["versions", "secret", "bulk", "--tag", "staged", "--message", "by hand"], pair);
    expect(bulk).toMatchObject({ status: 0 });
    expect(versions()[1]).toMatchObject({ number: 2, annotations: { "workers/tag": "staged" } });
    expect(versions()[1]?.secrets).toEqual({ [ID]: "AKIANEW", [SECRET]: "new" });
    expect(liveSecrets()).toMatchObject({ [ID]: "AKIAOLDOLDOLDOLDOLD1" });

    const [old = "", staged = ""] = versions().map(({ id }) => id);
    const beside = await wrangler(["versions", "deploy", `${old}@100`, `${staged}@0`, "-y"], "");
    expect(beside).toMatchObject({ status: 0 });
    const shares = (of: string, percentage: number) => ({ versionId: of, percentage });
    expect(cloudflare.deployments(ACCOUNT, WORKER)[0]).toMatchObject({ shares: [shares(old, 100), shares(staged, 0)] });
    const wholly = await wrangler(["versions", "deploy", `${staged}@100`, "-y"], "");
    expect(wholly).toMatchObject({ status: 0 });
    expect(liveSecrets()).toMatchObject({ [ID]: "AKIANEW" });
  });

  test("versions deploy does not go back past changed secrets, and rollback does, by force", async () => {
    const before = versions()[0]?.id ?? "";
    cloudflare.changeSecrets(ACCOUNT, WORKER, { [ID]: "AKIANEW" });
    const back = await wrangler(["versions", "deploy", `${before}@100`, "-y"], "");
    expect(back).toMatchObject({ status: 1, said: expect.stringContaining("10220") });
    // Where nobody can be asked, wrangler says yes to its own question, and repeats its request with force.
    const rollback = await wrangler(["rollback", before, "--message", "back", "-y"], "");
    expect(rollback).toMatchObject({ status: 0, said: expect.stringContaining(ID) });
    expect(liveSecrets()).toMatchObject({ [ID]: "AKIAOLDOLDOLDOLDOLD1" });
  });
});

describe("the Cloudflare SDK against the simulated Cloudflare", () => {
  const sdk = () => new CloudflareSdk({ apiToken: TOKEN, baseURL: api.baseUrl, maxRetries: 0, logLevel: "off" });
  const params = { account_id: ACCOUNT };
  const secret = (name: string, value: string) => ({ name, text: value, type: "secret_text" }) as const;

  test("bulkUpdate sets the pair, and deployments, versions and bindings can be read", async () => {
    const { scripts } = sdk().workers;
    const secrets = { [ID]: secret(ID, "AKIANEW"), [SECRET]: secret(SECRET, "new") };
    expect(await scripts.secrets.bulkUpdate(WORKER, { ...params, secrets })).toMatchObject({
      [SECRET]: { name: SECRET, type: "secret_text" },
    });
    const listed = await scripts.deployments.list(WORKER, params);
    const newest = versions().at(-1);
    const live = [{ version_id: newest?.id, percentage: 100 }];
    expect(listed.result).toMatchObject({ deployments: [{ versions: live }, {}] });
    const version = await scripts.versions.get(newest?.id ?? "", {
      ...params,
      script_name: WORKER,
    });
    expect(version).toMatchObject({ number: 2 });
    expect(JSON.stringify(version.resources.bindings)).not.toContain("AKIANEW");
  });

  test("a roll-back past changed secrets is refused, and done by force", async () => {
    const { scripts } = sdk().workers;
    const before = versions()[0]?.id ?? "";
    cloudflare.changeSecrets(ACCOUNT, WORKER, { [ID]: "AKIANEW" });
    const plan = {
      ...params,
      strategy: "percentage" as const,
      versions: [{ version_id: before, percentage: 100 }],
    };
    await expect(scripts.deployments.create(WORKER, plan)).rejects.toMatchObject({
      status: 400,
      errors: [{ code: 10220 }],
    });
    await scripts.deployments.create(WORKER, { ...plan, force: true });
    expect(liveSecrets()).toMatchObject({ [ID]: "AKIAOLDOLDOLDOLDOLD1" });
  });

  test.for([
    ["a Worker that does not exist", "absent", TOKEN, 404, 10007],
    ["a token for another Worker", "another", TOKEN, 403, 10000],
    ["a token that nobody knows", WORKER, "unknown", 403, 9109],
  ] as const)("%s is refused", async ([, script, apiToken, status, code]) => {
    cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: [WORKER, "absent"], status: "active" });
    const asked = sdk().withOptions({ apiToken }).workers.scripts.secrets.list(script, params);
    await expect(asked).rejects.toMatchObject({ status, errors: [{ code }] });
  });
});

/** The text of every file below a folder: wrangler's logs and caches. */
async function everythingIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = files.map((file) => readFile(join(file.parentPath, file.name), "utf8"));
  return (await Promise.all(texts)).join("\n");
}
