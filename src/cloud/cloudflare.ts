import { RotationError } from "../rotation/errors.ts";
import type { Secret } from "../rotation/secret.ts";
import type { Clock, Random } from "../rotation/world.ts";
import { translateRefusal } from "./cloudflare-errors.ts";

/** Reads are asked at most this often in all; a write is sent once. */
const READ_ATTEMPTS_MAX = 3;
/** A longer wait is left to the next sweep. Cloudflare's limit lasts five minutes. */
const RETRY_WAIT_MAX_MS = 5_000;
const RETRY_FIRST_WAIT_MS = 250;

export interface CloudflareOptions {
  /** Such as https://api.cloudflare.com/client/v4. */
  readonly baseUrl: string;
  /** The API token. Asked at the first call, and once more when Cloudflare refuses it: somebody may have changed it. */
  readonly readToken: () => Promise<Secret>;
  /** Of one request, answer included. */
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "sleep">;
  readonly random: Pick<Random, "fraction">;
  /** Another transport than the runtime's own. */
  readonly fetch?: typeof fetch;
}

/** A Worker by its account and script name. A Wrangler environment is a script of its own: "api-staging". */
export interface WorkerName {
  readonly accountId: string;
  readonly script: string;
}

/** A secret or variable, as the API shows it. Values never come back. */
export interface WorkerBinding {
  readonly name: string;
  readonly type: string;
}

export interface WorkerVersion {
  readonly id: string;
  /** Grows by one with each version of the Worker. */
  readonly number: number;
}

/** One version of the live deployment, and its share of the traffic. */
export interface LiveShare {
  readonly versionId: string;
  readonly percentage: number;
}

/** The few calls of Cloudflare's API that a delivery needs. Every method throws `RotationError` and nothing else. */
export interface CloudflareClient {
  secrets(worker: WorkerName): Promise<readonly WorkerBinding[]>;
  /** All bindings of one version, plain variables included. */
  bindings(worker: WorkerName, versionId: string): Promise<readonly WorkerBinding[]>;
  /** The versions that can be deployed: the newest 100, in no promised order. */
  versions(worker: WorkerName): Promise<readonly WorkerVersion[]>;
  /** The live deployment; empty when the Worker was never deployed. */
  live(worker: WorkerName): Promise<readonly LiveShare[]>;
  /**
   * Sets all of these secrets in one new version and deploys it at once (`secrets-bulk`). Never repeated here, since
   * each call makes a version. `Conflict` when the newest version is not the live one.
   */
  putSecrets(worker: WorkerName, values: Readonly<Record<string, Secret>>): Promise<void>;
}

interface ApiRequest {
  readonly doing: string;
  readonly method: "GET" | "PATCH";
  readonly path: string;
  readonly body?: string;
}

/** Cloudflare's API by plain fetch: the SDK takes a 200 with `success: false` for success, and can log secrets. */
export function createCloudflare(options: CloudflareOptions): CloudflareClient {
  const send = createSender(options);
  const get = (worker: WorkerName, what: string, path: string): Promise<unknown> => {
    const doing = `reading the ${what} of Worker ${worker.script}`;
    return send({ doing, method: "GET", path: scriptPath(worker, path) });
  };
  return {
    async secrets(worker) {
      return list(await get(worker, "secrets", "secrets")).map(asBinding);
    },
    async bindings(worker, versionId) {
      const path = `versions/${encodeURIComponent(versionId)}`;
      const version = await get(worker, "bindings", path);
      return list(field(field(version, "resources"), "bindings")).map(asBinding);
    },
    async versions(worker) {
      const answer = await get(worker, "versions", "versions?deployable=true");
      return list(field(answer, "items")).map((item) => ({
        id: text(field(item, "id")),
        number: count(field(item, "number")),
      }));
    },
    async live(worker) {
      const deployments = list(field(await get(worker, "deployments", "deployments"), "deployments"));
      if (deployments.length === 0) return [];
      return list(field(deployments[0], "versions")).map((share) => ({
        versionId: text(field(share, "version_id")),
        percentage: count(field(share, "percentage")),
      }));
    },
    async putSecrets(worker, values) {
      const secrets = Object.entries(values).map(([name, value]) => [
        name,
        { type: "secret_text", name, text: value.reveal() },
      ]);
      await send({
        doing: `setting ${Object.keys(values).join(" and ")} of Worker ${worker.script}`,
        method: "PATCH",
        path: scriptPath(worker, "secrets-bulk"),
        body: JSON.stringify({ secrets: Object.fromEntries(secrets) }),
      });
    },
  };
}

