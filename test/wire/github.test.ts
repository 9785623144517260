import { generateKeyPairSync } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { Octokit } from "@octokit/core";
import sodium from "libsodium-wrappers";
import { describe, expect, test } from "vitest";
import type { GitHubClient, GitHubOptions } from "../../src/cloud/github.ts";
import { createGitHubActions } from "../../src/destinations/github-actions.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { instant, minutes } from "../../src/rotation/time.ts";
import { destinationContract } from "../contracts/destination-contract.ts";
import {
  ENVIRONMENT,
  GITHUB,
  GITHUB_TOKEN,
  githubAt,
  githubUnderTest,
  githubWithSecrets,
  pairOf,
  REPOSITORY,
} from "../destinations/github-under-test.ts";
import { PAIR, QUICK } from "../destinations/worker-under-test.ts";
import type { GitHub } from "../world/github.ts";
import { startGitHubApi } from "../world/wire/github-handler.ts";

const NEW = { id: PAIR.id, secret: PAIR.secret.reveal() };

for (const [name, options] of Object.entries(GITHUB)) {
  destinationContract(`github-actions (${name}), over HTTP,`, async () => {
    const github = await githubWithSecrets();
    const api = await startGitHubApi(github);
    return githubUnderTest(github, options, { client: githubAt(api.baseUrl, options), close: () => api.close() });
  });
}

async function served(body: (github: GitHub, baseUrl: string) => Promise<void>): Promise<void> {
  const github = await githubWithSecrets();
  const api = await startGitHubApi(github);
  try {
    await body(github, api.baseUrl);
  } finally {
    await api.close();
  }
}

describe("the simulated GitHub serves Octokit", () => {
  const repo = { owner: "octo", repo: "ai-math-tutor" };
  const octokit = (baseUrl: string, auth = GITHUB_TOKEN) =>
    new Octokit({ auth, baseUrl, request: { headers: {} }, log: { ...console, error: () => undefined } });
  const sealed = async (text: string, key: string): Promise<string> => {
    await sodium.ready;
    const box = sodium.crypto_box_seal(text, sodium.from_base64(key, sodium.base64_variants.ORIGINAL));
    return sodium.to_base64(box, sodium.base64_variants.ORIGINAL);
  };

  test("which sets a repository's secret by libsodium, and reads no value back", async () => {
    await served(async (github, baseUrl) => {
      const { request } = octokit(baseUrl);
      const { data: key } = await request("GET /repos/{owner}/{repo}/actions/secrets/public-key", repo);
      const encrypted_value = await sealed("by Octokit", key.key);
      const named = { ...repo, secret_name: "OTHER", encrypted_value, key_id: key.key_id };
      expect((await request("PUT /repos/{owner}/{repo}/actions/secrets/{secret_name}", named)).status).toBe(204);
      expect(github.startRun(REPOSITORY)["OTHER"]).toBe("by Octokit");
      const made = { ...named, secret_name: "NEW_ONE" };
      expect((await request("PUT /repos/{owner}/{repo}/actions/secrets/{secret_name}", made)).status).toBe(201);
      const { data } = await request("GET /repos/{owner}/{repo}/actions/secrets", repo);
      expect(data.total_count).toBe(5);
      expect(JSON.stringify(data)).not.toContain("by Octokit");
      const wrong = { ...named, key_id: "1" };
      await expect(request("PUT /repos/{owner}/{repo}/actions/secrets/{secret_name}", wrong)).rejects.toMatchObject({
        status: 422,
      });
    });
  });

  test("which sets an environment's and an organization's", async () => {
    await served(async (github, baseUrl) => {
      const { request } = octokit(baseUrl);
      const place = { ...repo, environment_name: ENVIRONMENT };
      const path = "/repos/{owner}/{repo}/environments/{environment_name}/secrets";
      const { data: key } = await request(`GET ${path}/public-key` as const, place);
      const value = await sealed("of the environment", key.key);
      const named = { ...place, secret_name: "OTHER", encrypted_value: value, key_id: key.key_id };
      await request(`PUT ${path}/{secret_name}` as const, named);
      expect(github.startRun(REPOSITORY, ENVIRONMENT)["OTHER"]).toBe("of the environment");
      expect(github.startRun(REPOSITORY)["OTHER"]).toBe("theirs");
      const { data: theirs } = await request("GET /orgs/{org}/actions/secrets/public-key", { org: "octo" });
      const text = await sealed("of all", theirs.key);
      const all = { org: "octo", secret_name: "ALL", encrypted_value: text, key_id: theirs.key_id } as const;
      await request("PUT /orgs/{org}/actions/secrets/{secret_name}", { ...all, visibility: "all" });
      expect(github.startRun(REPOSITORY)["ALL"]).toBe("of all");
    });
  });

  test("and refuses it what it refuses us", async () => {
    await served(async (_, baseUrl) => {
      const secret = { ...repo, secret_name: "NONE" };
      const path = "GET /repos/{owner}/{repo}/actions/secrets/{secret_name}";
      await expect(octokit(baseUrl).request(path, secret)).rejects.toMatchObject({ status: 404 });
      await expect(octokit(baseUrl, "none").request(path, secret)).rejects.toMatchObject({ status: 401 });
    });
  });

  test("whose change is foreign to a delivery of ours", async () => {
    await served(async (_, baseUrl) => {
      const destination = createGitHubActions(GITHUB.json, githubAt(baseUrl, GITHUB.json), QUICK);
      const receipt = await destination.deliver(PAIR, null);
      const { request } = octokit(baseUrl);
      const { data: key } = await request("GET /repos/{owner}/{repo}/actions/secrets/public-key", repo);
      const encrypted_value = await sealed("theirs", key.key);
      const theirs = { ...repo, secret_name: "AWS_CREDENTIALS", encrypted_value, key_id: key.key_id };
      await request("PUT /repos/{owner}/{repo}/actions/secrets/{secret_name}", theirs);
      expect(await destination.live(receipt)).toBe("foreign");
    });
  });
});

