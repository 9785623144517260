import { createAccessKeys } from "../../../src/cloud/access-keys.ts";
import { createClients } from "../../../src/cloud/clients.ts";
import type { Clients } from "../../../src/cloud/clients.ts";
import { createAwsClock } from "../../../src/cloud/clock.ts";
import { createCustody } from "../../../src/cloud/custody.ts";
import { createDirectory } from "../../../src/cloud/directory.ts";
import { createIdentity } from "../../../src/cloud/identity.ts";
import { createJournal } from "../../../src/cloud/journal.ts";
import { createProver } from "../../../src/cloud/prover.ts";
import { createRandom } from "../../../src/cloud/random.ts";
import type { TrailOptions } from "../../../src/observe/evidence/deepen.ts";
import { createEvidenceSources } from "../../../src/observe/evidence/index.ts";
import { minutes } from "../../../src/rotation/time.ts";
import type { Clock, Destinations, Log, Notifier, World } from "../../../src/rotation/world.ts";
import type { SimulatedClock } from "../clock.ts";
import type { CloudRole } from "../cloud.ts";
import { recordingLog } from "../direct/recorders.ts";
import type { Wire } from "./wire.ts";

export interface WireWorldOptions {
  readonly region?: string;
  /** The deployed stage; null for the default one. */
  readonly stage?: string | null;
  readonly pathPrefix?: string | null;
  readonly deadlineMs?: number;
  /** As many as the simulated limit allows where its throttling is of interest; a hundred where it is not said. */
  readonly lookupsPerSecond?: number;
  /** A trail that is asked where Event history shows no use. */
  readonly trail?: TrailOptions;
  readonly destinations?: Destinations;
  readonly notifiers?: readonly Notifier[];
  readonly log?: Log;
}

/** What of the cloud does not go over the wire. */
interface WireCloud {
  readonly role: CloudRole;
  readonly clock: Pick<SimulatedClock, "isRunning" | "advance">;
}

/** One run's World: every adapter is the real one, and speaks to the simulated cloud over HTTP as the cloud's role. */
export interface WireWorld extends World {
  readonly clients: Clients;
  /** Closes the run's connections. */
  close(): void;
}

const NO_DESTINATIONS: Destinations = { of: () => [] };

/** Where simulated time stands still, waiting for something of the cloud's moves it. */
async function waitFor(cloud: WireCloud, clock: Clock, ms: number): Promise<void> {
  if (cloud.clock.isRunning) await clock.sleep(ms);
  else cloud.clock.advance(ms);
}

/** A new run. Its clock begins with its first answer, so that after a leap of the cloud's time a new run is made. */
export function wireWorld(
  cloud: WireCloud,
  wire: Pick<Wire, "url" | "tableName">,
  options: WireWorldOptions = {},
): WireWorld {
  const clock = createAwsClock(options.deadlineMs ?? minutes(14));
  const clients = createClients({
    region: options.region ?? "us-east-1",
    clock,
    sdk: {
      endpoint: wire.url,
      credentials: {
        accessKeyId: cloud.role.keyId,
        secretAccessKey: cloud.role.secret,
        sessionToken: cloud.role.sessionToken,
      },
    },
  });
  // The SDK takes each error of a cloud whose time is not the machine's for its own wrong clock, and repeats the call.
  const { iam, iamOnce, sts, account, dynamodb, secrets } = clients;
  for (const { config } of [iam, iamOnce, sts, account, dynamodb, secrets]) {
    config.disableClockSkewCorrection = async () => Promise.resolve(true);
  }
  const stage = options.stage ?? null;
  const random = createRandom();
  const waiting = { clock: { sleep: async (ms: number) => waitFor(cloud, clock, ms) }, random };
  const identity = createIdentity(clients);
  return {
    clients,
    clock,
    random,
    identity,
    log: options.log ?? recordingLog(),
    directory: createDirectory(clients, {
      tagKeys: ["keyturn", "keyturn-dev", "keyturn-hold"],
      pathPrefix: options.pathPrefix ?? null,
      holdTag: "keyturn-hold",
      ...waiting,
    }),
    accessKeys: createAccessKeys(clients, waiting),
    custody: createCustody(clients, stage, random),
    prover: createProver(clients),
    evidence: createEvidenceSources(clients, {
      clock: { ...clock, sleep: waiting.clock.sleep },
      identity,
      stage,
      trail: options.trail ?? null,
      lookupsPerSecond: options.lookupsPerSecond ?? 100,
    }),
    journal: createJournal(clients, { tableName: wire.tableName, ...waiting }),
    notifiers: options.notifiers ?? [],
    destinations: options.destinations ?? NO_DESTINATIONS,
    close: () => clients.destroy(),
  };
}
