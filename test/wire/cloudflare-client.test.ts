import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Secret } from "../../src/rotation/secret.ts";
import { destinationContract } from "../contracts/destination-contract.ts";
import {
  ACCOUNT,
  clientFor,
  healthOf,
  SECRET,
  simulateWorker,
  TOKEN,
  WORKER,
  workerUnderTest,
} from "../destinations/worker-under-test.ts";
import type { Fault } from "../world/cloudflare.ts";
import { startCloudflareApi } from "../world/wire/cloudflare-handler.ts";

const NAME = { accountId: ACCOUNT, script: WORKER };
const VALUES = { [SECRET]: new Secret("new+secret") };

/** What was thrown; null when nothing was. */
const failureOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => null,
    (thrown: unknown) => thrown,
  );

destinationContract("cloudflare-worker, over HTTP,", async () => {
  const cloudflare = simulateWorker();
  const api = await startCloudflareApi(cloudflare);
  return workerUnderTest(cloudflare, clientFor(api.baseUrl), { close: () => api.close() });
});

destinationContract("cloudflare-worker, staged over HTTP,", async () => {
  const cloudflare = simulateWorker();
  const api = await startCloudflareApi(cloudflare);
  return workerUnderTest(cloudflare, clientFor(api.baseUrl), {
    ask: healthOf(cloudflare),
    close: () => api.close(),
  });
});

describe("the Cloudflare client", () => {
  let cloudflare = simulateWorker();
  let api: Awaited<ReturnType<typeof startCloudflareApi>>;
  beforeEach(async () => {
    cloudflare = simulateWorker();
    api = await startCloudflareApi(cloudflare);
    return () => api.close();
  });

  const unavailable: Fault = { on: "read", kind: "failed", status: 503, hasEffect: false };

  test("asks a failing read three times in all", async () => {
    cloudflare.faults.push(unavailable, unavailable);
    expect(await clientFor(api.baseUrl).secrets(NAME)).toHaveLength(2);
    cloudflare.faults.push(unavailable, unavailable, unavailable);
    await expect(clientFor(api.baseUrl).secrets(NAME)).rejects.toMatchObject({
      code: "Unreachable",
      outcomeUnknown: false,
    });
  });

  test("waits for a short Retry-After", async () => {
    cloudflare.faults.push({ on: "read", kind: "throttled", retryAfterS: 1 });
    expect(await clientFor(api.baseUrl).secrets(NAME)).toHaveLength(2);
  });

  test("leaves a long Retry-After to the next sweep", async () => {
    cloudflare.faults.push({ on: "read", kind: "throttled", retryAfterS: 60 });
    const error = await failureOf(clientFor(api.baseUrl).secrets(NAME));
    expect(error).toMatchObject({ code: "Throttled", retryAfterMs: 60_000 });
  });

  test.for([
    ["a 503", { kind: "failed", status: 503, hasEffect: true }, true],
    ["a cut line", { kind: "lost", hasEffect: false }, true],
    ["a throttle", { kind: "throttled", retryAfterS: 1 }, false],
    ["a challenge", { kind: "challenge" }, false],
  ] as const)("sends a write once, whatever %s says", async ([, fault, outcomeUnknown]) => {
    cloudflare.faults.push({ on: "write", ...fault });
    const asked = clientFor(api.baseUrl).putSecrets(NAME, VALUES);
    await expect(asked).rejects.toMatchObject({ outcomeUnknown });
    expect(cloudflare.versions(ACCOUNT, WORKER).length).toBeLessThanOrEqual(2);
  });

  test("tells a challenge for browsers from an answer", async () => {
    cloudflare.faults.push({ on: "write", kind: "challenge" });
    const asked = clientFor(api.baseUrl).putSecrets(NAME, VALUES);
    await expect(asked).rejects.toMatchObject({
      code: "Unreachable",
      message: expect.stringContaining("challenge"),
    });
  });

  test("reads the token again, once, when it is refused", async () => {
    const tokens = ["outdated", TOKEN];
    const readToken = () => Promise.resolve(new Secret(tokens.shift() ?? "none"));
    const client = clientFor(api.baseUrl, { readToken });
    await client.putSecrets(NAME, VALUES);
    expect(await client.secrets(NAME)).toHaveLength(2);
    expect(tokens).toEqual([]);
    expect(cloudflare.versions(ACCOUNT, WORKER)).toHaveLength(2);
  });

  test("does not send a token again that was refused and is still the stored one", async () => {
    const sent: unknown[] = [];
    const counting: typeof globalThis.fetch = (...call) => {
      sent.push(call[0]);
      return globalThis.fetch(...call);
    };
    const readToken = () => Promise.resolve(new Secret("outdated"));
    const client = clientFor(api.baseUrl, { readToken, fetch: counting });
    await expect(client.live(NAME)).rejects.toMatchObject({ code: "Denied" });
    expect(sent).toHaveLength(1);
  });

  test("stages a version beside the live one, and deploys it at 0 %, wholly, and back by force alone", async () => {
    const client = clientFor(api.baseUrl);
    await client.stage(NAME, VALUES, "a tag");
    const [old, staged] = await client.versions(NAME).then((all) => all.toSorted((a, b) => a.number - b.number));
    expect(staged).toMatchObject({ number: 2, tag: "a tag" });
    expect(old?.tag).toBeNull();
    const share = (version: typeof old, percentage: number) => ({ versionId: version?.id ?? "", percentage });
    await client.deploy(NAME, [share(old, 100), share(staged, 0)]);
    await client.deploy(NAME, [share(staged, 100)]);
    await expect(client.deploy(NAME, [share(old, 100)])).rejects.toMatchObject({ code: "Conflict" });
    await client.deploy(NAME, [share(old, 100)], true);
    expect((await client.deployments(NAME)).map(({ shares }) => shares)).toEqual([
      [share(old, 100)],
      [share(staged, 100)],
      [share(old, 100), share(staged, 0)],
      [share(old, 100)],
    ]);
  });

  test.for(["stage", "deploy"] as const)("%s is sent once, and its outcome may not be known", async (what) => {
    const client = clientFor(api.baseUrl);
    cloudflare.faults.push({ on: "write", kind: "lost", hasEffect: true });
    const [live] = await client.live(NAME);
    const asked = what === "stage" ? client.stage(NAME, VALUES, "a tag") : client.deploy(NAME, live ? [live] : []);
    const error = await failureOf(asked);
    expect(error).toMatchObject({ code: "Unreachable", outcomeUnknown: true });
    expect(inspect(error)).not.toContain("new+secret");
    expect(cloudflare.versions(ACCOUNT, WORKER).length + cloudflare.deployments(ACCOUNT, WORKER).length).toBe(3);
  });

  test("says of a read whose line is cut that nothing was done", async () => {
    const lost: Fault = { on: "read", kind: "lost", hasEffect: false };
    cloudflare.faults.push(lost, lost, lost);
    const asked = clientFor(api.baseUrl).live(NAME);
    await expect(asked).rejects.toMatchObject({ code: "Unreachable", outcomeUnknown: false });
  });

  test("says Denied of a token for another Worker", async () => {
    cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: ["another"], status: "active" });
    await expect(clientFor(api.baseUrl).live(NAME)).rejects.toMatchObject({ code: "Denied" });
  });

  test("asks again for a token that could not be read", async () => {
    const answers = [() => Promise.reject(new Error("throttled")), () => Promise.resolve(new Secret(TOKEN))];
    const readToken = (): Promise<Secret> => answers.shift()?.() ?? Promise.reject(new Error("none"));
    const client = clientFor(api.baseUrl, { readToken });
    await expect(client.live(NAME)).rejects.toThrow("throttled");
    expect(await client.live(NAME)).toHaveLength(1);
  });

  test("refuses a token with a line end in it without showing it", async () => {
    const readToken = () => Promise.resolve(new Secret(`${TOKEN}\n`));
    const error = await failureOf(clientFor(api.baseUrl, { readToken }).live(NAME));
    expect(error).toMatchObject({ code: "Misconfigured" });
    expect(inspect(error)).not.toContain(TOKEN);
  });

  test("says Unreachable, and that nothing was done, where nobody listens", async () => {
    await api.close();
    const asked = clientFor(api.baseUrl).putSecrets(NAME, VALUES);
    await expect(asked).rejects.toMatchObject({ code: "Unreachable", outcomeUnknown: false });
  });
});

