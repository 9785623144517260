import { createAccessKeys } from "./cloud/access-keys.ts";
import { type Clients, createClients } from "./cloud/clients.ts";
import { type AwsClock, createAwsClock } from "./cloud/clock.ts";
import { createAllowances } from "./cloud/cloudflare-allowance.ts";
import { createPages } from "./cloud/cloudflare-pages.ts";
import { createSecretsStore } from "./cloud/cloudflare-secrets-store.ts";
import { createTokenIssuer } from "./cloud/cloudflare-tokens.ts";
import { type CloudflareOptions, createCloudflare } from "./cloud/cloudflare.ts";
import { createCustody } from "./cloud/custody.ts";
import { createDirectory } from "./cloud/directory.ts";
import { createEventBus } from "./cloud/event-bus.ts";
import { createGitHub, createTurns } from "./cloud/github.ts";
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
import { openTokenSecret } from "./cloud/token-secret.ts";
import { createWorkerHealth } from "./cloud/worker-health.ts";
import type { Config } from "./config/define.ts";
import type { Settings } from "./config/load.ts";
import { createDestination, type DestinationClients } from "./destinations/index.ts";
import { createEvidenceSources } from "./observe/evidence/index.ts";
import { HOLD_TAG } from "./observe/standing.ts";
import { createNotifier, type NotifierClients } from "./report/notifiers/index.ts";
import { seconds } from "./rotation/time.ts";
import { createTokenKeeper, type KeptToken } from "./tokens/keeper.ts";
import type { Destination, Destinations, Notifier, Random, World } from "./rotation/world.ts";

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
  const log = createLog();
  const journal = createJournal(clients, { tableName: settings.table, clock, random });
  const run = { clients, settings, running: { clock, random }, allowanceOf: createAllowances(clock) };
  const notifiers = createNotifiers(config, {
    ...notifierClients(run),
    topic: createTopic(clients, settings.topic, identity),
  });
  const kept = keptTokens(config, run);
  const asked = { clock, identity, stage, lookupsPerSecond: config.cloudtrailPerSecond };
  return {
    clock,
    random,
    identity,
    log,
    directory: createDirectory(clients, {
      tagKeys: [settings.enrolmentTag, HOLD_TAG],
      pathPrefix: config.discovery.by === "path" ? config.discovery.prefix : null,
      holdTag: HOLD_TAG,
      clock,
      random,
    }),
    accessKeys: createAccessKeys(clients, { clock, random }),
    custody: createCustody(clients, stage, random),
    prover: createProver(clients),
    evidence: createEvidenceSources(clients, { ...asked, trail: config.trail ?? null }),
    journal,
    notifiers,
    usage: clients.usage,
    destinations: createDestinations(config, destinationClients(run)),
    upkeep: createTokenKeeper({ clock, random, identity, log, journal, notifiers }, kept),
    close: () => clients.destroy(),
  };
}

/** What a client of a run's is made of. */
interface Run {
  readonly clients: Clients;
  readonly settings: Settings;
  /** All clients of one token share its limit. */
  readonly allowanceOf: ReturnType<typeof createAllowances>;
  readonly running: { readonly clock: AwsClock; readonly random: Random };
}

/** How a service is asked that a token is for. */
const asking = ({ clients, running }: Run, apiToken: string) => ({
  ...running,
  readToken: () => readPlainSecret(clients, apiToken),
  timeoutMs: ANSWERS_WITHIN_MS,
});

const askingCloudflare = (run: Run, apiToken: string): CloudflareOptions => ({
  ...asking(run, apiToken),
  allowance: run.allowanceOf(apiToken),
  baseUrl: run.settings.cloudflareBaseUrl,
});

/** Keyturn's own tokens, as the configuration names them. */
function keptTokens({ cloudflareTokens = [] }: Config, run: Run): readonly KeptToken[] {
  return cloudflareTokens.map(({ secret, issuer, accountId, rotateTokenAfter }) => ({
    secret,
    rotateAfterMs: rotateTokenAfter,
    issuer: createTokenIssuer(askingCloudflare(run, issuer), accountId ?? null),
    versions: openTokenSecret(run.clients, secret),
  }));
}

/** What destinations are made with. */
function destinationClients(run: Run): DestinationClients {
  const { clients, settings, running } = run;
  const { clock, random } = running;
  const inTurn = createTurns();
  return {
    cloudflare: (apiToken) => createCloudflare(askingCloudflare(run, apiToken)),
    pages: (apiToken) => createPages(askingCloudflare(run, apiToken)),
    secretsStore: (apiToken) => createSecretsStore(askingCloudflare(run, apiToken)),
    github: (apiToken, scope) =>
      createGitHub({ ...asking(run, apiToken), baseUrl: settings.githubBaseUrl, scope, inTurn }),
    parameters: (region) => createParameterStore(signedAt(run, "ssm", region)),
    health: ({ url, token }) =>
      createWorkerHealth({
        url,
        readToken: () => readPlainSecret(clients, token),
        timeoutMs: HEALTH_ANSWERS_WITHIN_MS,
      }),
    clock,
    random,
    staging: new Set(),
  };
}

/** How a service of AWS's is asked for which no client of the SDK is bundled. */
const signedAt = ({ clients, settings, running }: Run, service: string, region: string) => ({
  ...running,
  timeoutMs: ANSWERS_WITHIN_MS,
  credentials: () => clients.secrets.config.credentials(),
  region,
  endpoint: settings.awsEndpoint ?? `https://${service}.${region}.amazonaws.com`,
});

/** What notifiers tell by, beside the topic. */
function notifierClients(run: Run): Omit<NotifierClients, "topic"> {
  const waiting = { ...run.running, timeoutMs: ANSWERS_WITHIN_MS };
  return {
    slack: (webhook) => createSlack({ ...waiting, readWebhook: () => readPlainSecret(run.clients, webhook) }),
    bus: (name) => {
      const ask = createJsonService({ ...EVENTS, ...signedAt(run, "events", run.settings.region) });
      return createEventBus(ask, name, waiting);
    },
  };
}

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
