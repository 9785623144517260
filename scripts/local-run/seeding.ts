import config from "../../keyturn.config.ts";
import type { Cloud } from "../../test/world/cloud.ts";
import { Cloudflare } from "../../test/world/cloudflare.ts";
import type { SeededSystem, SystemName } from "../../test/world/five-systems.ts";
import { type GitHub, simulateGitHub } from "../../test/world/github.ts";
import type { Wire } from "../../test/world/wire/wire.ts";

export const CLOUDFLARE_TOKEN = "local-cloudflare-api-token";
const GITHUB_TOKEN = "local-github-token";
const TOPIC = "keyturn";

/** The Workers as `keyturn.config.ts` names them. */
export const workers = Object.values(config.profiles).flatMap(({ name, destinations }) =>
  destinations.flatMap((options) => (options.kind === "cloudflare-worker" ? [{ profile: name, ...options }] : [])),
);
/** The Cloudflare account that they are in. */
export const CLOUDFLARE_ACCOUNT = workers[0]?.accountId ?? "";

/** The Actions secrets of one text that `keyturn.config.ts` names, each with the system whose pair it holds. */
export const actionsSecrets = Object.values(config.profiles).flatMap(({ name, destinations }) =>
  destinations.flatMap((options) =>
    options.kind === "github-actions" && options.repository !== undefined && options.secret !== undefined
      ? [{ profile: name, apiToken: options.apiToken, repository: options.repository, secret: options.secret }]
      : [],
  ),
);

/** All five systems, or those that a run is about. */
type Seeded = Readonly<Partial<Record<SystemName, SeededSystem>>>;

/** Each Worker holds the pair that its owner once typed in; the API token lies in Secrets Manager. */
export function seedCloudflare(cloud: Cloud, systems: Seeded): Cloudflare {
  const cloudflare = new Cloudflare(cloud.clock);
  cloudflare.setToken(CLOUDFLARE_TOKEN, {
    account: CLOUDFLARE_ACCOUNT,
    scripts: workers.map(({ worker }) => worker),
    status: "active",
  });
  for (const { profile, accountId, worker, secrets, apiToken } of workers) {
    const system = systems[profile as SystemName];
    if (system === undefined) continue;
    const { keyId, secret } = system.firstPair;
    cloudflare.deploy(accountId, worker, {
      secrets: { [secrets.accessKeyId]: keyId, [secrets.secretAccessKey]: secret },
    });
    seedSecret(cloud, apiToken, CLOUDFLARE_TOKEN);
  }
  return cloudflare;
}

/** Each repository holds the pair that its owner once pasted in; a fine-grained token lies in Secrets Manager. */
export async function seedGitHub(cloud: Cloud, systems: Seeded): Promise<GitHub> {
  const github = await simulateGitHub(cloud.clock);
  for (const { profile, apiToken, repository, secret } of actionsSecrets) {
    const pair = systems[profile as SystemName]?.firstPair;
    if (pair === undefined) continue;
    github.addPlace(repository);
    const text = JSON.stringify({ Version: 1, AccessKeyId: pair.keyId, SecretAccessKey: pair.secret });
    github.setSecret(repository, secret, text);
    seedSecret(cloud, apiToken, GITHUB_TOKEN);
  }
  const sees = actionsSecrets.map(({ repository }) => repository);
  github.setToken(GITHUB_TOKEN, { rights: { secrets: "write" }, sees });
  return github;
}

function seedSecret(cloud: Cloud, name: string, SecretString: string): void {
  const input = { Name: name, SecretString };
  if (cloud.secretsManager.named(name) !== null) return;
  cloud.callAs(cloud.role, { service: "secretsmanager", operation: "CreateSecret", input });
}

/** All that the Lambda function is told: where the cloud is, who it is there, and what its deployment says. */
export function environmentOf(cloud: Cloud, wire: Pick<Wire, "url" | "tableName">): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: wire.url,
    AWS_ACCESS_KEY_ID: cloud.role.keyId,
    AWS_SECRET_ACCESS_KEY: cloud.role.secret,
    AWS_SESSION_TOKEN: cloud.role.sessionToken,
    AWS_REGION: "us-east-1",
    KEYTURN_TABLE: wire.tableName,
    KEYTURN_TOPIC: TOPIC,
    CLOUDFLARE_API_BASE_URL: `${wire.url}/client/v4`,
    GITHUB_API_URL: `${wire.url}/api/v3`,
    // What Lambda itself sets for a function whose log level is configured.
    AWS_LAMBDA_LOG_LEVEL: "FATAL",
  };
}