/** Sends a request, with the retries and the second look at the token that it may have. Resolves to `result`. */
function createSender(options: CloudflareOptions): (request: ApiRequest) => Promise<unknown> {
  let token: Promise<Secret> | null = null;
  const readToken = (): Promise<Secret> => {
    token ??= options.readToken().then(asUsable);
    return token;
  };

  async function withFreshToken(request: ApiRequest): Promise<unknown> {
    const used = await readToken().catch((error: unknown) => {
      token = null;
      throw error;
    });
    try {
      return await attempt(options, request, used);
    } catch (error) {
      if (!(error instanceof RotationError) || error.code !== "Denied") throw error;
      token = null;
      const fresh = await readToken();
      // The same token would be refused again, and every call counts against its limit.
      if (fresh.reveal() === used.reveal()) throw error;
      return await attempt(options, request, fresh);
    }
  }

  return async (request) => {
    const attemptsMax = request.method === "GET" ? READ_ATTEMPTS_MAX : 1;
    for (let tried = 1; ; tried += 1) {
      try {
        return await withFreshToken(request);
      } catch (error) {
        const waitMs = tried < attemptsMax ? retryWaitMs(error, tried) : null;
        if (waitMs === null) throw error;
        await options.clock.sleep(waitMs * (0.5 + options.random.fraction() / 2));
      }
    }
  };
}

/** The token, if it can stand in a header at all: what fetch says of one that cannot would quote it. */
function asUsable(token: Secret): Secret {
  if (/^[\x21-\x7e]+$/.test(token.reveal())) return token;
  const doing = "reading the Cloudflare API token";
  throw new RotationError("Misconfigured", `${doing}, it is empty or has spaces or line ends in it`);
}

/** How long to wait before the next try, in milliseconds; null when trying again is not for now. */
function retryWaitMs(error: unknown, tried: number): number | null {
  if (!(error instanceof RotationError)) return null;
  if (error.code !== "Throttled" && error.code !== "Unreachable") return null;
  // Half of a wait that was asked for would be too early, so it is doubled before the jitter takes up to half away.
  const waitMs = error.retryAfterMs === null ? RETRY_FIRST_WAIT_MS * 2 ** tried : error.retryAfterMs * 2;
  return waitMs <= RETRY_WAIT_MAX_MS ? waitMs : null;
}

async function attempt(options: CloudflareOptions, request: ApiRequest, token: Secret): Promise<unknown> {
  const isWrite = request.method !== "GET";
  const answer = await exchange(options, request, token).catch((thrown: unknown) => {
    const words = describeNetworkFailure(thrown);
    throw new RotationError("Unreachable", `${request.doing}, ${words}`, {
      cause: thrown,
      outcomeUnknown: isWrite && words !== NO_CONNECTION,
    });
  });
  const isSuccess = answer.isOk && field(answer.envelope, "success") === true;
  if (isSuccess) return field(answer.envelope, "result");
  throw translateRefusal(request.doing, { ...answer, codes: codesOf(answer.envelope), isWrite });
}

async function exchange(options: CloudflareOptions, request: ApiRequest, token: Secret) {
  const response = await (options.fetch ?? fetch)(`${options.baseUrl}${request.path}`, {
    method: request.method,
    headers: {
      authorization: `Bearer ${token.reveal()}`,
      // What wrangler sends to secrets-bulk, and what it means: given is set, absent stays.
      ...(request.body === undefined ? {} : { "content-type": "application/merge-patch+json" }),
    },
    body: request.body ?? null,
    redirect: "error",
    signal: AbortSignal.timeout(options.timeoutMs),
  });
  const body = await response.text();
  const retryAfterS = Number(response.headers.get("retry-after") ?? Number.NaN);
  return {
    isOk: response.ok,
    status: response.status,
    isChallenge: response.headers.get("cf-mitigated") === "challenge",
    retryAfterMs: Number.isFinite(retryAfterS) ? retryAfterS * 1_000 : null,
    envelope: parse(body),
  };
}

const NO_CONNECTION = "no connection to Cloudflare";

/** The words for a failed fetch. Its own error may quote the request, so only known kinds are told apart. */
function describeNetworkFailure(thrown: unknown): string {
  if (thrown instanceof Error && thrown.name === "TimeoutError") return "no answer in time";
  const code = field(field(thrown, "cause"), "code");
  if (code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "EAI_AGAIN") return NO_CONNECTION;
  return "the connection was cut";
}

function scriptPath(worker: WorkerName, path: string): string {
  const account = encodeURIComponent(worker.accountId);
  return `/accounts/${account}/workers/scripts/${encodeURIComponent(worker.script)}/${path}`;
}

/** The body as JSON, or null for HTML and the like, which is no success and has no codes. */
function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const codesOf = (envelope: unknown): number[] => {
  const errors = field(envelope, "errors");
  if (!Array.isArray(errors)) return [];
  return errors.map((error: unknown) => Number(field(error, "code")));
};

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;

const asBinding = (value: unknown): WorkerBinding => ({
  name: text(field(value, "name")),
  type: text(field(value, "type")),
});

/** What has another shape than documented is not understood, and nothing is concluded from it. */
const misread = (): RotationError =>
  new RotationError("Unreachable", "reading an answer of Cloudflare, it has an unknown shape");

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw misread();
  return value;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw misread();
  return value;
}

function count(value: unknown): number {
  if (typeof value !== "number") throw misread();
  return value;
}
