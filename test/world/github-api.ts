import { verify } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { allows, type GitHub, type GitHubFault, GitHubRefusal, type GitHubToken, type SecretPlace } from "./github.ts";

/** One request to the API, its path without the base: "/repos/…". */
export interface GitHubRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: string;
}

/** Null: the caller gets no answer, and the line is cut. */
export type GitHubReply = { readonly status: number; readonly headers: Headers; readonly body: string | null } | null;

type Right = "secrets" | "environments" | "organization_secrets";

const SECRETS: readonly (readonly [Right, RegExp])[] = [
  ["secrets", /^\/repos\/([^/]+\/[^/]+)\/actions\/secrets(?:\/(.+))?$/],
  ["environments", /^\/repos\/([^/]+\/[^/]+\/environments\/[^/]+)\/secrets(?:\/(.+))?$/],
  ["organization_secrets", /^\/orgs\/([^/]+)\/actions\/secrets(?:\/(.+))?$/],
];
const ACCESS_TOKENS = /^\/app\/installations\/([^/]+)\/access_tokens$/;
const PER_PAGE = 30;
/** Source: GitHub, generating a JSON Web Token: at most ten minutes ahead. */
const JWT_MAX_S = 600;

/** Carries out one request, faults, rate limits and the refusal of changes at once included. */
export async function answerGitHub(github: GitHub, request: GitHubRequest): Promise<GitHubReply> {
  if (request.method === "GET") return answerNow(github, request);
  // Source: GitHub REST API, best practices: make changes one after the other.
  if (github.isWriting) return refusal(github, request, secondaryLimit(60));
  github.isWriting = true;
  try {
    await delay(github.writeTakesMs);
    return answerNow(github, request);
  } finally {
    github.isWriting = false;
  }
}

function answerNow(github: GitHub, request: GitHubRequest): GitHubReply {
  const fault = takeFault(github, request.method === "GET" ? "read" : "write");
  switch (fault?.kind) {
    case undefined:
      return perform(github, request);
    case "meanwhile":
      fault.act();
      return perform(github, request);
    case "limited":
      return refusal(github, request, secondaryLimit(fault.retryAfterS));
    case "html":
      return { status: 200, headers: new Headers({ "content-type": "text/html" }), body: "<!DOCTYPE html>Unicorn!" };
    case "failed":
      if (fault.hasEffect) perform(github, request);
      return refusal(github, request, new GitHubRefusal(fault.status, "Server Error"));
    case "lost":
      if (fault.hasEffect) perform(github, request);
      return null;
  }
}

function takeFault(github: GitHub, on: GitHubFault["on"]): GitHubFault | null {
  const index = github.faults.findIndex((fault) => fault.on === on);
  const fault = github.faults[index];
  if (fault === undefined) return null;
  const left = (fault.times ?? 1) - 1;
  github.faults.splice(index, 1, ...(left > 0 ? [{ ...fault, times: left }] : []));
  return fault;
}

const secondaryLimit = (retryAfterS: number): GitHubRefusal =>
  new GitHubRefusal(403, "You have exceeded a secondary rate limit", { "retry-after": String(retryAfterS) });

function perform(github: GitHub, request: GitHubRequest): GitHubReply {
  try {
    const [status, body] = dispatch(github, request);
    return reply(github, request, { status, body });
  } catch (error) {
    if (!(error instanceof GitHubRefusal)) throw error;
    return refusal(github, request, error);
  }
}

function dispatch(github: GitHub, request: GitHubRequest): readonly [number, unknown] {
  // Source: GitHub REST API, troubleshooting: a request without a User-Agent is refused.
  if (!request.headers.get("user-agent")) throw new GitHubRefusal(403, "Request forbidden by administrative rules");
  const installation = ACCESS_TOKENS.exec(request.path)?.[1];
  if (installation !== undefined && request.method === "POST") return [201, accessToken(github, request, installation)];
  const token = github.admit(bearerOf(request));
  for (const [right, pattern] of SECRETS) {
    const [, where, rest = ""] = pattern.exec(request.path) ?? [];
    if (where === undefined) continue;
    const path = decodeURIComponent(where).replace("/environments/", "/");
    const level = request.method === "GET" ? "read" : "write";
    return answerSecrets(github, request, { place: seenBy(github, token, path), token, right, level, rest });
  }
  throw new GitHubRefusal(404, "Not Found");
}

/** What a token does not see is not there, as GitHub says it. */
function seenBy(github: GitHub, { sees }: GitHubToken, path: string): SecretPlace {
  const repository = path.split("/").slice(0, 2).join("/");
  const moved = github.movedTo(repository);
  if (moved !== null) throw new GitHubRefusal(301, "Moved Permanently", { location: `/repos/${moved}` });
  if (!sees.some((one) => one.toLowerCase() === repository.toLowerCase())) throw new GitHubRefusal(404, "Not Found");
  return github.place(path);
}

interface Asked {
  readonly place: SecretPlace;
  readonly token: GitHubToken;
  readonly right: Right;
  readonly level: "read" | "write";
  readonly rest: string;
}

