import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import type { Secret } from "../rotation/secret.ts";
import type { Clock, Random } from "../rotation/world.ts";
import { type Allowance, createAllowance } from "./cloudflare-allowance.ts";
import { meaningOf } from "./cloudflare-errors.ts";
import { readJson } from "./read-json.ts";
import { NEVER_SENT, retryAfterMsOf } from "./translate-error.ts";

/** Reads are asked at most this often in all; a write is sent once, since each makes a version. */
const READ_ATTEMPTS_MAX = 3;
/** A longer wait is left to the next sweep. Cloudflare's limit lasts five minutes. */
const RETRY_WAIT_MAX_MS = 5_000;
const RETRY_FIRST_WAIT_MS = 250;

export interface CloudflareOptions {
  readonly baseUrl: string;
  /** The API token. Asked at the first call, and once more when Cloudflare refuses it: somebody may have changed it. */
  readonly readToken: () => Promise<Secret>;
  /** Of one request, answer included. */
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "sleep">;
  readonly random: Pick<Random, "fraction">;
  readonly fetch?: typeof fetch;
  /** Shared by all that have this token; a client's own where it is left out. */
  readonly allowance?: Allowance;
}

/**
 * A Worker by its account and script name. A Wrangler environment is a script of its own: "api-staging". A script of a
 * dispatch namespace (Workers for Platforms) has secrets, and neither versions to choose from nor gradual deployments.
 */
export type WorkerName = {
  readonly accountId: string;
  readonly script: string;
  readonly namespace?: string | undefined;
};

/** A secret or variable, as the API shows it. Values never come back. */
export type WorkerBinding = z.infer<typeof WorkerBinding>;
const WorkerBinding = z.object({ name: z.string(), type: z.string() });

/** A version of a Worker. Its number grows by one with each; its tag is what its maker gave it, in up to 100 bytes. */
export type WorkerVersion = z.infer<typeof WorkerVersion>;
const Annotations = z.catch(z.nullable(z.object({ "workers/tag": z.catch(z.nullable(z.string()), null) })), null);
const WorkerVersion = z.pipe(
  z.object({ id: z.string(), number: z.number(), annotations: Annotations }),
  z.transform(({ id, number, annotations }) => ({ id, number, tag: annotations?.["workers/tag"] ?? null })),
);

/** One version of the live deployment, and its share of the traffic. */
export type LiveShare = z.infer<typeof LiveShare>;
const LiveShare = z.pipe(
  z.object({ version_id: z.string(), percentage: z.number() }),
  z.transform(({ version_id: versionId, percentage }) => ({ versionId, percentage })),
);

/** The few calls of Cloudflare's API that a delivery needs. Every method throws `RotationError` and nothing else. */
export type CloudflareClient = ReturnType<typeof createCloudflare>;

interface ApiRequest {
  readonly doing: string;
  readonly method: "GET" | "PATCH" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: string;
  /** Of the body; merge-patch where it is not said. */
  readonly type?: string;
}

/** What was live at a time: one version, or two that share the traffic. */
export type WorkerDeployment = z.infer<typeof WorkerDeployment>;
const WorkerDeployment = z.pipe(
  z.object({ id: z.string(), versions: z.array(LiveShare) }),
  z.transform(({ id, versions: shares }) => ({ id, shares })),
);
const Deployments = z.object({ deployments: z.array(WorkerDeployment) });
const VersionDetails = z.object({ resources: z.object({ bindings: z.array(WorkerBinding) }) });
const Dispatched = z.object({ modified_on: z.string(), script: z.object({ etag: z.string() }) });
const Versions = z.object({ items: z.array(WorkerVersion) });

