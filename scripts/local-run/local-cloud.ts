import { fileURLToPath } from "node:url";
import config from "../../keyturn.config.ts";
import { SimulatedClock } from "../../test/world/clock.ts";
import { createCloud } from "../../test/world/cloud.ts";
import type { Cloud } from "../../test/world/cloud.ts";
import { Cloudflare } from "../../test/world/cloudflare.ts";
import { startEdge } from "../../test/world/edge.ts";
import type { Edge } from "../../test/world/edge.ts";
import { seedFiveSystems } from "../../test/world/five-systems.ts";
import type { SeededSystem, SystemName } from "../../test/world/five-systems.ts";
import { cloudflareHandler, isCloudflareUrl } from "../../test/world/wire/cloudflare-handler.ts";
import { startWire } from "../../test/world/wire/wire.ts";
import type { Wire } from "../../test/world/wire/wire.ts";

/** A Monday, so that weekdays are easy to count. */
export const START_MS = Date.UTC(2027, 0, 4);
/** This time is real: the clock runs one to one while a sweep waits for a fresh key. A few seconds show what is to be shown. */
const PROPAGATION_MS = 1_500;
/** Writing to Cloudflare takes its time, and what lies between two writes is seen by whoever calls meanwhile. */
const CLOUDFLARE_WRITE_TAKES_MS = 150;
export const CLOUDFLARE_TOKEN = "local-cloudflare-api-token";
const TOPIC = "keyturn";
/** Three stand for all: each is asked for itself. */
const REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-2"];

/** One simulated AWS account and one Cloudflare account on this machine, with the five systems as their owners left them. */
export interface LocalCloud {
  readonly cloud: Cloud;
  readonly clock: SimulatedClock;
  readonly wire: Wire;
  readonly cloudflare: Cloudflare;
  readonly edge: Edge;
  readonly systems: Readonly<Record<SystemName, SeededSystem>>;
  /** All that the Lambda function is told: where the cloud is, who it is there, and what its deployment says. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

interface LocalCloudOptions {
  readonly port?: number;
  /** Cloudflare says that a deployment is live, and the edge goes on with what it had. */
  readonly isPushLost?: boolean;
}

/** Starts both on free ports, or AWS and Cloudflare's API on the one that is named. Nothing outside this machine is reached. */
export async function startLocalCloud({ port = 0, isPushLost = false }: LocalCloudOptions = {}): Promise<LocalCloud> {
  const clock = new SimulatedClock(START_MS);
  const cloud = createCloud({ clock, regions: REGIONS, lags: { propagationMs: PROPAGATION_MS } });
  // Six a simulated day, each of them some seconds of waiting in real time, would show nothing.
  cloud.iam.credentialReports.takesMs = 0;
  const wire = await startWire(cloud, { clock, port });
  const systems = seedFiveSystems(cloud);
  const cloudflare = seedCloudflare(cloud, systems);
  mountCloudflare(wire, cloudflare);
  const edge = await startWorkers(isPushLost ? seedCloudflare(cloud, systems) : cloudflare, wire.url);
  return {
    cloud,
    clock,
    wire,
    cloudflare,
    edge,
    systems,
    environment: environmentOf(cloud, wire),
    async close() {
      await edge.close();
      await wire.close();
    },
  };
}

/** The Workers as `keyturn.config.ts` names them. */
export const workers = Object.values(config.profiles).flatMap(({ name, destinations }) =>
  destinations.flatMap((options) => (options.kind === "cloudflare-worker" ? [{ profile: name, ...options }] : [])),
);
/** The Cloudflare account that they are in. */
export const CLOUDFLARE_ACCOUNT = workers[0]?.accountId ?? "";

/** Both Workers hold the pair that their owners once typed in; the API token lies in Secrets Manager. */
function seedCloudflare(cloud: Cloud, systems: LocalCloud["systems"]): Cloudflare {
  const cloudflare = new Cloudflare(cloud.clock);
  cloudflare.setToken(CLOUDFLARE_TOKEN, {
    account: CLOUDFLARE_ACCOUNT,
    scripts: workers.map(({ worker }) => worker),
    status: "active",
  });
  for (const { profile, accountId, worker, secrets, apiToken } of workers) {
    const { keyId, secret } = systems[profile as SystemName].firstPair;
    cloudflare.deploy(accountId, worker, {
      secrets: { [secrets.accessKeyId]: keyId, [secrets.secretAccessKey]: secret },
    });
    seedSecret(cloud, apiToken);
  }
  return cloudflare;
}

function seedSecret(cloud: Cloud, name: string): void {
  const input = { Name: name, SecretString: CLOUDFLARE_TOKEN };
  if (cloud.secretsManager.named(name) !== null) return;
  cloud.callAs(cloud.role, { service: "secretsmanager", operation: "CreateSecret", input });
}

function mountCloudflare(wire: Wire, cloudflare: Cloudflare): void {
  const handle = cloudflareHandler(cloudflare);
  wire.mount(isCloudflareUrl, (request, response) => {
    if (request.method === "GET") handle(request, response);
    else setTimeout(() => handle(request, response), CLOUDFLARE_WRITE_TAKES_MS);
  });
}

function startWorkers(cloudflare: Cloudflare, endpoint: string): Promise<Edge> {
  const entries = workers.map(({ worker }) => {
    const module = new URL(`../../test/world/workers/${worker}.js`, import.meta.url);
    const bindings = { AWS_ENDPOINT: endpoint, AWS_REGION: "us-east-1" };
    return [worker, { scriptPath: fileURLToPath(module), bindings }] as const;
  });
  return startEdge(cloudflare, { account: CLOUDFLARE_ACCOUNT, workers: Object.fromEntries(entries) });
}

function environmentOf(cloud: Cloud, wire: Wire): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: wire.url,
    AWS_ACCESS_KEY_ID: cloud.role.keyId,
    AWS_SECRET_ACCESS_KEY: cloud.role.secret,
    AWS_SESSION_TOKEN: cloud.role.sessionToken,
    AWS_REGION: "us-east-1",
    KEYTURN_TABLE: wire.tableName,
    KEYTURN_TOPIC: TOPIC,
    CLOUDFLARE_API_BASE_URL: `${wire.url}/client/v4`,
    // What Lambda itself sets for a function whose log level is configured.
    AWS_LAMBDA_LOG_LEVEL: "FATAL",
  };
}
