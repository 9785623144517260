import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import type { SweepResult } from "../../src/sweep.ts";
import { SimulatedClock } from "../../test/world/clock.ts";
import { createCloud } from "../../test/world/cloud.ts";
import type { Cloud } from "../../test/world/cloud.ts";
import type { Cloudflare } from "../../test/world/cloudflare.ts";
import { seedOneSystem } from "../../test/world/five-systems.ts";
import type { SeededSystem } from "../../test/world/five-systems.ts";
import { cloudflareHandler, isCloudflareUrl } from "../../test/world/wire/cloudflare-handler.ts";
import { startWire } from "../../test/world/wire/wire.ts";
import { CLOUDFLARE_TOKEN, environmentOf, seedCloudflare } from "../local-run/seeding.ts";
import { startBundle } from "./child-process.ts";
import type { BundleProcess, Ending } from "./child-process.ts";
import { consumersOf } from "./consumers.ts";
import type { Consumers } from "./consumers.ts";
import { startFront } from "./front.ts";
import type { Front, Trap } from "./front.ts";

const START_MS = Date.UTC(2027, 0, 4);
const HOUR_MS = 3_600_000;
/** Two stand for all: each is asked for itself. */
const REGIONS = ["us-east-1", "eu-central-1"];
/** What the world does at once makes a mistake show at once; what it tells late, it tells as late as ever. */
const LAGS = { propagationMs: 0, deactivationMs: 0, replicaMs: 0 };
/** Consumers are at work at least so often, while time leaps. */
const STEP_MS = 5 * HOUR_MS;

/** The systems that are rotated, each alone: a hand-made key in a Worker; a pair in custody that two readers pull. */
export const SYSTEMS = { matchmaking: { isInCustody: false }, "invoice-scanner": { isInCustody: true } } as const;
export type System = keyof typeof SYSTEMS;
export const isSystem = (name: string): name is System => Object.hasOwn(SYSTEMS, name);

/** One sweep of the bundle, as it was seen from outside. */
export interface SweepSeen {
  readonly requests: readonly string[];
  readonly struck: string | null;
  readonly ending: Ending;
}

/** Whether the journal's item of the user holds a lease, and the intent of a creation. */
interface JournalSeen {
  readonly isLeased: boolean;
  readonly hasIntent: boolean;
}

/** One system with its consumers on a cloud of its own, and the bundle as a child process that rotates it. */
export interface Ground {
  readonly cloud: Cloud;
  readonly system: SeededSystem;
  readonly consumers: Consumers;
  readonly cloudflare: Cloudflare;
  sweep(trap: Trap | null): Promise<SweepSeen>;
  /** Time leaps, with everybody at work meanwhile. */
  pass(ms: number): void;
  /** The days since the beginning. */
  day(): number;
  /** What the journal keeps of the user. */
  journal(): Promise<JournalSeen>;
  /** Secrets that the processes have written, by the name of what they belong to. */
  leaked(): readonly string[];
  close(): Promise<void>;
}

/** `file`: the bundle. Its function is resumed when this resolves, and has not swept yet. */
export async function startGround(file: string, name: System): Promise<Ground> {
  const clock = new SimulatedClock(START_MS);
  const cloud = createCloud({ clock, regions: REGIONS, lags: LAGS });
  // A report that has to be made is waited for really, and every sweep here is hours after the last.
  cloud.iam.credentialReports.takesMs = 0;
  const wire = await startWire(cloud, { clock });
  const system = seedOneSystem(cloud, name, SYSTEMS[name].isInCustody);
  const cloudflare = seedCloudflare(cloud, { [name]: system });
  wire.mount(isCloudflareUrl, cloudflareHandler(cloudflare));
  const consumers = consumersOf(cloud, cloudflare, system);
  let bundle: BundleProcess | null = null;
  const front: Front = await startFront({
    cloudUrl: wire.url,
    now: () => clock.now(),
    kill: () => bundle?.kill(),
    onTurn: () => consumers.work(),
  });
  // Every line that it would log is written, and looked through for secrets.
  const environment = {
    ...environmentOf(cloud, { url: front.url, tableName: wire.tableName }),
    AWS_LAMBDA_LOG_LEVEL: "DEBUG",
  };
  const child = startBundle(file, environment);
  bundle = child;

  const pass = (ms: number): void => {
    consumers.work();
    for (let left = ms; left > 0; left -= STEP_MS) {
      clock.advance(Math.min(left, STEP_MS));
      consumers.work();
    }
  };
  const invoke = async (command: string): Promise<Ending> => {
    clock.run();
    const ending = await child.invoke({ command });
    clock.stop();
    return ending;
  };
  pass(HOUR_MS);
  await invoke("resume");
  return {
    cloud,
    cloudflare,
    system,
    consumers,
    pass,
    day: () => (clock.now() - START_MS) / 24 / HOUR_MS,
    async sweep(trap) {
      front.open(trap);
      const ending = await invoke("sweep");
      return { requests: front.requests(), struck: front.struck(), ending };
    },
    journal: () => readJournal(environmentOf(cloud, wire), system.user),
    leaked: () => leakedIn(child.written(), cloud),
    async close() {
      await child.close();
      await front.close();
      await wire.close();
    },
  };
}

async function readJournal(environment: Readonly<Record<string, string>>, user: string): Promise<JournalSeen> {
  const {
    AWS_ENDPOINT_URL: endpoint = "",
    AWS_ACCESS_KEY_ID: accessKeyId = "",
    AWS_SECRET_ACCESS_KEY: secretAccessKey = "",
  } = environment;
  const client = new DynamoDBClient({ endpoint, region: "us-east-1", credentials: { accessKeyId, secretAccessKey } });
  const Key = { pk: { S: `user#${user}` }, sk: { S: "record" } };
  const { Item = {} } = await client.send(new GetItemCommand({ TableName: environment["KEYTURN_TABLE"], Key }));
  client.destroy();
  const { intent = null } = JSON.parse(Item["record"]?.S ?? "{}") as { readonly intent?: unknown };
  return { isLeased: Item["lease"] !== undefined, hasIntent: intent !== null };
}

function leakedIn(written: string, cloud: Cloud): string[] {
  const secrets: [string, string][] = [...cloud.iam.keys.values()].map(({ id, secret }) => [id, secret]);
  secrets.push(["the Cloudflare token", CLOUDFLARE_TOKEN], ["the role", cloud.role.secret]);
  return secrets.filter(([, secret]) => written.includes(secret)).map(([name]) => name);
}

export const decisionsOf = ({ ending }: SweepSeen): string[] => {
  if (ending.kind === "killed") return ["killed"];
  if (ending.kind === "threw") return [ending.error];
  return (ending.result as SweepResult).users.flatMap(({ decisions, error }) => [
    ...decisions.map(
      (line) => `${line.rule}: ${line.step} ${line.outcome}, ${line.reason}: ${line.error?.message ?? line.because}`,
    ),
    ...(error === undefined ? [] : [`${error.code}: ${error.message}`]),
  ]);
};