describe("a GitHub App", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  const app = (more: object = {}) =>
    Promise.resolve(new Secret(JSON.stringify({ appId: 12_345, installationId: "77", privateKey, ...more })));
  const rights = { secrets: "write", environments: "write", organization_secrets: "write" } as const;
  const install = (github: GitHub) =>
    github.addInstallation("77", { appId: "12345", publicKey, rights, sees: ["octo", REPOSITORY, "octo/secret"] });
  const clock = (github: GitHub) => ({ sleep: () => Promise.resolve(), now: () => instant(github.clock.now()) });

  test.for(Object.entries(GITHUB))(
    "delivers with a token of an hour for %s, and no right that it does not need",
    async ([, options]) => {
      await served(async (github, baseUrl) => {
        install(github);
        const granted: unknown[] = [];
        const grant = github.grant.bind(github);
        github.grant = (id, asked) => {
          granted.push(asked);
          return grant(id, asked);
        };
        const client = githubAt(baseUrl, options, { readToken: () => app(), clock: clock(github) });
        await createGitHubActions(options, client, QUICK).deliver(PAIR, null);
        const right = {
          json: "secrets",
          halves: "secrets",
          environment: "environments",
          organization: "organization_secrets",
        };
        const [name = "json"] = Object.entries(GITHUB).find(([, one]) => one === options) ?? [];
        const wanted = { metadata: "read", [right[name as keyof typeof right]]: "write" };
        const sees = name === "organization" ? ["octo", REPOSITORY, "octo/secret"] : [REPOSITORY];
        expect(granted).toEqual([{ rights: wanted, sees }]);
      });
    },
  );

  test("asks for another when its token is over", async () => {
    await served(async (github, baseUrl) => {
      install(github);
      const client = githubAt(baseUrl, GITHUB.json, { readToken: () => app(), clock: clock(github) });
      await client.find("OTHER");
      const laterMs = github.clock.now() + minutes(61);
      github.clock.now = () => laterMs;
      expect((await client.find("OTHER")).name).toBe("OTHER");
    });
  });

  test.for([
    ["another app's key", { appId: "1" }, "Denied"],
    ["another installation", { installationId: "1" }, "NotFound"],
    ["no key in PEM", { privateKey: "a secret that is no key" }, "Misconfigured"],
    ["no private key", { privateKey: undefined }, "Misconfigured"],
  ] as const)("is refused with %s, and shows nothing of the key", async ([, more, code]) => {
    await served(async (github, baseUrl) => {
      install(github);
      const client = githubAt(baseUrl, GITHUB.json, { readToken: () => app(more), clock: clock(github) });
      const error = await failureOf(client.find("OTHER"));
      expect(error.code).toBe(code);
      expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/PRIVATE KEY|a secret that/);
    });
  });

  test("that was not granted a repository is told so", async () => {
    await served(async (github, baseUrl) => {
      github.addInstallation("77", { appId: "12345", publicKey, rights: { secrets: "read" }, sees: [REPOSITORY] });
      const client = githubAt(baseUrl, GITHUB.json, { readToken: () => app(), clock: clock(github) });
      expect(await failureOf(client.find("OTHER"))).toMatchObject({
        code: "Misconfigured",
        message: expect.stringContaining("the app's installation"),
      });
    });
  });
});

