import { describe, expect, test } from "vitest";
import { CloudflareWorkerOptions } from "../../src/destinations/cloudflare-worker.ts";
import { accessKeyId } from "../../src/rotation/keys.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { destinationContract } from "../contracts/destination-contract.ts";
import { cloudflareFetch } from "../world/cloudflare-api.ts";
import type { Cloudflare } from "../world/cloudflare.ts";
import {
  ACCOUNT,
  clientFor,
  healthOf,
  simulateWorker,
  WORKER,
  WORKER_OPTIONS,
  workerDestination,
  workerUnderTest,
} from "./worker-under-test.ts";

const BASE = "http://cloudflare.invalid/client/v4";
const PAIR = { id: accessKeyId("AKIANEWNEWNEWNEWNEW1"), secret: new Secret("new-secret") };

const inProcess = (cloudflare: Cloudflare) => clientFor(BASE, { fetch: cloudflareFetch(cloudflare) });

destinationContract("cloudflare-worker, without a socket,", () => {
  const cloudflare = simulateWorker();
  return Promise.resolve(workerUnderTest(cloudflare, inProcess(cloudflare)));
});

destinationContract("cloudflare-worker, staged,", () => {
  const cloudflare = simulateWorker();
  return Promise.resolve(workerUnderTest(cloudflare, inProcess(cloudflare), { ask: healthOf(cloudflare) }));
});

function simulate() {
  const cloudflare = simulateWorker();
  const worker = workerDestination(inProcess(cloudflare));
  const live = (): string => cloudflare.live(ACCOUNT, WORKER)[0]?.id ?? "";
  return { cloudflare, worker, live };
}

describe("a delivery to a Worker", () => {
  test("sets both halves in one version, and leaves code and variables alone", async () => {
    const { cloudflare, worker, live } = simulate();
    const anchor = live();
    const receipt = await worker.deliver(PAIR, anchor);
    const [before, after] = cloudflare.versions(ACCOUNT, WORKER);
    expect(cloudflare.versions(ACCOUNT, WORKER)).toHaveLength(2);
    expect(receipt).toEqual({ anchor, version: after?.id });
    expect(after).toMatchObject({ code: before?.code, plain: before?.plain });
  });

  test("claims no version when somebody deployed after its last look", async () => {
    const { cloudflare, worker, live } = simulate();
    const act = (): void => void cloudflare.deploy(ACCOUNT, WORKER, { code: "theirs" });
    cloudflare.faults.push({ on: "write", kind: "meanwhile", act });
    const receipt = await worker.deliver(PAIR, live());
    expect(receipt.version).toBeNull();
    expect(cloudflare.live(ACCOUNT, WORKER)[0]).toMatchObject({ number: 3, code: "theirs" });
    expect(await worker.live(receipt)).toBe("foreign");
  });

  test("says Conflict when somebody uploads a preview between its look and its write", async () => {
    const { cloudflare, worker, live } = simulate();
    const anchor = live();
    const act = (): void => void cloudflare.upload(ACCOUNT, WORKER, { code: "unreleased" });
    cloudflare.faults.push({ on: "write", kind: "meanwhile", act });
    await expect(worker.deliver(PAIR, anchor)).rejects.toMatchObject({ code: "Conflict" });
    expect(live()).toBe(anchor);
  });

  test("leaves a canary alone that began after the pre-flight", async () => {
    const cloudflare = simulateWorker({ editDuringGradual: "collapses" });
    const worker = workerDestination(inProcess(cloudflare));
    const anchor = cloudflare.live(ACCOUNT, WORKER)[0]?.id ?? "";
    const canary = { versionId: cloudflare.upload(ACCOUNT, WORKER).id, percentage: 10 };
    const shares = [{ versionId: anchor, percentage: 90 }, canary];
    cloudflare.createDeployment(ACCOUNT, WORKER, { shares, isForced: false });
    await expect(worker.deliver(PAIR, anchor)).rejects.toMatchObject({ code: "Conflict" });
    expect(cloudflare.deployments(ACCOUNT, WORKER)[0]).toMatchObject({ shares });
  });

  test("is blocked where a secret is a key object, not text", async () => {
    const { cloudflare } = simulate();
    const keys = Object.values(WORKER_OPTIONS.secrets).map((name) => ({
      name,
      type: "secret_key",
    }));
    const list = () => Promise.resolve(keys);
    const client = { ...inProcess(cloudflare), secrets: list, bindings: list };
    const preflight = await workerDestination(client).preflight();
    expect(preflight).toMatchObject({
      kind: "blocked",
      because: expect.stringMatching("secret_key"),
    });
  });

  test("counts as made, without a version, when it cannot be read back", async () => {
    const { cloudflare, worker, live } = simulate();
    const down = { on: "read", kind: "failed", status: 502, hasEffect: false } as const;
    const act = (): void => void cloudflare.faults.push(down, down, down);
    cloudflare.faults.push({ on: "write", kind: "meanwhile", act });
    const receipt = await worker.deliver(PAIR, live());
    expect(receipt.version).toBeNull();
    expect(cloudflare.live(ACCOUNT, WORKER)[0]?.secrets).toMatchObject({
      LAMBDA_AWS_SECRET_ACCESS_KEY: "new-secret",
    });
  });
});

