import { fileURLToPath } from "node:url";
import type { SweepResult } from "../../src/sweep.ts";
import { SimulatedClock } from "../../test/world/clock.ts";
import { type Cloud, createCloud } from "../../test/world/cloud.ts";
import { Cloudflare } from "../../test/world/cloudflare.ts";
import { type Edge, startEdge } from "../../test/world/edge.ts";
import { type SeededSystem, seedOneSystem } from "../../test/world/five-systems.ts";
import { cloudflareHandler, isCloudflareUrl } from "../../test/world/wire/cloudflare-handler.ts";
import { startWire, type Wire } from "../../test/world/wire/wire.ts";
import { environmentOf } from "../local-run/seeding.ts";
import { ACCOUNT, API_TOKEN, configOf, HEALTH_PATH, type Holder, KEEP_FOR_MS, TOKENS, WORKER } from "./holders.ts";
import type { Program } from "./program.ts";
import { createTraffic, type Traffic } from "./traffic.ts";

/** A Monday. */
const START_MS = Date.UTC(2027, 0, 4);
/** Writing to Cloudflare takes its time, and what lies between two writes is seen by whoever calls meanwhile. */
const WRITE_TAKES_MS = 150;
/** Two stand for all: each is asked for itself. */
const REGIONS = ["us-east-1", "eu-central-1"];
/** What the world does at once makes a mistake show at once; what it tells late, it tells as late as ever. */
const LAGS = { deactivationMs: 0 };
const HOUR_MS = 3_600_000;
/** Isolates that run at once, and have read their pair at different times. */
const ISOLATES = 4;

/** What a row wants of its ground. */
export interface Setting {
  /** By the health route: staged. Without, the pair is set by one request. */
  readonly isStaged: boolean;
  /** Whose pairs the Workers hold. */
  readonly holders: readonly Holder[];
  /** The Worker's module, in `test/world/workers`. */
  readonly module: string;
  /** Each isolate goes on with a pair for ten minutes of the cloud's time, once it has read it. */
  readonly keepsPairs: boolean;
}

/** A call of Keyturn's, as "iam.CreateAccessKey" or "PATCH …/versions/latest". */
type CallListener = (name: string) => void;

