import { type Cloudflare, CloudflareRefusal, type Fault, type WorkerVersion } from "./cloudflare.ts";
import { askPages, PAGES } from "./pages.ts";
import { TOKENS } from "./cloudflare-tokens.ts";
import { askSecretsStore, SECRETS_STORE } from "./secrets-store.ts";

/** One request to the API, its path without the base: "/accounts/…". */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string | null;
  readonly contentType: string | null;
  readonly body: string;
}

/** `lost`: the caller gets no answer, and the line is cut. */
export type ApiReply =
  | { readonly kind: "lost" }
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    };

interface Target {
  readonly account: string;
  readonly script: string;
}

type Route = (cloudflare: Cloudflare, request: ApiRequest, parts: readonly string[]) => unknown;

const VERSIONS_PER_PAGE = 10;
/** Source: Cloudflare Workers, limits of annotations. */
const TAG_BYTES_MAX = 100;

/** The calls of the API that are served. Order matters: the first that matches answers. */
const ROUTES: readonly (readonly [string, RegExp, Route])[] = [
  ["GET", script("secrets"), (cf, _, parts) => secretsOf(cf, target(parts))],
  ["PUT", script("secrets"), putSecret],
  ["GET", script("secrets/([^/]+)"), readSecret],
  ["DELETE", script("secrets/([^/]+)"), deleteSecret],
  ["PATCH", script("secrets-bulk"), patchSecrets],
  ["GET", script("versions"), listVersions],
  ["GET", script("versions/([^/]+)"), readVersion],
  ["GET", script("deployments"), listDeployments],
  ["POST", script("deployments"), postDeployment],
  ["PATCH", /^\/accounts\/([^/]+)\/workers\/workers\/([^/]+)\/versions\/latest$/, stageVersion],
  ["GET", dispatched(""), readDispatched],
  ["GET", dispatched("/secrets"), (cf, _, parts) => secretsOf(cf, dispatchedTarget(parts))],
  ["PATCH", dispatched("/secrets-bulk"), patchDispatched],
  ["GET", SECRETS_STORE, secretsStore],
  ["PATCH", SECRETS_STORE, secretsStore],
  ["GET", PAGES, pages],
  ["PATCH", PAGES, pages],
  ["POST", PAGES, pages],
];

function secretsStore({ secretsStore: store }: Cloudflare, request: ApiRequest): unknown {
  if (store === null) throw new CloudflareRefusal(404, 7003, `Could not route to ${request.path}`);
  return askSecretsStore(store, request);
}

function pages({ pages: simulated }: Cloudflare, request: ApiRequest): unknown {
  if (simulated === null) throw new CloudflareRefusal(404, 7003, `Could not route to ${request.path}`);
  return askPages(simulated, request);
}

/** A script of a dispatch namespace is kept under both names; its newest version is always live. */
function dispatched(path: string): RegExp {
  return new RegExp(`^/accounts/([^/]+)/workers/dispatch/namespaces/([^/]+)/scripts/([^/]+)${path}$`);
}

const dispatchedTarget = ([account = "", namespace = "", name = ""]: readonly string[]): Target => ({
  account,
  script: `${namespace}/${name}`,
});

function readDispatched(cloudflare: Cloudflare, _: ApiRequest, parts: readonly string[]): unknown {
  const { account, script: name } = dispatchedTarget(parts);
  const newest = cloudflare.versions(account, name).at(-1);
  const modified_on = new Date(newest?.createdAt ?? 0).toISOString();
  return { dispatch_namespace: parts[1], modified_on, script: { id: parts[2], etag: newest?.id, modified_on } };
}

function patchDispatched(cloudflare: Cloudflare, request: ApiRequest, parts: readonly string[]): unknown {
  const { account, script: name } = dispatchedTarget(parts);
  return patchSecrets(cloudflare, request, [account, name]);
}

/** Tokens are their account's, whatever Workers they may edit. Without the simulated issuing every token that works is active. */
function apiTokens({ apiTokens: tokens }: Cloudflare, request: ApiRequest, own: string): unknown {
  const [, account, id] = TOKENS.exec(request.path) ?? [];
  if (tokens === null && id === "verify") return { id: "token", status: "active" };
  if (tokens === null) throw new CloudflareRefusal(404, 7003, `Could not route to ${request.path}`);
  if (account !== undefined && account !== own)
    throw new CloudflareRefusal(403, 9109, "Unauthorized to access requested resource");
  return tokens.ask(request, account ?? own, id);
}

function script(path: string): RegExp {
  return new RegExp(`^/accounts/([^/]+)/workers/scripts/([^/]+)/${path}$`);
}

