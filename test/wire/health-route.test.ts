import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { HEALTH_TOKEN, type LocalCloud, startLocalCloud } from "../../scripts/local-run/local-cloud.ts";
import { createWorkerHealth } from "../../src/cloud/worker-health.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { Secret } from "../../src/rotation/secret.ts";

const askAt = (url: string, token = HEALTH_TOKEN) =>
  createWorkerHealth({ url, readToken: () => Promise.resolve(new Secret(token)), timeoutMs: 3_000 });

const failureOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => null,
    (error: unknown) => error,
  );

describe("the health route that users paste, in workerd,", () => {
  let local: LocalCloud;
  beforeAll(async () => {
    local = await startLocalCloud();
    local.cloud.lags.deactivationMs = 0;
  });
  afterAll(() => local.close());
  const url = () => `${local.edge.url("matchmaking")}/keyturn-health`;
  const pair = () => local.systems.matchmaking.firstPair;
  const setStatus = (Status: string) => {
    const input = { UserName: local.systems.matchmaking.user, AccessKeyId: pair().keyId, Status };
    local.cloud.callAs(local.cloud.role, { service: "iam", operation: "UpdateAccessKey", input });
  };

  test("names its version and the end of its key id, and what AWS says to the pair", async () => {
    const health = await askAt(url())(null);
    const aws = { authenticated: true, status: 200, code: null };
    expect(health).toEqual({
      versionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      keyId: pair().keyId.slice(-4),
      aws,
      lastSignedAt: null,
    });
  });

  test("keeps no answer in a cache, and shows no more of the pair", async () => {
    const response = await globalThis.fetch(url(), { headers: { authorization: `Bearer ${HEALTH_TOKEN}` } });
    expect(response.headers.get("cache-control")).toBe("no-store");
    const text = await response.text();
    expect(text).not.toContain(pair().keyId);
    expect(text).not.toContain(pair().secret);
  });

  test.for([
    ["no token", {}],
    ["another token", { authorization: "Bearer another" }],
    ["the beginning of the token", { authorization: `Bearer ${HEALTH_TOKEN.slice(0, -1)}` }],
    ["the token without its scheme", { authorization: HEALTH_TOKEN }],
  ] as const)("lets nobody in with %s", async ([, headers]) => {
    const response = await globalThis.fetch(url(), { headers });
    expect(response.status).toBe(401);
    expect(await response.text()).toBe("");
  });

  test("says that AWS refuses a pair, and why", async () => {
    setStatus("Inactive");
    const { aws } = await askAt(url())(null);
    expect(aws).toEqual({ authenticated: false, status: 403, code: "InvalidClientTokenId" });
    setStatus("Active");
  });
});

describe("asking a health route", () => {
  const answer = { status: 200, body: "", headers: {} as Record<string, string> };
  const heard: (string | undefined)[][] = [];
  const server = createServer((request, response) => {
    const { authorization, "cloudflare-workers-version-overrides": override } = request.headers;
    heard.push([authorization, override?.toString()]);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  const url = () => `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/health`;
  beforeAll(() => new Promise<void>((done) => void server.listen(0, "127.0.0.1", done)));
  afterAll(() => void server.close());
  beforeEach(() => void heard.splice(0));
  afterEach(() => void Object.assign(answer, { status: 200, body: "", headers: {} }));

  const aws = { authenticated: true, status: 200, code: null };
  const HEALTH = { versionId: "v2", keyId: "NEW2", aws };

  test("names the version that is to answer, hears when it last signed, and takes what else is said for nothing", async () => {
    answer.body = JSON.stringify({ ...HEALTH, v: 1, lastSignedAt: "2027-01-04T00:00:00Z" });
    expect(await askAt(url())({ script: "api", versionId: "v2" })).toEqual({
      ...HEALTH,
      lastSignedAt: Date.UTC(2027, 0, 4),
    });
    expect(heard).toEqual([[`Bearer ${HEALTH_TOKEN}`, 'api="v2"']]);
  });

  test("knows no time of a signature that is no date", async () => {
    answer.body = JSON.stringify({ ...HEALTH, lastSignedAt: "a while ago" });
    expect(await askAt(url())(null)).toEqual({ ...HEALTH, lastSignedAt: null });
  });

  test("keeps no more of AWS's code than a plain word", async () => {
    answer.body = JSON.stringify({ ...HEALTH, aws: { ...aws, code: "<script>" } });
    expect(await askAt(url())(null)).toEqual(HEALTH);
  });

  test.for([
    ["a refused token", 401, "", "Denied"],
    ["a page instead", 200, "<html>", "Unreachable"],
    ["a whole key id", 200, JSON.stringify({ ...HEALTH, keyId: "AKIANEWNEWNEWNEWNEW2" }), "Unreachable"],
    ["a failure", 503, JSON.stringify(HEALTH), "Unreachable"],
    ["a place elsewhere", 307, "", "Unreachable"],
  ] as const)("says of %s that there is no health", async ([, status, body, code]) => {
    Object.assign(answer, { status, body, headers: { location: "/elsewhere" } });
    const error = await failureOf(askAt(url())(null));
    expect(error).toBeInstanceOf(RotationError);
    expect(error).toMatchObject({ code });
    expect(inspect(error, { depth: 5 })).not.toContain(HEALTH_TOKEN);
    expect(heard).toHaveLength(1);
  });

  test("shows no token that cannot be sent", async () => {
    const error = await failureOf(askAt(url(), "two\nlines")(null));
    expect(error).toMatchObject({ code: "Unreachable" });
    expect(inspect(error, { depth: 5 })).not.toContain("two");
  });
});