describe("what is live on a Worker", () => {
  test("is previous while a part of the traffic still goes to the version before ours", async () => {
    const { cloudflare, worker, live } = simulate();
    const anchor = live();
    const receipt = await worker.deliver(PAIR, anchor);
    const shares = [
      { versionId: anchor, percentage: 5 },
      { versionId: live(), percentage: 95 },
    ];
    cloudflare.createDeployment(ACCOUNT, WORKER, { shares, isForced: true });
    expect(await worker.live(receipt)).toBe("previous");
  });

  test("is previous when a version older than our anchor is brought back", async () => {
    const { cloudflare, worker, live } = simulate();
    const oldest = live();
    for (let made = 1; made <= 20; made += 1) cloudflare.deploy(ACCOUNT, WORKER);
    const receipt = await worker.deliver(PAIR, live());
    const shares = [{ versionId: oldest, percentage: 100 }];
    cloudflare.createDeployment(ACCOUNT, WORKER, { shares, isForced: true });
    expect(await worker.live(receipt)).toBe("previous");
  });

  test("names the versions that can be brought back with an older pair, previews among them", async () => {
    const { cloudflare, worker, live } = simulate();
    cloudflare.upload(ACCOUNT, WORKER, { code: "preview" });
    cloudflare.deploy(ACCOUNT, WORKER, { code: "released" });
    const receipt = await worker.deliver(PAIR, live());
    cloudflare.deploy(ACCOUNT, WORKER, { code: "after ours" });
    expect(await worker.kept?.(receipt)).toMatch(/^versions 1 to 3 with an older pair, and so do their previews/);
    expect(await worker.kept?.({ ...receipt, version: null })).toMatch(/^versions 1 to 3 /);
    expect(await worker.kept?.(null)).toBeNull();
  });

  test("is ours when another version stands by at 0 %", async () => {
    const { cloudflare, worker, live } = simulate();
    const receipt = await worker.deliver(PAIR, live());
    const shares = [
      { versionId: live(), percentage: 100 },
      { versionId: cloudflare.upload(ACCOUNT, WORKER).id, percentage: 0 },
    ];
    cloudflare.createDeployment(ACCOUNT, WORKER, { shares, isForced: false });
    expect(await worker.live(receipt)).toBe("ours");
  });
});

describe("the options of a Worker", () => {
  test.for([
    ["an account id of another length", { accountId: "0123" }],
    ["a name with a slash", { worker: "a/b" }],
    ["a name in capitals", { worker: "Api" }],
    ["one name for both halves", { secrets: { accessKeyId: "A", secretAccessKey: "A" } }],
    ["a token kept among the custody secrets", { apiToken: "keyturn/deploy" }],
    ["a setting that does not exist", { stage: "staging" }],
    ["a health route in the clear", { health: { url: "http://example.com/health", token: "health" } }],
    ["a health route without a token", { health: { url: "https://example.com/health" } }],
    ["a health token kept among the custody secrets", { health: { url: "https://a.example", token: "keyturn/x" } }],
  ] as const)("refuse %s", ([, change]) => {
    expect(CloudflareWorkerOptions.safeParse(WORKER_OPTIONS).success).toBe(true);
    expect(CloudflareWorkerOptions.safeParse({ ...WORKER_OPTIONS, ...change }).success).toBe(false);
  });

  test("say whether there is a health route", () => {
    const health = { url: "https://example.com/health", token: "matchmaking-health" };
    expect(CloudflareWorkerOptions.safeParse({ ...WORKER_OPTIONS, health }).success).toBe(true);
    const { cloudflare, worker } = simulate();
    expect(worker.health).toBeUndefined();
    expect(workerDestination(inProcess(cloudflare), healthOf(cloudflare)).health).toBeTypeOf("function");
  });

  test("name the Worker, and a slot for each secret", () => {
    const { worker } = simulate();
    expect(worker.name).toBe("cloudflare-worker:matchmaking");
    expect(worker.slots).toEqual([
      `cloudflare-worker:${ACCOUNT}/matchmaking/LAMBDA_AWS_ACCESS_KEY_ID`,
      `cloudflare-worker:${ACCOUNT}/matchmaking/LAMBDA_AWS_SECRET_ACCESS_KEY`,
    ]);
  });
});
