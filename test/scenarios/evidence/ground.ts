import { CLOUDFLARE_ACCOUNT, CLOUDFLARE_TOKEN, seedCloudflare, workers } from "../../../scripts/local-run/seeding.ts";
import { days, hours, minutes } from "../../../src/rotation/time.ts";
import type { Notice } from "../../../src/rotation/notice.ts";
import type { Profile, RotationPolicy } from "../../../src/rotation/policy.ts";
import type { Destination } from "../../../src/rotation/world.ts";
import type { SweepResult } from "../../../src/sweep.ts";
import { aPolicy, aProfile } from "../../builders.ts";
import type { SigningPair } from "../../world/caller.ts";
import { SimulatedClock } from "../../world/clock.ts";
import { createCloud } from "../../world/cloud.ts";
import type { Cloud } from "../../world/cloud.ts";
import type { Cloudflare } from "../../world/cloudflare.ts";
import { seedOneSystem } from "../../world/five-systems.ts";
import type { SeededSystem } from "../../world/five-systems.ts";
import { cloudflareHandler, isCloudflareUrl } from "../../world/wire/cloudflare-handler.ts";
import type { WireWorld } from "../../world/wire/wire-world.ts";
import { startWire } from "../../world/wire/wire.ts";
import type { Wire } from "../../world/wire/wire.ts";
import { consumer } from "../../world/workloads.ts";
import type { Consumer, ConsumerOptions } from "../../world/workloads.ts";
import type { Program } from "./program.ts";

const START_MS = Date.UTC(2027, 0, 4);
/** Two that every account has, and one that somebody enabled. */
export const OPT_IN_REGION = "me-south-1";
const REGIONS = ["us-east-1", "eu-central-1", OPT_IN_REGION];
const STEP_MS = hours(1);
const INVOKE = { service: "lambda", operation: "Invoke" };

/** One user on a cloud of its own, with its consumers; each sweep is a run of the program over HTTP. */
export interface Ground {
  readonly cloud: Cloud;
  readonly cloudflare: Cloudflare;
  readonly system: SeededSystem;
  readonly notices: readonly Notice[];
  /** Somebody who signs this call so often with a pair, from now on. */
  joins(who: Joining): void;
  sweep(): Promise<SweepResult>;
  /** Everybody at work, hour after hour, and a sweep a day where it is not said otherwise. */
  pass(ms: number, betweenSweepsMs?: number): Promise<void>;
  /** The pair under a label of custody; null while there is none. */
  pairAt(stage: "AWSCURRENT" | "AWSPREVIOUS"): SigningPair | null;
  /** The pair that the Worker's live version holds. */
  livePair(): SigningPair;
  /** What became of the first key. */
  firstKey(): "Active" | "Inactive" | "gone";
  /** Calls of consumers that failed, one line each. */
  failures(): string[];
  /** The texts of all notices of a code. */
  told(code: string): string[];
}

interface Joining {
  readonly name: string;
  readonly everyMs: number;
  /** Until the first call; one hour where it is not said. */
  readonly afterMs?: number;
  readonly pair: () => SigningPair;
  readonly call?: ConsumerOptions["call"];
  readonly region?: string;
}

export interface GroundOptions {
  /** matchmaking: a Worker holds the first pair; invoice-scanner: custody does. */
  readonly system: "matchmaking" | "invoice-scanner";
  readonly policy?: Partial<RotationPolicy>;
  readonly replicaRegions?: readonly string[];
}

/** Plays on new ground, and leaves nothing running. */
export async function onGround<Seen>(
  program: () => Promise<Program>,
  options: GroundOptions,
  play: (ground: Ground) => Promise<Seen>,
): Promise<Seen> {
  const clock = new SimulatedClock(START_MS);
  const cloud = createCloud({ clock, regions: REGIONS, lags: { propagationMs: 0 } });
  cloud.iam.credentialReports.takesMs = 0;
  // Time stands still during a sweep, so that two requests are at once too many.
  cloud.cloudTrail.isThrottling = false;
  const system = seedOneSystem(cloud, options.system, options.system === "invoice-scanner");
  // The first key is due, and was in use before anybody looked.
  const key = cloud.iam.keys.get(system.firstPair.keyId);
  if (key !== undefined) Object.assign(key, { createdAtMs: START_MS - days(80) });
  cloud.callAs(system.firstPair, { service: "lambda", operation: "Invoke" });
  clock.advance(hours(5));
  const cloudflare = seedCloudflare(cloud, { [options.system]: system });
  const wire = await startWire(cloud, { clock });
  wire.mount(isCloudflareUrl, cloudflareHandler(cloudflare));
  try {
    const running = { program: await program(), cloud, wire, system, cloudflare };
    return await play(await groundOf(running, profileOf(system, options)));
  } finally {
    await wire.close();
  }
}