/** Cloudflare's API by plain fetch: the SDK takes a 200 with `success: false` for success, and can log secrets. */
export function createCloudflare(options: CloudflareOptions) {
  const send = createSender(options);
  async function get<T>(worker: WorkerName, path: string, answer: z.ZodMiniType<T>): Promise<T> {
    const [what = ""] = path.split(/[/?]/);
    const doing = `reading the ${what || "script"} of Worker ${worker.script}`;
    const read = answer.safeParse(await send({ doing, method: "GET", path: scriptPath(worker, path) }));
    if (read.success) return read.data;
    // What has another shape than documented is not understood, and nothing is concluded from it.
    throw new RotationError("Unreachable", `${doing}, the answer has an unknown shape`);
  }
  const deployments = async (worker: WorkerName): Promise<readonly WorkerDeployment[]> =>
    (await get(worker, "deployments", Deployments)).deployments;
  return {
    secrets: (worker: WorkerName): Promise<readonly WorkerBinding[]> => get(worker, "secrets", z.array(WorkerBinding)),
    /** All bindings of one version, plain variables included. */
    async bindings(worker: WorkerName, versionId: string): Promise<readonly WorkerBinding[]> {
      return (await get(worker, `versions/${encodeURIComponent(versionId)}`, VersionDetails)).resources.bindings;
    },
    /** The versions that can be deployed: the newest 100, in no promised order. */
    async versions(worker: WorkerName): Promise<readonly WorkerVersion[]> {
      return (await get(worker, "versions?deployable=true", Versions)).items;
    },
    /** The live deployment; empty when the Worker was never deployed. */
    async live(worker: WorkerName): Promise<readonly LiveShare[]> {
      return (await deployments(worker))[0]?.shares ?? [];
    },
    /** The newest deployments, some ten of them; the first is live. */
    deployments,
    /** When a script of a dispatch namespace was last changed, and what of it is told apart by. */
    dispatched: (worker: WorkerName): Promise<z.infer<typeof Dispatched>> => get(worker, "", Dispatched),
    /** Sets the secrets in one new version, deployed at once. `Conflict` when the newest version is not live. */
    async putSecrets(worker: WorkerName, values: Readonly<Record<string, Secret>>): Promise<void> {
      const asText = (name: string, value: Secret) => ({ type: "secret_text", name, text: value.reveal() });
      const secrets = Object.entries(values).map(([name, value]) => [name, asText(name, value)]);
      await send({
        doing: `setting ${Object.keys(values).join(" and ")} of Worker ${worker.script}`,
        method: "PATCH",
        path: scriptPath(worker, "secrets-bulk"),
        body: JSON.stringify({ secrets: Object.fromEntries(secrets) }),
      });
    },
    /**
     * Sets the secrets in one new version, which is not deployed: a copy of the newest, live or not. Source: the call of
     * `wrangler versions secret bulk`, with the Worker's name where the API speaks of its id.
     */
    async stage(worker: WorkerName, values: Readonly<Record<string, Secret>>, tag: string): Promise<void> {
      const asText = (value: Secret) => ({ type: "secret_text", text: value.reveal() });
      const env = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, asText(value)]));
      const annotations = { "workers/tag": tag, "workers/message": "Keyturn hands over an access key" };
      await send({
        doing: `staging a version of Worker ${worker.script}`,
        method: "PATCH",
        path: `/accounts/${encodeURIComponent(worker.accountId)}/workers/workers/${encodeURIComponent(worker.script)}/versions/latest`,
        body: JSON.stringify({ env, annotations }),
      });
    },
    /** Puts versions live, 0 % included. Forced, it goes back past a change of secrets, too, which is else a `Conflict`. */
    async deploy(worker: WorkerName, shares: readonly LiveShare[], isForced = false): Promise<void> {
      const versions = shares.map(({ versionId, percentage }) => ({ version_id: versionId, percentage }));
      await send({
        doing: `deploying Worker ${worker.script}`,
        method: "POST",
        path: scriptPath(worker, `deployments${isForced ? "?force=true" : ""}`),
        body: JSON.stringify({ strategy: "percentage", versions }),
        type: "application/json",
      });
    },
  };
}

/** Sends a request, with the retries and the second look at the token that it may have. Resolves to `result`. */
export function createSender(options: CloudflareOptions): (request: ApiRequest) => Promise<unknown> {
  const allowance = options.allowance ?? createAllowance(options.clock);
  let token: Secret | null = null;

  async function withFreshToken(request: ApiRequest): Promise<unknown> {
    const used = (token ??= await readUsableToken(options));
    try {
      return await attempt(options, request, used);
    } catch (error) {
      if (!(error instanceof RotationError) || error.code !== "Denied") throw error;
      token = await readUsableToken(options);
      // The same token would be refused again, and every call counts against its limit.
      if (token.reveal() === used.reveal()) throw error;
      return await attempt(options, request, token);
    }
  }

  return async (request) => {
    const attemptsMax = request.method === "GET" ? READ_ATTEMPTS_MAX : 1;
    for (let tried = 1; ; tried += 1) {
      try {
        await allowance.take(request.doing);
        return await withFreshToken(request);
      } catch (error) {
        const waitMs = tried < attemptsMax ? retryWaitMs(error, tried) : null;
        if (waitMs === null && isThrottled(error)) allowance.close(error.retryAfterMs);
        if (waitMs === null) throw error;
        await options.clock.sleep(waitMs * (0.5 + options.random.fraction() / 2));
      }
    }
  };
}