/** Carries out one request, faults included. */
export function answerApi(cloudflare: Cloudflare, request: ApiRequest): ApiReply {
  const fault = takeFault(cloudflare, request.method === "GET" ? "read" : "write");
  if (fault === null) return perform(cloudflare, request);
  switch (fault.kind) {
    case "meanwhile":
      fault.act();
      return perform(cloudflare, request);
    case "throttled": {
      const wait = fault.retryAfterS === null ? {} : { "retry-after": String(fault.retryAfterS) };
      return failure(429, 971, "Please wait and consider throttling your request speed", wait);
    }
    case "challenge":
      return {
        kind: "answered",
        status: 403,
        headers: { "content-type": "text/html", "cf-mitigated": "challenge" },
        body: "<!DOCTYPE html><title>Just a moment...</title>",
      };
    case "failed":
      if (fault.hasEffect) perform(cloudflare, request);
      return failure(fault.status, 10013, "An unknown error has occurred");
    case "lost":
      if (fault.hasEffect) perform(cloudflare, request);
      return { kind: "lost" };
  }
}

function takeFault(cloudflare: Cloudflare, on: Fault["on"]): Fault | null {
  const index = cloudflare.faults.findIndex((fault) => fault.on === on);
  return index === -1 ? null : (cloudflare.faults.splice(index, 1)[0] ?? null);
}

function perform(cloudflare: Cloudflare, request: ApiRequest): ApiReply {
  try {
    const result = dispatch(cloudflare, request);
    const body = { success: true, errors: [], messages: [], result };
    return reply(200, body);
  } catch (error) {
    if (!(error instanceof CloudflareRefusal)) throw error;
    const wait: Record<string, string> = error.status === 429 ? { "retry-after": "300" } : {};
    return failure(error.status, error.code, error.message, wait);
  }
}

function dispatch(cloudflare: Cloudflare, request: ApiRequest): unknown {
  const token = cloudflare.admit(request.token);
  if (TOKENS.test(request.path)) return apiTokens(cloudflare, request, token.account);
  for (const [method, pattern, route] of ROUTES) {
    const parts = request.method === method ? pattern.exec(request.path)?.slice(1) : undefined;
    if (parts === undefined) continue;
    const [account, name] = parts.map(decodeURIComponent);
    if (account !== undefined && !/^[0-9a-f]{32}$/.test(account)) break;
    const isAllowed =
      account === undefined || (token.account === account && (token.scripts?.includes(name ?? "") ?? true));
    if (!isAllowed) throw new CloudflareRefusal(403, 10000, "Authentication error");
    return route(cloudflare, request, parts.map(decodeURIComponent));
  }
  throw new CloudflareRefusal(404, 7003, `Could not route to ${request.path}`);
}

function target(parts: readonly string[]): Target {
  const [account = "", name = ""] = parts;
  return { account, script: name };
}

function secretsOf(cloudflare: Cloudflare, { account, script: name }: Target) {
  const newest = cloudflare.versions(account, name).at(-1);
  return Object.keys(newest?.secrets ?? {}).map((secret) => ({
    name: secret,
    type: "secret_text",
  }));
}

function putSecret(cloudflare: Cloudflare, request: ApiRequest, parts: readonly string[]): unknown {
  const secret = secretIn(json(request));
  const { account, script: name } = target(parts);
  cloudflare.changeSecrets(account, name, { [secret.name]: secret.text });
  return { name: secret.name, type: "secret_text" };
}

function readSecret(cloudflare: Cloudflare, _: ApiRequest, parts: readonly string[]): unknown {
  const found = secretsOf(cloudflare, target(parts)).find((secret) => secret.name === parts[2]);
  if (found === undefined) throw new CloudflareRefusal(404, 10056, "Binding not found");
  return found;
}

function deleteSecret(cloudflare: Cloudflare, request: ApiRequest, parts: readonly string[]): null {
  readSecret(cloudflare, request, parts);
  const { account, script: name } = target(parts);
  cloudflare.changeSecrets(account, name, { [parts[2] ?? ""]: null });
  return null;
}

/** Merge-patch meaning: given is set, null is deleted, absent stays. The answer names what is set, and no version. */
function patchSecrets(cloudflare: Cloudflare, request: ApiRequest, parts: readonly string[]) {
  // wrangler sends merge-patch, the SDK plain JSON; both are taken.
  if (!/^application\/(merge-patch\+)?json/.test(request.contentType ?? "")) {
    throw new CloudflareRefusal(415, 10021, "Unsupported content type");
  }
  const changes = Object.entries(record(record(json(request))["secrets"])).map(([name, value]) => {
    if (value === null) return [name, null] as const;
    const secret = secretIn(value);
    if (secret.name !== name) throw new CloudflareRefusal(400, 10021, "Names do not match");
    return [name, secret.text] as const;
  });
  const { account, script: name } = target(parts);
  cloudflare.changeSecrets(account, name, Object.fromEntries(changes));
  const all = secretsOf(cloudflare, { account, script: name });
  return Object.fromEntries(all.map((secret) => [secret.name, secret]));
}

function listVersions(cloudflare: Cloudflare, request: ApiRequest, parts: readonly string[]) {
  const { account, script: name } = target(parts);
  // Deployable versions come whole, others by page. The size of a page is an assumption.
  const versions =
    request.query.get("deployable") === "true"
      ? cloudflare.deployable(account, name)
      : cloudflare.versions(account, name).slice(-VERSIONS_PER_PAGE);
  return { items: versions.map(describeVersion).toReversed() };
}

