import { fileURLToPath } from "node:url";
import { SimulatedClock } from "../../test/world/clock.ts";
import { createCloud } from "../../test/world/cloud.ts";
import type { Cloud } from "../../test/world/cloud.ts";
import type { Cloudflare } from "../../test/world/cloudflare.ts";
import { startEdge } from "../../test/world/edge.ts";
import type { Edge } from "../../test/world/edge.ts";
import { seedFiveSystems } from "../../test/world/five-systems.ts";
import type { SeededSystem, SystemName } from "../../test/world/five-systems.ts";
import type { GitHub } from "../../test/world/github.ts";
import { cloudflareHandler, isCloudflareUrl } from "../../test/world/wire/cloudflare-handler.ts";
import { githubHandler, isGitHubUrl } from "../../test/world/wire/github-handler.ts";
import { startWire } from "../../test/world/wire/wire.ts";
import type { Wire } from "../../test/world/wire/wire.ts";
import { CLOUDFLARE_ACCOUNT, environmentOf, seedCloudflare, seedGitHub, workers } from "./seeding.ts";

export { CLOUDFLARE_ACCOUNT, CLOUDFLARE_TOKEN, workers } from "./seeding.ts";

/** A Monday, so that weekdays are easy to count. */
export const START_MS = Date.UTC(2027, 0, 4);
/** This time is real: the clock runs one to one while a sweep waits for a fresh key. A few seconds show what is to be shown. */
const PROPAGATION_MS = 1_500;
/** What the Workers' health routes let in. */
export const HEALTH_TOKEN = "local-health-token";
/** Writing to Cloudflare and GitHub takes its time, and what lies between two writes is seen by whoever calls meanwhile. */
const WRITE_TAKES_MS = 150;
/** Three stand for all: each is asked for itself. */
const REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-2"];

/** One simulated AWS account and one Cloudflare account on this machine, with the five systems as their owners left them. */
export interface LocalCloud {
  readonly cloud: Cloud;
  readonly clock: SimulatedClock;
  readonly wire: Wire;
  readonly cloudflare: Cloudflare;
  readonly github: GitHub;
  readonly edge: Edge;
  readonly systems: Readonly<Record<SystemName, SeededSystem>>;
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
  const github = await seedGitHub(cloud, systems);
  github.writeTakesMs = WRITE_TAKES_MS;
  wire.mount(isGitHubUrl, githubHandler(github));
  const edge = await startWorkers(isPushLost ? seedCloudflare(cloud, systems) : cloudflare, wire.url);
  return {
    cloud,
    clock,
    wire,
    cloudflare,
    github,
    edge,
    systems,
    environment: environmentOf(cloud, wire),
    async close() {
      await edge.close();
      await wire.close();
    },
  };
}

function mountCloudflare(wire: Wire, cloudflare: Cloudflare): void {
  const handle = cloudflareHandler(cloudflare);
  wire.mount(isCloudflareUrl, (request, response) => {
    if (request.method === "GET") handle(request, response);
    else setTimeout(() => handle(request, response), WRITE_TAKES_MS);
  });
}

function startWorkers(cloudflare: Cloudflare, endpoint: string): Promise<Edge> {
  const entries = workers.map(({ worker }) => {
    const module = new URL(`../../test/world/workers/${worker}.js`, import.meta.url);
    const bindings = { AWS_ENDPOINT: endpoint, AWS_REGION: "us-east-1", KEYTURN_HEALTH_TOKEN: HEALTH_TOKEN };
    return [worker, { scriptPath: fileURLToPath(module), bindings }] as const;
  });
  return startEdge(cloudflare, { account: CLOUDFLARE_ACCOUNT, workers: Object.fromEntries(entries) });
}
