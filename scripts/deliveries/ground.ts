import { fileURLToPath } from "node:url";
import { setTimeout as wait } from "node:timers/promises";
import { createCloudflare } from "../../src/cloud/cloudflare.ts";
import { createWorkerHealth } from "../../src/cloud/worker-health.ts";
import { createCloudflareWorker } from "../../src/destinations/cloudflare-worker.ts";
import { accessKeyId, type Credential } from "../../src/rotation/keys.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { days, minutes } from "../../src/rotation/time.ts";
import type { Destination } from "../../src/rotation/world.ts";
import { SimulatedClock } from "../../test/world/clock.ts";
import { createCloud } from "../../test/world/cloud.ts";
import { cloudflareFetch } from "../../test/world/cloudflare-api.ts";
import { Cloudflare } from "../../test/world/cloudflare.ts";
import { type Edge, startEdge } from "../../test/world/edge.ts";
import { startWire } from "../../test/world/wire/wire.ts";

const ACCOUNT = "0123456789abcdef0123456789abcdef";
const WORKER = "matchmaking";
const ID = "LAMBDA_AWS_ACCESS_KEY_ID";
const SECRET = "LAMBDA_AWS_SECRET_ACCESS_KEY";
const API_TOKEN = "cloudflare-api-token";
export const HEALTH_TOKEN = "health-route-token";
export const HEALTH_PATH = "/keyturn-health";
/** Waits are shortened so: a minute's watch takes a second and a half. */
const FASTER = 40;
/** Between two writes of a hand, as between any two calls over the Internet. */
const BETWEEN_WRITES_MS = 150;

/** A Worker in real workerd that calls a simulated AWS, its two keys, and the ways of handing it the second. */
export interface Ground {
  readonly edge: Edge;
  readonly url: string;
  /** Everything that Keyturn asks of Cloudflare goes through here: what is done before the nth call. */
  readonly before: Map<number, () => void>;
  /** How many calls of Cloudflare Keyturn has made. */
  readonly calls: () => number;
  readonly old: Credential;
  /** Keyturn delivers the new pair, or says why not. */
  readonly deliver: (isStaged: boolean) => Promise<string>;
  /** The pair by two writes, as `wrangler secret put` makes them. */
  readonly putTwice: () => Promise<string>;
  readonly setStatus: (which: "old" | "new", status: "Active" | "Inactive") => void;
  readonly deployByOthers: () => void;
  /** What serves now: whose code, and which pair. */
  readonly live: () => string;
  readonly close: () => Promise<void>;
}

/** Both clouds, with the old pair in the Worker. */
async function openClouds(lingers: boolean) {
  const clock = new SimulatedClock(Date.UTC(2027, 0, 4));
  const cloud = createCloud({ clock, lags: { propagationMs: 0, deactivationMs: 0 } });
  const wire = await startWire(cloud, { clock });
  const { name: user } = cloud.iam.createUser({ name: "cloudflare-sveltekit-lambda-invoker" });
  const makePair = (ageMs: number): Credential => {
    const { id, secret } = cloud.iam.createKey(user, { createdAtMs: clock.now() - ageMs });
    return { id: accessKeyId(id), secret: new Secret(secret) };
  };
  const [old, fresh] = [makePair(days(80)), makePair(minutes(1))];
  const cloudflare = new Cloudflare(clock);
  cloudflare.setToken(API_TOKEN, { account: ACCOUNT, scripts: [WORKER], status: "active" });
  cloudflare.deploy(ACCOUNT, WORKER, { code: "first", secrets: { [ID]: old.id, [SECRET]: old.secret.reveal() } });
  const worker = {
    scriptPath: fileURLToPath(new URL("../../test/world/workers/matchmaking.js", import.meta.url)),
    bindings: { AWS_ENDPOINT: wire.url, KEYTURN_HEALTH_TOKEN: HEALTH_TOKEN },
    ...(lingers ? { lingersBut: HEALTH_PATH } : {}),
  };
  const edge = await startEdge(cloudflare, { account: ACCOUNT, workers: { [WORKER]: worker } });
  return { cloud, wire, user, old, fresh, cloudflare, edge };
}

export async function openGround({ lingers = false } = {}): Promise<Ground> {
  const { cloud, wire, user, old, fresh, cloudflare, edge } = await openClouds(lingers);
  const url = edge.url(WORKER);
  const before = new Map<number, () => void>();
  let calls = 0;
  const send = cloudflareFetch(cloudflare);
  const counting: typeof globalThis.fetch = (...call) => {
    calls += 1;
    before.get(calls)?.();
    return send(...call);
  };
  return {
    edge,
    url,
    before,
    calls: () => calls,
    old,
    async deliver(isStaged) {
      const worker = workerAt(url + HEALTH_PATH, isStaged, counting);
      try {
        const preflight = await worker.preflight(fresh.id);
        if (preflight.kind === "blocked") return `blocked: ${preflight.because}`;
        await worker.deliver(fresh, preflight.anchor, () => Promise.resolve(old));
        return "delivered";
      } catch (error) {
        return (error as Error).message;
      }
    },
    async putTwice() {
      cloudflare.changeSecrets(ACCOUNT, WORKER, { [ID]: fresh.id });
      await wait(BETWEEN_WRITES_MS);
      cloudflare.changeSecrets(ACCOUNT, WORKER, { [SECRET]: fresh.secret.reveal() });
      return "set";
    },
    setStatus(which, status) {
      const input = { UserName: user, AccessKeyId: which === "old" ? old.id : fresh.id, Status: status };
      cloud.callAs(cloud.role, { service: "iam", operation: "UpdateAccessKey", input });
    },
    deployByOthers: () => void cloudflare.deploy(ACCOUNT, WORKER, { code: "theirs" }),
    live: () => {
      const serving = cloudflare.live(ACCOUNT, WORKER);
      const told = serving.map(({ code, secrets }) => `${code}, ${secrets[ID] === fresh.id ? "new pair" : "old pair"}`);
      return told.join(" + ");
    },
    async close() {
      await edge.close();
      await wire.close();
    },
  };
}

/** The real destination over the real client and the real health route. */
function workerAt(healthUrl: string, isStaged: boolean, fetch: typeof globalThis.fetch): Destination {
  const random = { fraction: () => 0.5, token: () => "0".repeat(32) };
  const clock = { sleep: (ms: number) => wait(ms / FASTER), remainingMs: () => minutes(15) };
  const readToken = (token: string) => () => Promise.resolve(new Secret(token));
  const cloudflare = createCloudflare({
    baseUrl: "http://cloudflare.invalid/client/v4",
    readToken: readToken(API_TOKEN),
    timeoutMs: 20_000,
    clock,
    random,
    fetch,
  });
  const ask = createWorkerHealth({ url: healthUrl, readToken: readToken(HEALTH_TOKEN), timeoutMs: 3_000 });
  const secrets = { accessKeyId: ID, secretAccessKey: SECRET };
  return createCloudflareWorker(
    { kind: "cloudflare-worker", accountId: ACCOUNT, worker: WORKER, secrets, apiToken: "cloudflare/api-token" },
    { cloudflare, ask: isStaged ? ask : null, clock, random },
  );
}