function readVersion(cloudflare: Cloudflare, _: ApiRequest, parts: readonly string[]): unknown {
  const { account, script: name } = target(parts);
  const version = cloudflare.versions(account, name).find(({ id }) => id === parts[2]);
  if (version === undefined) throw new CloudflareRefusal(404, 10222, "Version not found");
  const plain = Object.entries(version.plain);
  const bindings = [
    ...plain.map(([variable, text]) => ({ name: variable, type: "plain_text", text })),
    ...Object.keys(version.secrets).map((secret) => ({ name: secret, type: "secret_text" })),
  ];
  const resources = { bindings, script: { etag: version.id }, script_runtime: {} };
  return { ...describeVersion(version), resources };
}

const describeVersion = (version: WorkerVersion) => ({
  id: version.id,
  number: version.number,
  metadata: {
    created_on: new Date(version.createdAt).toISOString(),
    source: version.source,
    author_email: "owner@example.com",
  },
  annotations: version.annotations,
});

function listDeployments(cloudflare: Cloudflare, _: ApiRequest, parts: readonly string[]) {
  const { account, script: name } = target(parts);
  return { deployments: cloudflare.deployments(account, name).map(describeDeployment) };
}

function postDeployment(cloudflare: Cloudflare, request: ApiRequest, parts: readonly string[]) {
  const { account, script: name } = target(parts);
  const versions = record(json(request))["versions"];
  if (!Array.isArray(versions)) throw new CloudflareRefusal(400, 10021, "versions are missing");
  const shares = versions.map((entry: unknown) => ({
    versionId: String(record(entry)["version_id"]),
    percentage: Number(record(entry)["percentage"]),
  }));
  const isForced = request.query.get("force") === "true";
  return describeDeployment(cloudflare.createDeployment(account, name, { shares, isForced }));
}

const describeDeployment = (deployment: ReturnType<Cloudflare["createDeployment"]>) => ({
  id: deployment.id,
  created_on: new Date(deployment.createdAt).toISOString(),
  source: "api",
  strategy: "percentage",
  author_email: "owner@example.com",
  annotations: {},
  versions: deployment.shares.map(({ versionId, percentage }) => ({
    version_id: versionId,
    percentage,
  })),
});

function stageVersion(cloudflare: Cloudflare, request: ApiRequest, parts: readonly string[]) {
  if (request.contentType?.startsWith("application/merge-patch+json") !== true) {
    throw new CloudflareRefusal(415, 10021, "Unsupported content type");
  }
  const { account, script: name } = target(parts);
  const body = record(json(request));
  const secrets = Object.entries(record(body["env"] ?? {})).map(([variable, value]) => {
    if (value === null) return [variable, null] as const;
    return [variable, secretIn({ ...record(value), name: variable }).text] as const;
  });
  const annotations = Object.entries(record(body["annotations"] ?? {})).map(([key, value]) => [key, String(value)]);
  if (annotations.some(([key, value]) => key === "workers/tag" && Buffer.byteLength(value ?? "") > TAG_BYTES_MAX)) {
    throw new CloudflareRefusal(400, 10021, "The tag is too long");
  }
  const change = { secrets: Object.fromEntries(secrets), annotations: Object.fromEntries(annotations) };
  return describeVersion(cloudflare.stage(account, name, change));
}

function secretIn(value: unknown): { readonly name: string; readonly text: string } {
  const { name, text, type } = record(value);
  if (typeof name === "string" && typeof text === "string" && type === "secret_text") {
    return { name, text };
  }
  throw new CloudflareRefusal(400, 10021, "A secret needs name, text and type");
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) {
    throw new CloudflareRefusal(400, 10021, "An object was expected");
  }
  return value as Readonly<Record<string, unknown>>;
}

function json(request: ApiRequest): unknown {
  try {
    return JSON.parse(request.body);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CloudflareRefusal(400, 10021, "The body is no JSON");
  }
}

function reply(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): ApiReply {
  const all = { "content-type": "application/json", ...headers };
  return { kind: "answered", status, headers: all, body: JSON.stringify(body) };
}

function failure(
  status: number,
  code: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): ApiReply {
  const body = { success: false, errors: [{ code, message }], messages: [], result: null };
  return reply(status, body, headers);
}

/** The API as a `fetch`, without a socket: for the deterministic simulation. */
export function cloudflareFetch(cloudflare: Cloudflare): typeof globalThis.fetch {
  return async (input, init) => {
    await Promise.resolve();
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init?.headers);
    const answer = answerApi(cloudflare, {
      method: init?.method ?? "GET",
      path: url.pathname.replace(/^.*\/client\/v4/, ""),
      query: url.searchParams,
      token: bearer(headers.get("authorization")),
      contentType: headers.get("content-type"),
      body: typeof init?.body === "string" ? init.body : "",
    });
    if (answer.kind === "answered") return new Response(answer.body, answer);
    throw new TypeError("fetch failed", { cause: { code: "ECONNRESET" } });
  };
}

export const bearer = (header: string | null): string | null => /^Bearer (.+)$/.exec(header ?? "")?.[1] ?? null;
