import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { accessKeyId } from "../../src/rotation/keys.ts";
import { Secret } from "../../src/rotation/secret.ts";
import {
  ACCOUNT,
  clientFor,
  ID,
  SECRET,
  simulateWorker,
  WORKER,
  workerDestination,
} from "../destinations/worker-under-test.ts";
import { cloudflareFetch } from "../world/cloudflare-api.ts";
import { type Edge, startEdge } from "../world/edge.ts";
import { parseAuthorization, type RawRequest, signerOf } from "../world/wire/signature.ts";

const PAIRS: Readonly<Record<string, string>> = {
  AKIAOLDOLDOLDOLDOLD1: "old-secret",
  AKIANEWNEWNEWNEWNEW2: "new-secret",
};
const NEW_ID = "AKIANEWNEWNEWNEWNEW2";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** A Worker at the edge, and an AWS that waits for `before` with each answer. */
async function startWorker(before: () => Promise<void> = () => Promise.resolve()) {
  const endpoint = await startVerifier(before);
  const cloudflare = simulateWorker();
  const edge = await startEdge(cloudflare, {
    account: ACCOUNT,
    workers: {
      [WORKER]: {
        scriptPath: "test/world/workers/matchmaking.js",
        bindings: { AWS_ENDPOINT: endpoint },
      },
    },
  });
  closing.push(() => edge.close());
  return { cloudflare, edge };
}

describe("a live Worker", () => {
  test("fails while two single puts tear its pair", async () => {
    const { cloudflare, edge } = await startWorker();
    const callers = callSteadily(edge);
    cloudflare.changeSecrets(ACCOUNT, WORKER, { [ID]: NEW_ID });
    cloudflare.changeSecrets(ACCOUNT, WORKER, { [SECRET]: "new-secret" });
    await edge.settled();
    const seen = await callers.stop();
    expect(seen.filter((call) => call.code === "SignatureDoesNotMatch").length).toBeGreaterThan(0);
    expect(seen.at(-1)).toMatchObject({ ok: true, keyId: "NEW2" });
  });

  test("never fails while Keyturn delivers, and the old version is stopped", async () => {
    const { cloudflare, edge } = await startWorker();
    const client = clientFor("http://cloudflare.invalid/client/v4", {
      fetch: cloudflareFetch(cloudflare),
    });
    const callers = callSteadily(edge);
    const worker = workerDestination(client);
    const pair = { id: accessKeyId(NEW_ID), secret: new Secret("new-secret") };
    await worker.deliver(pair, cloudflare.live(ACCOUNT, WORKER)[0]?.id ?? null);
    await edge.settled();
    const seen = await callers.stop();
    expect(seen.filter((call) => !call.ok)).toEqual([]);
    expect(new Set(seen.map((call) => call.keyId))).toEqual(new Set(["OLD1", "NEW2"]));
    expect(edge.running()).toBe(1);
  });

  test("ends a request on the version that it began with", async () => {
    const reached = Promise.withResolvers<null>();
    const opened = Promise.withResolvers<null>();
    const before = async (): Promise<void> => {
      reached.resolve(null);
      await opened.promise;
    };
    const { cloudflare, edge } = await startWorker(before);
    const slow = call(edge);
    await reached.promise;
    cloudflare.changeSecrets(ACCOUNT, WORKER, { [ID]: NEW_ID, [SECRET]: "new-secret" });
    await edge.settled();
    expect(edge.running()).toBe(2);
    opened.resolve(null);
    expect(await slow).toMatchObject({ ok: true, keyId: "OLD1" });
    expect(await call(edge)).toMatchObject({ ok: true, keyId: "NEW2" });
  });

  test("answers from a version at 0 % when a header asks for it, and shares as deployed", async () => {
    const { cloudflare, edge } = await startWorker();
    const old = cloudflare.live(ACCOUNT, WORKER)[0]?.id ?? "";
    const staged = cloudflare.upload(ACCOUNT, WORKER, {
      secrets: { [ID]: NEW_ID, [SECRET]: "new-secret" },
    });
    const deploy = (percentage: number) => {
      const shares = [
        { versionId: old, percentage: 100 - percentage },
        { versionId: staged.id, percentage },
      ];
      cloudflare.createDeployment(ACCOUNT, WORKER, { shares, isForced: true });
      return edge.settled();
    };
    await deploy(0);
    const override = { "cloudflare-workers-version-overrides": `${WORKER}="${staged.id}"` };
    expect(await call(edge, override)).toMatchObject({ ok: true, keyId: "NEW2" });
    expect(await call(edge)).toMatchObject({ ok: true, keyId: "OLD1" });
    await deploy(50);
    const calls = await Promise.all(Array.from({ length: 100 }, () => call(edge)));
    expect(calls.filter(({ keyId }) => keyId === "NEW2")).toHaveLength(50);
  });
});

