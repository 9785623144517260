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
import { createGitHub, createTurns } from "./cloud/github.ts";
import { createIdentity } from "./cloud/identity.ts";
import { createJournal } from "./cloud/journal.ts";
import { createLog } from "./cloud/log.ts";
import { createParameterStore } from "./cloud/parameter-store.ts";
import { readPlainSecret } from "./cloud/plain-secret.ts";
import { createProver } from "./cloud/prover.ts";
import { createRandom } from "./cloud/random.ts";
import { createPublisher } from "./cloud/sns.ts";
import { openTokenSecret } from "./cloud/token-secret.ts";
import { createWorkerHealth } from "./cloud/worker-health.ts";
import type { Config } from "./config/define.ts";
import type { Settings } from "./config/load.ts";
import { createDestination, type DestinationClients } from "./destinations/index.ts";
import { createEvidenceSources } from "./observe/evidence/index.ts";
import { HOLD_TAG } from "./observe/standing.ts";
import { createNotifiers } from "./report/notifiers/index.ts";
import { seconds } from "./rotation/time.ts";
import { createTokenKeeper, type KeptToken } from "./tokens/keeper.ts";
import type { Destination, Destinations, Random, World } from "./rotation/world.ts";

// The handlers and the command line find the configuration here, so that this file alone knows where it is.
export { default as config } from "../keyturn.config.ts";

/** The destinations' services, one request of them. */
const ANSWERS_WITHIN_MS = seconds(20);
const HEALTH_ANSWERS_WITHIN_MS = seconds(3);

/** The real world, for one run of so long: clock, identity and connections are its own. `close` when it is over. */
export function compose(config: Config, settings: Settings, deadlineMs: number): World & { close(): void } {
  const clock = createAwsClock(deadlineMs);
  const random = createRandom();
  const clients = createClients({ region: settings.region, clock });
  const identity = createIdentity(clients);
  const stage = settings.stage === "default" ? null : settings.stage;
  const log = createLog();
  const journal = createJournal(clients, { tableName: settings.table, clock, random });
  const notifiers = createNotifiers({ publish: createPublisher(clients, settings.topic, identity) });
  const run = { clients, settings, running: { clock, random }, allowanceOf: createAllowances(clock) };
  const kept = keptTokens(config, run);
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
    evidence: createEvidenceSources(clients, { clock, identity, stage, trail: config.trail ?? null }),
    journal,
    notifiers,
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
    parameters: (region) =>
      createParameterStore({
        region,
        endpoint: settings.awsEndpoint ?? `https://ssm.${region}.amazonaws.com`,
        credentials: () => clients.secrets.config.credentials(),
        timeoutMs: ANSWERS_WITHIN_MS,
        clock,
        random,
      }),
    health: ({ url, token }) =>
      createWorkerHealth({
        url,
        readToken: () => readPlainSecret(clients, token),
        timeoutMs: HEALTH_ANSWERS_WITHIN_MS,
      }),
    clock,
    random,
  };
}

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
