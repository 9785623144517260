import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import { Secret } from "../rotation/secret.ts";
import type { Clock, Random } from "../rotation/world.ts";
import { meaningOf, waitMsOf } from "./github-errors.ts";
import { appToken, type GitHubApp, readStored } from "./github-token.ts";
import { readJson } from "./read-json.ts";
import { NEVER_SENT } from "./translate-error.ts";

/** The version of the API that all of this was written for. */
const API_VERSION = "2022-11-28";
const READ_ATTEMPTS_MAX = 3;
const RETRY_FIRST_WAIT_MS = 250;
/** A longer wait is left to the next sweep. */
const RETRY_WAIT_MAX_MS = 5_000;
/** A delivery is not begun with fewer requests left in the hour: it must not be cut off in its middle. */
const REQUESTS_LEFT_MIN = 20;
const REPOSITORIES_PER_PAGE = 100;
const PAGES_MAX = 100;
/** Of an X25519 public key. */
const KEY_BYTES = 32;

/** Whose secrets: a repository's, one of its environments', or an organization's. */
export type SecretScope =
  | { readonly kind: "repository"; readonly repository: string }
  | { readonly kind: "environment"; readonly repository: string; readonly environment: string }
  | { readonly kind: "organization"; readonly organization: string };

export interface GitHubOptions {
  readonly baseUrl: string;
  readonly scope: SecretScope;
  /** What the apiToken secret holds. Asked at the first call, and once more when GitHub refuses it. */
  readonly readToken: () => Promise<Secret>;
  /** Of one request, answer included. */
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "now" | "sleep">;
  readonly random: Pick<Random, "fraction">;
  /** Runs one piece of work after the other: GitHub refuses changes that come at once. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  readonly fetch?: typeof fetch;
}

/** A secret as the API shows it, to the second. Its value never comes back. Source: GitHub REST API, Actions secrets. */
export type ActionsSecret = z.infer<typeof ActionsSecret>;
const Time = z.string().check(z.refine((text) => !Number.isNaN(Date.parse(text))));
const ActionsSecret = z.object({
  name: z.string(),
  created_at: Time,
  updated_at: Time,
  /** Of an organization's: which of its repositories may read it. */
  visibility: z.optional(z.string()),
});
const PublicKey = z.object({ key_id: z.string(), key: z.string() });
const Installation = z.object({ token: z.string().check(z.regex(/^[\x21-\x7e]+$/)) });
const Repositories = z.object({ repositories: z.array(z.object({ id: z.int() })) });

interface ApiRequest {
  readonly doing: string;
  readonly method: "GET" | "PUT" | "POST";
  readonly path: string;
  readonly body?: object;
}

/** Encrypts for the scope, with the key that this is sealed for. */
export type Sealer = (value: Secret) => { readonly encrypted_value: string; readonly key_id: string };

/** The few calls of GitHub's API that a delivery needs. Every method throws `RotationError` and nothing else. */
export type GitHubClient = ReturnType<typeof createGitHub>;

/** The Actions secrets of one scope, by plain fetch. */
export function createGitHub(options: GitHubOptions) {
  const { scope } = options;
  const base = secretsPath(scope);
  const send = createSender(options);
  /** Reads, and takes what has another shape than documented for no answer. */
  async function get<T>(doing: string, path: string, answer: z.core.$ZodType<T>): Promise<T> {
    const read = readJson(answer, (await send({ doing, method: "GET", path: `${base}/${path}` })).text);
    if (read !== null) return read;
    throw new RotationError("Unreachable", `${doing}, the answer has an unknown shape`);
  }
  /** The repositories that may read an organization's secret, all pages: a change that names none takes it from all. */
  async function readers(name: string): Promise<readonly number[]> {
    const doing = `reading who may read ${name}`;
    const found: number[] = [];
    for (let page = 1; page <= PAGES_MAX; page += 1) {
      const query = `per_page=${String(REPOSITORIES_PER_PAGE)}&page=${String(page)}`;
      const { repositories } = await get(doing, `${name}/repositories?${query}`, Repositories);
      found.push(...repositories.map(({ id }) => id));
      if (repositories.length < REPOSITORIES_PER_PAGE) return found;
    }
    throw new RotationError("Unreachable", `${doing}, more than ${String(PAGES_MAX)} pages`);
  }
  return {
    /** `NotFound` when there is no such secret, or none that the token may see. */
    find: (name: string): Promise<ActionsSecret> => get(`reading Actions secret ${name}`, name, ActionsSecret),
    /** Fetches the scope's public key. */
    async sealer(): Promise<Sealer> {
      const doing = "reading the public key of the secrets";
      const { key, key_id } = await get(doing, "public-key", PublicKey);
      const bytes = Buffer.from(key, "base64");
      if (bytes.length !== KEY_BYTES) throw new RotationError("Unreachable", `${doing}, it is no X25519 key`);
      // Bundled apart: who delivers to no GitHub does not load it.
      const { seal } = await import("./sealed-box.ts");
      return (value) => ({ encrypted_value: seal(value, bytes), key_id });
    },
    /** What of a secret a change must say again, so that nobody gains or loses it. */
    async kept({ name, visibility }: ActionsSecret): Promise<object> {
      if (scope.kind !== "organization") return {};
      return visibility === "selected"
        ? { visibility, selected_repository_ids: await readers(name) }
        : { visibility: visibility ?? "private" };
    },
    /** Sets one secret; the same again does no harm. It would make one that was deleted since it was found. */
    async put(name: string, body: object): Promise<void> {
      await send({ doing: `setting Actions secret ${name}`, method: "PUT", path: `${base}/${name}`, body });
    },
    inTurn: options.inTurn,
    /** `Throttled` while the hour has too few requests left for a delivery to be begun. */
    mustHaveRoom(): void {
      const left = send.left();
      if (left === null || left >= REQUESTS_LEFT_MIN) return;
      throw new RotationError(
        "Throttled",
        `setting Actions secrets, only ${String(left)} requests are left of this hour`,
      );
    },
  };
}

/** One piece of work after the other, whatever becomes of each. */
export function createTurns(): GitHubOptions["inTurn"] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

type Answer = { readonly status: number; readonly headers: Headers; readonly text: string };

/** Sends a request, with the retries and the second look at the token that it may have. */
function createSender(options: GitHubOptions) {
  let token: Secret | null = null;
  let left: number | null = null;

  async function attempt(request: ApiRequest, bearer: Secret): Promise<Answer> {
    const answer = await exchange(options, request, bearer);
    const said = answer.headers.get("x-ratelimit-remaining");
    if (said !== null && /^\d+$/.test(said)) left = Number(said);
    return understood(request, answer);
  }
  /** The stored token; of an app, one that its installation is given, with the rights to this scope and no others. */
  async function readToken(): Promise<Secret> {
    const stored = readStored(await options.readToken());
    if (stored instanceof Secret) return stored;
    const request = installationRequest(stored, options.scope);
    const made = readJson(Installation, (await attempt(request, appToken(stored, options.clock.now()))).text);
    if (made !== null) return new Secret(made.token);
    throw new RotationError("Unreachable", `${request.doing}, the answer has an unknown shape`);
  }
  async function withFreshToken(request: ApiRequest): Promise<Answer> {
    const used = (token ??= await readToken());
    try {
      return await attempt(request, used);
    } catch (error) {
      if (!(error instanceof RotationError) || error.code !== "Denied") throw error;
      token = await readToken();
      if (token.reveal() === used.reveal()) throw error;
      return await attempt(request, token);
    }
  }
  async function send(request: ApiRequest): Promise<Answer> {
    const attemptsMax = request.method === "GET" ? READ_ATTEMPTS_MAX : 1;
    for (let tried = 1; ; tried += 1) {
      try {
        return await withFreshToken(request);
      } catch (error) {
        const waitMs = tried < attemptsMax ? retryWaitMs(error, RETRY_FIRST_WAIT_MS * 2 ** tried) : null;
        if (waitMs === null || waitMs > RETRY_WAIT_MAX_MS) throw error;
        await options.clock.sleep(waitMs * (1 + options.random.fraction()));
      }
    }
  }
  return Object.assign(send, { left: () => left });
}

/** How long to wait at least before the next try, in milliseconds: as asked, or else as long; null where trying is of no use. */
export function retryWaitMs(error: unknown, elseMs: number): number | null {
  if (!(error instanceof RotationError)) return null;
  return error.code === "Throttled" || error.code === "Unreachable" ? (error.retryAfterMs ?? elseMs) : null;
}

/** The answer, if it is a good one. Any other is thrown in our words. */
function understood({ doing, method }: ApiRequest, answer: Answer): Answer {
  const { status, headers } = answer;
  const good = { GET: [200], PUT: [201, 204], POST: [201] }[method];
  if (good.includes(status)) return answer;
  const [code, words] = meaningOf({ status, headers });
  const outcomeUnknown = method !== "GET" && code === "Unreachable";
  throw new RotationError(code, `${doing}, ${words}`, { outcomeUnknown, retryAfterMs: waitMsOf(headers) });
}

async function exchange(options: GitHubOptions, request: ApiRequest, bearer: Secret): Promise<Answer> {
  const { doing, method, path, body } = request;
  try {
    const response = await (options.fetch ?? fetch)(options.baseUrl + path, {
      method,
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${bearer.reveal()}`,
        "user-agent": "keyturn",
        "x-github-api-version": API_VERSION,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      // A moved repository is answered by a redirection. Nobody else's is given the pair.
      redirect: "manual",
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (thrown) {
    // What fetch says may quote the request: its error goes no further.
    const { name, cause } = thrown as { readonly name?: unknown; readonly cause?: { readonly code?: unknown } };
    const isSent = !NEVER_SENT.includes(cause?.code);
    const reached = isSent ? "the connection was cut" : "no connection to GitHub";
    const words = name === "TimeoutError" ? "no answer in time" : reached;
    throw new RotationError("Unreachable", `${doing}, ${words}`, { outcomeUnknown: method !== "GET" && isSent });
  }
}

/** Source: GitHub REST API, create an installation access token; the rights are those that each scope's secrets want. */
function installationRequest({ installationId }: GitHubApp, scope: SecretScope): ApiRequest {
  const rights = { repository: "secrets", environment: "environments", organization: "organization_secrets" };
  const permissions = { metadata: "read", [rights[scope.kind]]: "write" };
  const [, name = ""] = scope.kind === "organization" ? [] : scope.repository.split("/");
  return {
    doing: "asking for an installation's token",
    method: "POST",
    path: `/app/installations/${encodeURIComponent(installationId)}/access_tokens`,
    body: scope.kind === "organization" ? { permissions } : { permissions, repositories: [name] },
  };
}

function secretsPath(scope: SecretScope): string {
  if (scope.kind === "organization") return `/orgs/${encodeURIComponent(scope.organization)}/actions/secrets`;
  const repository = `/repos/${scope.repository.split("/").map(encodeURIComponent).join("/")}`;
  if (scope.kind === "repository") return `${repository}/actions/secrets`;
  return `${repository}/environments/${encodeURIComponent(scope.environment)}/secrets`;
}