interface Call {
  readonly ok: boolean;
  readonly code: string | null;
  readonly keyId: string;
}

async function call(edge: Edge, headers: Readonly<Record<string, string>> = {}, worker = WORKER): Promise<Call> {
  const response = await globalThis.fetch(edge.url(worker), { headers });
  return (await response.json()) as Call;
}

/** Two callers that never pause. After `stop` each makes ten more calls, so that the last state is seen. */
function callSteadily(edge: Edge) {
  const state = { isStopped: false };
  const seen: Call[] = [];
  const one = async (): Promise<void> => {
    for (let left = 10; left > 0; left -= state.isStopped ? 1 : 0) seen.push(await call(edge));
  };
  const both = Promise.all([one(), one()]);
  return {
    async stop() {
      state.isStopped = true;
      await both;
      return seen;
    },
  };
}

test("the Worker that administers a user pool signs its calls, and tells AWS's error code", async () => {
  const endpoint = await startVerifier(() => Promise.resolve());
  const cloudflare = simulateWorker();
  const secrets = {
    AWS_ACCESS_KEY_ID: "AKIAOLDOLDOLDOLDOLD1",
    AWS_SECRET_ACCESS_KEY: "old-secret",
  };
  cloudflare.deploy(ACCOUNT, "cognito-admin", { plain: { AWS_ENDPOINT: endpoint }, secrets });
  const scriptPath = "test/world/workers/cognito-admin.js";
  const edge = await startEdge(cloudflare, {
    account: ACCOUNT,
    workers: { "cognito-admin": { scriptPath } },
  });
  closing.push(() => edge.close());
  expect(await call(edge, {}, "cognito-admin")).toMatchObject({ ok: true, keyId: "OLD1" });
  cloudflare.changeSecrets(ACCOUNT, "cognito-admin", { AWS_SECRET_ACCESS_KEY: "wrong" });
  await edge.settled();
  expect(await call(edge, {}, "cognito-admin")).toEqual({
    ok: false,
    status: 403,
    code: "SignatureDoesNotMatch",
    keyId: "OLD1",
  });
});

/** An AWS that only checks that id and secret belong together: the signature, made anew. */
async function startVerifier(before: () => Promise<void>): Promise<string> {
  const server = createServer((request, response) => {
    void buffer(request).then(async (body) => {
      await before();
      const { method = "", url = "", headers } = request;
      const isRight = isSignedRight({ method, url, headers, body });
      response.writeHead(isRight ? 200 : 403, {
        "x-amzn-errortype": isRight ? "" : "SignatureDoesNotMatch:",
      });
      response.end("{}");
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closing.push(() => new Promise((done) => server.close(done)));
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

function isSignedRight(request: RawRequest): boolean {
  const authorization = parseAuthorization(request.headers.authorization);
  if (authorization === null) return false;
  return signerOf(request, authorization).isMadeWith(PAIRS[authorization.keyId] ?? "");
}