describe("a token", () => {
  test("is read again once when GitHub refuses it, and not a third time", async () => {
    await served(async (_, baseUrl) => {
      const tokens = ["old", GITHUB_TOKEN];
      const client = githubAt(baseUrl, GITHUB.json, {
        readToken: () => Promise.resolve(new Secret(tokens.shift() ?? "")),
      });
      expect((await client.find("OTHER")).name).toBe("OTHER");
      const wrong = ["old", "older", GITHUB_TOKEN];
      const other = githubAt(baseUrl, GITHUB.json, {
        readToken: () => Promise.resolve(new Secret(wrong.shift() ?? "")),
      });
      expect((await failureOf(other.find("OTHER"))).code).toBe("Denied");
    });
  });

  test("with white space never travels", async () => {
    const readToken = () => Promise.resolve(new Secret("github_pat_0 1"));
    const error = await failureOf(githubAt("http://github.invalid", GITHUB.json, { readToken }).find("OTHER"));
    expect(error).toMatchObject({ code: "Misconfigured", message: expect.not.stringContaining("pat_0") });
  });

  test("without the right is told the right that GitHub wants", async () => {
    await served(async (github, baseUrl) => {
      github.setToken(GITHUB_TOKEN, { rights: {}, sees: [REPOSITORY] });
      expect(await failureOf(githubAt(baseUrl, GITHUB.json).find("OTHER"))).toMatchObject({
        code: "Denied",
        message: expect.stringContaining("secrets=read"),
      });
    });
  });
});

