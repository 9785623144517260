import { createAccessKeys } from "./cloud/access-keys.ts";
import { createClients } from "./cloud/clients.ts";
import { createAwsClock } from "./cloud/clock.ts";
import { createSecretsStore } from "./cloud/cloudflare-secrets-store.ts";
import { type CloudflareOptions, createCloudflare } from "./cloud/cloudflare.ts";
import { createCustody } from "./cloud/custody.ts";
import { createDirectory } from "./cloud/directory.ts";
import { createEventBus } from "./cloud/event-bus.ts";
import { createIdentity } from "./cloud/identity.ts";
import { createJournal } from "./cloud/journal.ts";
import { createJsonService } from "./cloud/json-service.ts";
import { createLog } from "./cloud/log.ts";
import { createParameterStore } from "./cloud/parameter-store.ts";
import { readPlainSecret } from "./cloud/plain-secret.ts";
import { createProver } from "./cloud/prover.ts";
import { createRandom } from "./cloud/random.ts";
import { createSlack } from "./cloud/slack.ts";
import { createTopic } from "./cloud/sns.ts";
import { createWorkerHealth } from "./cloud/worker-health.ts";
import type { Config } from "./config/define.ts";
import type { Settings } from "./config/load.ts";
import { createDestination, type DestinationClients } from "./destinations/index.ts";
import { createEvidenceSources } from "./observe/evidence/index.ts";
import { HOLD_TAG } from "./observe/standing.ts";
import { createNotifier, type NotifierClients } from "./report/notifiers/index.ts";
import { seconds } from "./rotation/time.ts";
import type { Destination, Destinations, Notifier, World } from "./rotation/world.ts";

// The handlers and the command line find the configuration here, so that this file alone knows where it is.
export { default as config } from "../keyturn.config.ts";

/** The destinations' services, one request of them. */
const ANSWERS_WITHIN_MS = seconds(20);
const HEALTH_ANSWERS_WITHIN_MS = seconds(3);
const EVENTS = { service: "events", target: "AWSEvents" };

/** The real world, for one run of so long: clock, identity and connections are its own. `close` when it is over. */
export function compose(config: Config, settings: Settings, deadlineMs: number): World & { close(): void } {
  const clock = createAwsClock(deadlineMs);
  const random = createRandom();
  const clients = createClients({ region: settings.region, clock });
  const identity = createIdentity(clients);
  const stage = settings.stage === "default" ? null : settings.stage;
  const waiting = { timeoutMs: ANSWERS_WITHIN_MS, clock, random };
  const cloudflareWith = (apiToken: string): CloudflareOptions => ({
    ...waiting,
    baseUrl: settings.cloudflareBaseUrl,
    readToken: () => readPlainSecret(clients, apiToken),
  });
  const signed = { ...waiting, credentials: () => clients.secrets.config.credentials() };
  const at = (service: string, region: string) => ({
    ...signed,
    region,
    endpoint: endpointOf(settings, service, region),
  });
  const asking = { clock, identity, stage, lookupsPerSecond: config.cloudtrailPerSecond };
  return {
    clock,
    random,
    identity,
    log: createLog(),
    directory: createDirectory(clients, {
      tagKeys: [settings.enrolmentTag, HOLD_TAG],
      pathPrefix: config.discovery.by === "path" ? config.discovery.prefix : null,
      clock,
    }),
    accessKeys: createAccessKeys(clients, { clock, random }),
    custody: createCustody(clients, stage, random),
    prover: createProver(clients),
    evidence: createEvidenceSources(clients, { ...asking, trail: config.trail ?? null }),
    journal: createJournal(clients, { tableName: settings.table, clock, random }),
    notifiers: createNotifiers(config, {
      topic: createTopic(clients, settings.topic, identity),
      slack: (webhook) => createSlack({ ...waiting, readWebhook: () => readPlainSecret(clients, webhook) }),
      bus: (name) => {
        const ask = createJsonService({ ...EVENTS, ...at("events", settings.region) });
        return createEventBus(ask, name, waiting);
      },
    }),
    usage: clients.usage,
    destinations: createDestinations(config, {
      cloudflare: (apiToken) => createCloudflare(cloudflareWith(apiToken)),
      secretsStore: (apiToken) => createSecretsStore(cloudflareWith(apiToken)),
      parameters: (region) => createParameterStore(at("ssm", region)),
      health: ({ url, token }) =>
        createWorkerHealth({
          url,
          readToken: () => readPlainSecret(clients, token),
          timeoutMs: HEALTH_ANSWERS_WITHIN_MS,
        }),
      clock,
      random,
    }),
    close: () => clients.destroy(),
  };
}

const endpointOf = ({ awsEndpoint }: Settings, service: string, region: string): string =>
  awsEndpoint ?? `https://${service}.${region}.amazonaws.com`;

const createNotifiers = ({ notify }: Config, clients: NotifierClients): readonly Notifier[] =>
  notify.map((way) => createNotifier(way, clients));

/** The destinations of every profile, made once a run. */
function createDestinations(config: Config, clients: DestinationClients): Destinations {
  const byProfile = new Map<string, readonly Destination[]>();
  for (const [name, { destinations }] of Object.entries(config.profiles)) {
    byProfile.set(
      name,
      destinations.map((options) => createDestination(options, clients)),
    );
  }
  return { of: (profile) => byProfile.get(profile) ?? [] };
}