function answerSecrets(github: GitHub, request: GitHubRequest, asked: Asked): readonly [number, unknown] {
  const { place, token, right, level, rest } = asked;
  if (!allows(token.rights, right, level)) {
    throw new GitHubRefusal(403, "Resource not accessible by personal access token", {
      "x-accepted-github-permissions": `${right}=${level}`,
    });
  }
  const [name = "", part] = rest.split("/").map(decodeURIComponent);
  if (request.method === "PUT")
    return put(github, request, { place, name, isOfMany: right === "organization_secrets" });
  if (request.method !== "GET") throw new GitHubRefusal(404, "Not Found");
  if (name === "public-key") {
    return [200, { key_id: place.keyId, key: Buffer.from(place.publicKey).toString("base64") }];
  }
  if (name === "") {
    const all = [...place.secrets.values()].map(({ name: each }) => shown(place, each));
    return [200, { total_count: all.length, secrets: paged(all, request) }];
  }
  if (part === "repositories") {
    const repositories = found(place, name).repositories.map((id) => ({ id }));
    return [200, { total_count: repositories.length, repositories: paged(repositories, request) }];
  }
  return [200, shown(place, name)];
}

function put(
  github: GitHub,
  request: GitHubRequest,
  { place, name, isOfMany }: { readonly place: SecretPlace; readonly name: string; readonly isOfMany: boolean },
): readonly [number, unknown] {
  const body = JSON.parse(request.body) as Readonly<Record<string, unknown>>;
  const { encrypted_value: value, key_id: keyId, visibility, selected_repository_ids: selected = [] } = body;
  if (typeof value !== "string" || typeof keyId !== "string") throw new GitHubRefusal(422, "Invalid request");
  if (isOfMany !== ["all", "private", "selected"].includes(String(visibility))) {
    throw new GitHubRefusal(422, "Invalid visibility");
  }
  const readers = isOfMany ? { visibility: String(visibility), repositories: selected as readonly number[] } : {};
  return github.putSealed(place, name, { value, keyId, ...readers }) ? [201, {}] : [204, null];
}

function found({ secrets }: SecretPlace, name: string) {
  const secret = secrets.get(name.toUpperCase());
  if (secret === undefined) throw new GitHubRefusal(404, "Not Found");
  return secret;
}

/** Values never come back, and times are whole seconds. */
function shown(place: SecretPlace, wanted: string) {
  const { name, createdMs, updatedMs, visibility } = found(place, wanted);
  const time = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
  const readers = visibility === null ? {} : { visibility };
  return { name, created_at: time(createdMs), updated_at: time(updatedMs), ...readers };
}

function paged<T>(all: readonly T[], { query }: GitHubRequest): readonly T[] {
  const size = Number(query.get("per_page") ?? PER_PAGE);
  const page = Number(query.get("page") ?? 1);
  return all.slice((page - 1) * size, page * size);
}

/** Source: GitHub REST API, create an installation access token: signed RS256 by the app's key. */
function accessToken(github: GitHub, request: GitHubRequest, id: string): unknown {
  const { appId, publicKey, rights } = github.installation(id);
  const [head = "", claims = "", signature = ""] = (bearerOf(request) ?? "").split(".");
  const said = JSON.parse(Buffer.from(claims, "base64url").toString() || "{}") as Readonly<Record<string, unknown>>;
  const nowS = github.clock.now() / 1_000;
  const isSigned = verify(
    "RSA-SHA256",
    Buffer.from(`${head}.${claims}`),
    publicKey,
    Buffer.from(signature, "base64url"),
  );
  const isTimely = Number(said["iat"]) <= nowS && Number(said["exp"]) > nowS && Number(said["exp"]) <= nowS + JWT_MAX_S;
  if (!isSigned || !isTimely || said["iss"] !== appId) {
    throw new GitHubRefusal(401, "A JSON web token could not be decoded");
  }
  const body = JSON.parse(request.body || "{}") as {
    readonly permissions?: GitHubToken["rights"];
    readonly repositories?: readonly string[];
  };
  const { sees } = github.installation(id);
  const named = body.repositories?.map((name) => sees.find((path) => path.endsWith(`/${name}`)) ?? name) ?? sees;
  const { token, endsMs } = github.grant(id, { rights: body.permissions ?? rights, sees: named });
  return { token, expires_at: new Date(endsMs).toISOString(), permissions: body.permissions ?? rights };
}

const bearerOf = ({ headers }: GitHubRequest): string | null =>
  /^(?:Bearer|token) (.+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? null;

function reply(
  github: GitHub,
  request: GitHubRequest,
  { status, body, headers = {} }: { status: number; body: unknown; headers?: Readonly<Record<string, string>> },
): GitHubReply {
  const all = new Headers({ "content-type": "application/json; charset=utf-8", ...headers });
  all.set("date", new Date(github.clock.now()).toUTCString());
  for (const [name, value] of Object.entries(github.rateHeaders(bearerOf(request)))) all.set(name, value);
  return { status, headers: all, body: body === null ? null : JSON.stringify(body) };
}

function refusal(github: GitHub, request: GitHubRequest, error: GitHubRefusal): GitHubReply {
  const { status, message, headers } = error;
  return reply(github, request, { status, headers, body: { message, documentation_url: "", status: String(status) } });
}

/** The API as a `fetch`, without a socket. */
export function githubFetch(github: GitHub): typeof globalThis.fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const answer = await answerGitHub(github, {
      method: init?.method ?? "GET",
      path: url.pathname,
      query: url.searchParams,
      headers: new Headers(init?.headers),
      body: typeof init?.body === "string" ? init.body : "",
    });
    if (answer === null) throw new TypeError("fetch failed", { cause: { code: "ECONNRESET" } });
    return new Response(answer.body, answer);
  };
}