describe("what GitHub may answer", () => {
  const deliver = (client: GitHubClient) => createGitHubActions(GITHUB.json, client, QUICK).deliver(PAIR, null);

  test("a repository that was renamed is an operator's to name anew, and nobody is followed with the pair", async () => {
    await served(async (github, baseUrl) => {
      github.rename(REPOSITORY, "octo/renamed");
      expect(await failureOf(deliver(githubAt(baseUrl, GITHUB.json)))).toMatchObject({
        code: "Misconfigured",
        message: expect.stringContaining("renamed or moved"),
      });
    });
  });

  test("the end of the hour's limit is told by GitHub's own clock", async () => {
    await served(async (github, baseUrl) => {
      github.spend(GITHUB_TOKEN, 5_000);
      const error = await failureOf(githubAt(baseUrl, GITHUB.json).find("OTHER"));
      expect(error.code).toBe("Throttled");
      expect(error.retryAfterMs).toBeGreaterThan(minutes(59));
      expect(error.retryAfterMs).toBeLessThan(minutes(61));
    });
  });

  test("a read is asked again after an HTML page and a failure; a page in the place of an answer to a write is unknown", async () => {
    await served(async (github, baseUrl) => {
      const client = githubAt(baseUrl, GITHUB.json);
      github.faults.push({ on: "read", kind: "failed", status: 503, hasEffect: false, times: 2 });
      expect((await client.find("OTHER")).name).toBe("OTHER");
      github.faults.push({ on: "read", kind: "html" });
      expect((await failureOf(client.find("OTHER"))).code).toBe("Unreachable");
      github.faults.push({ on: "write", kind: "html" });
      expect(await failureOf(client.put("OTHER", {}))).toMatchObject({ code: "Unreachable", outcomeUnknown: true });
    });
  });

  type Odd = readonly [string, RequestListener, Partial<RotationError>];
  test.for<Odd>([
    ["no answer", () => undefined, { code: "Unreachable", outcomeUnknown: true }],
    [
      "half an answer",
      (_, answer) => void answer.writeHead(200, { "content-length": "99" }).write("{"),
      { code: "Unreachable", outcomeUnknown: true },
    ],
    [
      "a redirection to another host",
      (_, answer) => void answer.writeHead(307, { location: "http://127.0.0.1:1/" }).end(),
      { code: "Misconfigured", outcomeUnknown: false },
    ],
    [
      "a 200 that is no answer to a write",
      (_, answer) => void answer.writeHead(200).end("{}"),
      { code: "Unreachable", outcomeUnknown: true },
    ],
    [
      "a refusal that quotes what was sent",
      (request, answer) =>
        void request.on("data", (body: Buffer) => answer.writeHead(418).end(`no ${body.toString()}`)),
      { code: "Misconfigured" },
    ],
    [
      "a second limit without a time",
      (_, answer) => void answer.writeHead(429).end("<html>"),
      { code: "Throttled", retryAfterMs: null },
    ],
  ])("%s is said, and shows nothing of what was sent", async ([, listener, expected]) => {
    const server = createServer(listener);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    const client = githubAt(`http://127.0.0.1:${String(port)}`, GITHUB.json, { timeoutMs: 300 });
    const error = await failureOf(client.put("OTHER", { encrypted_value: "sealed-text" }));
    expect(error).toMatchObject(expected);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/sealed-text|github_pat/);
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });

  test("where nobody listens nothing was sent", async () => {
    const api = await startGitHubApi(await githubWithSecrets());
    await api.close();
    const error = await failureOf(githubAt(api.baseUrl, GITHUB.json).put("OTHER", {}));
    expect(error).toMatchObject({ code: "Unreachable", outcomeUnknown: false });
  });

  test("a public key of another length is no key, and nothing is written", async () => {
    const answers = ["not 32 bytes", Buffer.alloc(33).toString("base64")].map((key) =>
      JSON.stringify({ key, key_id: "1" }),
    );
    for (const body of answers) {
      const fetch: GitHubOptions["fetch"] = () => Promise.resolve(new Response(body));
      const error = await failureOf(githubAt("http://github.invalid", GITHUB.json, { fetch }).sealer());
      expect(error.code).toBe("Unreachable");
    }
  });
});

test("a secret that is deleted between the look and the write is made again, under the configured name alone", async () => {
  await served(async (github, baseUrl) => {
    github.faults.push({
      on: "write",
      kind: "meanwhile",
      act: () => github.removeSecret(REPOSITORY, "AWS_CREDENTIALS"),
    });
    await createGitHubActions(GITHUB.json, githubAt(baseUrl, GITHUB.json), QUICK).deliver(PAIR, null);
    expect(pairOf(github, GITHUB.json)).toEqual(NEW);
  });
});

async function failureOf(attempt: Promise<unknown>): Promise<RotationError> {
  const thrown = await attempt.catch((error: unknown) => error);
  if (thrown instanceof RotationError) return thrown;
  throw new Error(`no RotationError, but ${String(thrown)}`);
}