describe("the Cloudflare client, of an answer of its own kind,", () => {
  const answer: { status: number; body: string | null; location?: string } = {
    status: 200,
    body: "",
  };
  const authorizations: unknown[] = [];
  const server = createServer((request, response) => {
    authorizations.push(request.headers.authorization);
    const { status, body, location } = answer;
    response.writeHead(status, location === undefined ? {} : { location });
    if (body !== null) response.end(body);
  });
  const baseUrl = () => `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  beforeAll(() => new Promise<void>((done) => void server.listen(0, "127.0.0.1", done)));
  afterAll(() => void server.close());
  const refusal = (code: number) =>
    JSON.stringify({ success: false, errors: [{ code, message: "new+secret" }], result: null });

  test.for([
    ["success: false in a 200", 200, refusal(10215), "Conflict", false],
    ["a success that is not JSON", 200, "<html>", "Unreachable", true],
    ["success: true in a 400", 400, '{"success":true,"result":{}}', "Misconfigured", false],
    ["10214", 400, refusal(10214), "Conflict", false],
    ["10007", 404, refusal(10007), "NotFound", false],
    ["10090", 404, refusal(10090), "NotFound", false],
    ["10053", 400, refusal(10053), "Misconfigured", false],
    ["10056", 404, refusal(10056), "Misconfigured", false],
    ["10021", 400, refusal(10021), "Bug", false],
    ["100160", 400, refusal(100160), "LimitReached", false],
    ["10000", 403, refusal(10000), "Denied", false],
    ["9106", 400, refusal(9106), "Denied", false],
    ["7003", 404, refusal(7003), "Misconfigured", false],
    ["a bare 401", 401, "", "Denied", false],
    ["an unknown code", 400, refusal(99999), "Misconfigured", false],
    ["a 524", 524, "", "Unreachable", true],
  ] as const)("takes %s for what it is", async ([, status, body, code, outcomeUnknown]) => {
    Object.assign(answer, { status, body });
    const asked = clientFor(baseUrl()).putSecrets(NAME, VALUES);
    const error = await failureOf(asked);
    expect(error).toMatchObject({ code, outcomeUnknown });
    expect(inspect(error)).not.toContain("new+secret");
  });

  test("gives up a silent service in time, and says that the outcome is not known", async () => {
    Object.assign(answer, { status: 200, body: null });
    const asked = clientFor(baseUrl(), { timeoutMs: 50 }).putSecrets(NAME, VALUES);
    expect(await failureOf(asked)).toMatchObject({
      code: "Unreachable",
      outcomeUnknown: true,
      message: expect.stringContaining("no answer in time"),
    });
    server.closeAllConnections();
  });

  test("takes its token nowhere else", async () => {
    authorizations.length = 0;
    Object.assign(answer, { status: 307, body: "", location: `${baseUrl()}/elsewhere` });
    const asked = clientFor(baseUrl()).putSecrets(NAME, VALUES);
    expect(await failureOf(asked)).toMatchObject({ code: "Unreachable" });
    expect(authorizations).toHaveLength(1);
  });
});