/** One AWS account and one Cloudflare account with Workers in real workerd, their visitors, and Keyturn. */
export interface Ground {
  readonly cloud: Cloud;
  readonly cloudflare: Cloudflare;
  readonly edge: Edge;
  readonly traffic: Traffic;
  readonly systems: readonly SeededSystem[];
  /** Told of each call of Keyturn's right before it is served. */
  readonly listeners: CallListener[];
  /** Calls of visitors from the first write to Cloudflare to the end of a sweep. */
  readonly duringDeliveries: () => number;
  /** Those that Keyturn serves from now on: a bundle with another configuration is deployed. */
  readonly serve: (holders: readonly Holder[]) => void;
  readonly command: (event: object) => Promise<unknown>;
  readonly sweep: () => Promise<SweepResult>;
  /** Since the beginning. */
  readonly day: () => number;
  readonly leap: (ms: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Both clouds, with the pairs in the Workers, on the day before anything is due. */
async function openClouds(setting: Setting) {
  const clock = new SimulatedClock(START_MS - 25 * HOUR_MS);
  const cloud = createCloud({ clock, regions: REGIONS, lags: LAGS });
  cloud.iam.credentialReports.takesMs = 0;
  const wire = await startWire(cloud, { clock });
  const { systems, cloudflare } = seed(cloud, setting);
  const edge = await startWorkers(cloudflare, wire, { ...setting, clock });
  clock.run();
  return { clock, cloud, wire, systems, cloudflare, edge };
}

export async function openGround(program: Program, setting: Setting): Promise<Ground> {
  const { clock, wire, ...shown } = await openClouds(setting);
  const { cloud, cloudflare, edge } = shown;
  const traffic = createTraffic();
  const listeners: CallListener[] = [];
  let [writtenAt, duringDeliveries]: [number | null, number] = [null, 0];
  const tell = (name: string): void => {
    if (/^(PATCH|POST) /.test(name)) writtenAt ??= traffic.count();
    for (const listener of listeners) listener(name);
  };
  mountCloudflare(wire, cloudflare, tell);
  // The Workers call Lambda alone, and STS where their health is asked for.
  cloud.onCall(({ service, operation }) => (service === "lambda" ? null : tell(`${service}.${operation}`)));

  const configFor = (holders: readonly Holder[], isDue: boolean) =>
    configOf(holders, { isStaged: setting.isStaged, isDue, edge });
  let config = configFor(setting.holders, false);
  const command = async (event: object): Promise<unknown> => {
    Object.assign(process.env, environmentOf(cloud, wire));
    program.followClock(clock);
    return program.handle(config, event);
  };
  const sweep = async (): Promise<SweepResult> => {
    writtenAt = null;
    const result = (await command({ command: "sweep" })) as SweepResult;
    await edge.settled();
    if (writtenAt !== null) duringDeliveries += traffic.count() - writtenAt;
    return result;
  };
  // An installation that runs: the journal knows where the pairs are.
  await command({ command: "resume" });
  await sweep();
  clock.advance(START_MS - clock.now());
  config = configFor(setting.holders, true);
  return {
    ...shown,
    traffic,
    listeners,
    duringDeliveries: () => duringDeliveries,
    serve(holders) {
      config = configFor(holders, true);
    },
    command,
    sweep,
    day: () => (clock.now() - START_MS) / 24 / HOUR_MS,
    leap: (ms) => traffic.pause(() => clock.advance(ms)),
    async close() {
      await traffic.close();
      await edge.close();
      await wire.close();
    },
  };
}

/** The pairs are in custody, as an earlier rotation left them, and in the Workers. */
function seed(cloud: Cloud, { holders }: Setting) {
  const systems = holders.map(({ system }) => seedOneSystem(cloud, system, true));
  const cloudflare = new Cloudflare(cloud.clock);
  const workers = [...new Set(holders.flatMap((holder) => holder.workers))];
  cloudflare.setToken(API_TOKEN, { account: ACCOUNT, scripts: workers, status: "active" });
  for (const worker of workers) {
    const pairs = holders.flatMap(({ workers: its, secrets }, index) => {
      const { keyId = "", secret = "" } = systems[index]?.firstPair ?? {};
      return its.includes(worker)
        ? [
            [secrets.accessKeyId, keyId],
            [secrets.secretAccessKey, secret],
          ]
        : [];
    });
    cloudflare.deploy(ACCOUNT, worker, { code: "first", secrets: Object.fromEntries(pairs) as Record<string, string> });
  }
  for (const [Name, SecretString] of Object.entries(TOKENS)) {
    cloud.callAs(cloud.role, { service: "secretsmanager", operation: "CreateSecret", input: { Name, SecretString } });
  }
  return { systems, cloudflare };
}

function startWorkers(
  cloudflare: Cloudflare,
  { url }: Wire,
  { holders, module, keepsPairs, clock }: Setting & { readonly clock: SimulatedClock },
): Promise<Edge> {
  const scriptPath = fileURLToPath(new URL(`../../test/world/workers/${module}.js`, import.meta.url));
  const bindings = { AWS_ENDPOINT: url, KEYTURN_HEALTH_TOKEN: TOKENS["matchmaking/health"] };
  const isolates = { count: ISOLATES, keepForMs: KEEP_FOR_MS, clock, but: HEALTH_PATH };
  const worker = { scriptPath, bindings, ...(keepsPairs ? { isolates } : {}) };
  const names = new Set([WORKER, ...holders.flatMap(({ workers }) => workers)]);
  return startEdge(cloudflare, {
    account: ACCOUNT,
    workers: Object.fromEntries([...names].map((name) => [name, worker])),
  });
}

function mountCloudflare(wire: Wire, cloudflare: Cloudflare, tell: CallListener): void {
  const handle = cloudflareHandler(cloudflare);
  wire.mount(isCloudflareUrl, (request, response) => {
    const { method = "GET", url = "" } = request;
    const serve = (): void => {
      tell(`${method} ${url.replace(/^.*\/workers\//, "")}`);
      handle(request, response);
    };
    if (method === "GET") serve();
    else setTimeout(serve, WRITE_TAKES_MS);
  });
}