const isThrottled = (error: unknown): error is RotationError =>
  error instanceof RotationError && error.code === "Throttled";

/** The token, if it can stand in a header at all: what fetch says of one that cannot would quote it. */
async function readUsableToken({ readToken }: CloudflareOptions): Promise<Secret> {
  const token = await readToken();
  if (/^[\x21-\x7e]+$/.test(token.reveal())) return token;
  throw new RotationError("Misconfigured", "reading the Cloudflare API token, it is empty or holds white space");
}

/** How long to wait before the next try, in milliseconds; null when it is not tried again in this run. */
function retryWaitMs(error: unknown, tried: number): number | null {
  if (!(error instanceof RotationError)) return null;
  if (error.code !== "Throttled" && error.code !== "Unreachable") return null;
  if (error.code === "Throttled" && error.retryAfterMs === null) return null;
  // Half of a wait that was asked for would be too early, so it is doubled before the jitter takes up to half away.
  const waitMs = error.retryAfterMs === null ? RETRY_FIRST_WAIT_MS * 2 ** tried : error.retryAfterMs * 2;
  return waitMs <= RETRY_WAIT_MAX_MS ? waitMs : null;
}

/** What every answer is wrapped in. HTML and the like is no success and has no codes. */
const Envelope = z.object({
  success: z.catch(z.boolean(), false),
  result: z.unknown(),
  errors: z.catch(z.array(z.catch(z.object({ code: z.number() }), { code: Number.NaN })), []),
});

/** One request and its answer. Resolves to the answer's `result`. */
async function attempt(options: CloudflareOptions, request: ApiRequest, token: Secret): Promise<unknown> {
  const { doing } = request;
  const isWrite = request.method !== "GET";
  const { response, text } = await exchange(options, request, token).catch((thrown: unknown) => {
    const words = describeNetworkFailure(thrown);
    const outcomeUnknown = isWrite && words !== NO_CONNECTION;
    throw new RotationError("Unreachable", `${doing}, ${words}`, { cause: thrown, outcomeUnknown });
  });
  const envelope = readJson(Envelope, text);
  if (response.ok && envelope?.success === true) return envelope.result;
  const retryAfterMs = retryAfterMsOf(response.headers.get("retry-after"));
  const isChallenge = response.headers.get("cf-mitigated") === "challenge";
  const codes = envelope?.errors.map((error) => error.code) ?? [];
  const [code, words] = meaningOf({ status: response.status, codes, isChallenge });
  const outcomeUnknown = isWrite && code === "Unreachable" && !isChallenge;
  throw new RotationError(code, `${doing}, ${words}`, { outcomeUnknown, retryAfterMs });
}

async function exchange(options: CloudflareOptions, request: ApiRequest, token: Secret) {
  const { method, path, body, type = "application/merge-patch+json" } = request;
  const authorization = `Bearer ${token.reveal()}`;
  const response = await (options.fetch ?? fetch)(`${options.baseUrl}${path}`, {
    method,
    // The usual type is what wrangler sends to secrets-bulk, and what it means: given is set, absent stays.
    headers: { authorization, ...(body === undefined ? {} : { "content-type": type }) },
    body: body ?? null,
    redirect: "error",
    signal: AbortSignal.timeout(options.timeoutMs),
  });
  return { response, text: await response.text() };
}

const NO_CONNECTION = "no connection to Cloudflare";

/** The words for a failed fetch. Its own error may quote the request, so only known kinds are told apart. */
function describeNetworkFailure(thrown: unknown): string {
  const { name, cause } = thrown as { readonly name?: unknown; readonly cause?: { readonly code?: unknown } };
  if (name === "TimeoutError") return "no answer in time";
  return NEVER_SENT.includes(cause?.code) ? NO_CONNECTION : "the connection was cut";
}

function scriptPath({ accountId, script, namespace }: WorkerName, path: string): string {
  const within = namespace === undefined ? "" : `/dispatch/namespaces/${encodeURIComponent(namespace)}`;
  const place = `/accounts/${encodeURIComponent(accountId)}/workers${within}/scripts/${encodeURIComponent(script)}`;
  return path === "" ? place : `${place}/${path}`;
}