function profileOf(system: SeededSystem, { policy, replicaRegions = [] }: GroundOptions): Profile {
  const told = { policy: aPolicy(policy), replicaRegions, smtp: "none" } as const;
  return aProfile({ name: system.profile, users: [system.user], ...told });
}

interface Running {
  readonly program: Program;
  readonly cloud: Cloud;
  readonly wire: Wire;
  readonly system: SeededSystem;
  readonly cloudflare: Cloudflare;
}

async function groundOf(running: Running, profile: Profile): Promise<Ground> {
  const { program, cloud, system, cloudflare } = running;
  const { clock } = cloud;
  const people: { readonly consumer: Consumer; readonly everyMs: number; nextAtMs: number }[] = [];
  const notices: Notice[] = [];
  let passed = 0;

  const invoke = async <Answer>(use: (world: WireWorld) => Promise<Answer>): Promise<Answer> => {
    const world = program.wireWorld(cloud, running.wire, {
      notifiers: [{ name: "list", notify: async (said) => Promise.resolve(void notices.push(...said)) }],
    });
    const destinations = { of: () => [destinationOf(running, world)] };
    try {
      await world.identity.read();
      return await use({ ...world, destinations });
    } finally {
      world.close();
    }
  };
  const sweep = async (): Promise<SweepResult> =>
    invoke(async (world) =>
      program.sweep(world, { profiles: { [profile.name]: profile }, enrolmentTag: "keyturn", mode: "act" }),
    );
  const work = (): void => {
    for (const person of people.filter(({ nextAtMs }) => nextAtMs <= clock.now())) {
      person.consumer.work();
      person.nextAtMs += person.everyMs;
    }
  };
  await invoke(async ({ journal }) => journal.setRunning(program.instant(clock.now())));
  return {
    cloud,
    cloudflare,
    system,
    notices,
    sweep,
    joins({ everyMs, afterMs = STEP_MS, name, region = "us-east-1", call = INVOKE, pair }) {
      const whereabouts = { name, region, sourceAddress: "203.0.113.9", userAgent: name };
      const joined = consumer(cloud, { ...whereabouts, pair, call });
      people.push({ consumer: joined, everyMs, nextAtMs: clock.now() + afterMs });
    },
    async pass(ms, betweenSweepsMs = days(1)) {
      for (let left = ms; left > 0; left -= STEP_MS) {
        clock.advance(Math.min(left, STEP_MS));
        work();
        passed += STEP_MS;
        if (passed % betweenSweepsMs === 0) await sweep();
      }
    },
    pairAt: (stage) => pairIn(cloud.secretsManager.textOf(`keyturn/${system.user}`, stage)),
    livePair: () => livePair(cloudflare),
    firstKey() {
      const found = cloud.iam.keysOf(system.user).find(({ id }) => id === system.firstPair.keyId);
      if (found === undefined) return "gone";
      return found.status === "Active" ? "Active" : "Inactive";
    },
    failures: () =>
      people.flatMap(({ consumer: one }) => one.failures().map(({ error }) => `${one.name}: ${error ?? ""}`)),
    told: (code) => notices.filter((notice) => notice.code === code).map(({ text }) => text),
  };
}

/** The one place that the pair goes to: the Worker, or whoever reads custody. */
function destinationOf({ program, wire, system }: Running, world: WireWorld): Destination {
  const worker = workers.find(({ profile }) => profile === system.profile);
  const cloudflare = () =>
    program.createCloudflare({
      baseUrl: `${wire.url}/client/v4`,
      readToken: async () => Promise.resolve(new program.Secret(CLOUDFLARE_TOKEN)),
      timeoutMs: minutes(1),
      clock: world.clock,
      random: world.random,
    });
  const unused = (): never => {
    throw new Error("none of the systems has such a destination");
  };
  const { clock, random } = world;
  const clients = {
    cloudflare,
    pages: unused,
    secretsStore: unused,
    parameters: unused,
    github: unused,
    health: unused,
    clock,
    random,
    staging: new Set<string>(),
  };
  if (worker === undefined) return program.createDestination({ kind: "secrets-manager" }, clients);
  const { profile: _profile, ...options } = worker;
  return program.createDestination(options, clients);
}

function pairIn(text: string | null): SigningPair | null {
  const held = JSON.parse(text ?? "{}") as Readonly<Record<string, unknown>>;
  const { AccessKeyId: keyId, SecretAccessKey: secret } = held;
  return typeof keyId === "string" && typeof secret === "string" ? { keyId, secret } : null;
}

function livePair(cloudflare: Cloudflare): SigningPair {
  const matchmaking = workers.find(({ profile }) => profile === "matchmaking");
  const held = cloudflare.live(CLOUDFLARE_ACCOUNT, "matchmaking")[0]?.secrets ?? {};
  const { accessKeyId = "", secretAccessKey = "" } = matchmaking?.secrets ?? {};
  return { keyId: held[accessKeyId] ?? "", secret: held[secretAccessKey] ?? "" };
}
