import { vi } from "vitest";
import { CLOUDFLARE_ACCOUNT, CLOUDFLARE_TOKEN, startLocalCloud } from "../../../scripts/local-run/local-cloud.ts";
import type { LocalCloud } from "../../../scripts/local-run/local-cloud.ts";
import { compose, config } from "../../../src/compose.ts";
import { defineConfig } from "../../../src/config/define.ts";
import type { Config } from "../../../src/config/define.ts";
import { loadSettings } from "../../../src/config/load.ts";
import type { Command } from "../../../src/handlers/command.ts";
import { obey } from "../../../src/handlers/obey.ts";
import { days, hours, minutes } from "../../../src/rotation/time.ts";
import type { CloudCall } from "../../world/call.ts";
import type { Cloud } from "../../world/cloud.ts";
import { optionalText, structures, texts } from "../../world/input.ts";
import { ApiTokens } from "../../world/cloudflare-tokens.ts";
import { SecretsStore } from "../../world/secrets-store.ts";
import type { Asked } from "./policy.ts";

/** Whole rotations, and what each of their calls needed of the function's role. */
export interface Rotated {
  readonly asked: readonly Asked[];
  /** The users whose first key is deleted: their rotation went from end to end. */
  readonly finished: readonly string[];
  /** The key ids that the parameter and the stored secret of the user found by the path hold in the end. */
  readonly handedOver: readonly string[];
  /** That user's only key. */
  readonly nightlyKey: string;
  /** Cloudflare's tokens but the issuer, and the one that the secret holds in the end. */
  readonly tokens: { readonly all: readonly string[]; readonly held: string | null };
}

const SWEEP: Command = { command: "sweep" };

const PARAMETER = "/keyturn/nightly";
const STORED = { accountId: CLOUDFLARE_ACCOUNT, store: "default_secrets_store", secret: "NIGHTLY_AWS_KEY" };

/** A user who is found by the path, whose pair is shown in a second Region, and goes where the five systems' do not. */
const BY_PATH = defineConfig({
  discovery: { by: "path", prefix: "/rotated/" },
  cloudflareTokens: [
    { secret: "cloudflare/api-token", issuer: "cloudflare/issuer-token", accountId: CLOUDFLARE_ACCOUNT },
  ],
  profiles: {
    nightly: {
      users: ["/rotated/"],
      destinations: [
        { kind: "secrets-manager" },
        { kind: "ssm-parameter", name: PARAMETER, region: "eu-central-1" },
        { kind: "cloudflare-secrets-store", ...STORED, apiToken: "cloudflare/api-token" },
      ],
      replicaRegions: ["eu-central-1"],
      smtp: "none",
    },
  },
});

/**
 * Rotates the five systems by the configuration as it is deployed, and one user more by one that uses what it leaves
 * out: the function's own parts, over the wire, from the first sweep to the deletions.
 */
export async function rotateAll(): Promise<Rotated> {
  const local = await startLocalCloud();
  for (const [name, value] of Object.entries(local.environment)) vi.stubEnv(name, value);
  try {
    local.cloud.iam.createUser({ name: "nightly", path: "/rotated/", tags: { keyturn: "nightly" } });
    const first = local.cloud.iam.createKey("nightly", {
      createdAtMs: local.clock.now() - days(100),
    });
    seedPlaces(local);
    seedTokens(local);
    useNewestKeys(local.cloud);
    local.clock.advance(hours(5));
    const asked: Asked[] = [];
    const stop = local.cloud.onCall((call) => asked.push(...needs(local.cloud, call)));
    await run(config, { command: "resume" });
    for (const pauseMs of [hours(1), days(12), days(9)]) {
      local.clock.run();
      await run(config, SWEEP);
      apart(local);
      await run(BY_PATH, SWEEP);
      local.clock.stop();
      useNewestKeys(local.cloud);
      local.clock.advance(pauseMs);
    }
    local.clock.run();
    await run(config, SWEEP);
    await run(config, { command: "explain", user: "flowid-dev-user" as never });
    apart(local);
    await run(BY_PATH, SWEEP);
    stop();
    const firsts = Object.values(local.systems).map(({ user, firstPair }) => [user, firstPair.keyId]);
    const finished = [...firsts, ["nightly", first.id]].flatMap(([user = "", id = ""]) =>
      local.cloud.iam.keys.get(id)?.isDeleted === true ? [user] : [],
    );
    const nightlyKey = local.cloud.iam
      .keysOf("nightly")
      .map(({ id }) => id)
      .join(" ");
    return { asked, finished, handedOver: heldAt(local), nightlyKey, tokens: tokensOf(local) };
  } finally {
    vi.unstubAllEnvs();
    await local.close();
  }
}

/**
 * Two invocations know nothing of each other's pace: within one second they can be too many for CloudTrail, which then
 * rightly makes a sweep hold.
 */
function apart({ clock }: LocalCloud): void {
  clock.stop();
  clock.advance(minutes(1));
  clock.run();
}

/** The parameter and the stored secret, as their owner makes them: with any text. */
function seedPlaces({ cloud, cloudflare, clock }: LocalCloud): void {
  const input = { Name: PARAMETER, Value: "none yet", Type: "SecureString" };
  cloud.callAs(cloud.role, { service: "ssm", operation: "PutParameter", region: "eu-central-1", input });
  const store = new SecretsStore(clock);
  cloudflare.secretsStore = store;
  store.createStore(CLOUDFLARE_ACCOUNT, STORED.store);
  store.createSecret(CLOUDFLARE_ACCOUNT, { name: STORED.secret, value: "none yet" });
}

/** A token that is due, under the value that the secret holds already, and one that may issue others. */
function seedTokens({ cloud, cloudflare, clock }: LocalCloud): void {
  const tokens = new ApiTokens(cloudflare, clock);
  cloudflare.apiTokens = tokens;
  const old = { account: CLOUDFLARE_ACCOUNT, name: "deliveries", scripts: null, value: CLOUDFLARE_TOKEN };
  tokens.seed({ ...old, issuedMs: clock.now() - days(80) });
  const input = { Name: "cloudflare/issuer-token", SecretString: tokens.seedIssuer(CLOUDFLARE_ACCOUNT).value };
  cloud.callAs(cloud.role, { service: "secretsmanager", operation: "CreateSecret", input });
}

function tokensOf({ cloud, cloudflare }: LocalCloud): Rotated["tokens"] {
  const all = cloudflare.apiTokens?.of(CLOUDFLARE_ACCOUNT).filter(({ name }) => name !== "issuer") ?? [];
  const held = cloud.secretsManager.textOf("cloudflare/api-token", "AWSCURRENT");
  return { all: all.map(({ value }) => value), held };
}

function heldAt({ cloud, cloudflare }: LocalCloud): string[] {
  const texts = [
    cloud.parameterStore.versionsOf(PARAMETER, "eu-central-1").at(-1)?.value,
    cloudflare.secretsStore?.named(CLOUDFLARE_ACCOUNT, STORED.secret)?.value,
  ];
  return texts.map((held = "{}") => (JSON.parse(held) as { readonly AccessKeyId: string }).AccessKeyId);
}

/** One invocation, as the handler makes it. */
async function run(used: Config, command: Command): Promise<void> {
  const settings = loadSettings();
  const { profiles } = used;
  const world = compose(used, settings, minutes(14));
  try {
    await obey(world, command, { profiles, enrolmentTag: settings.enrolmentTag });
  } finally {
    world.close();
  }
}

/** The consumers work with the pair that they were given. */
function useNewestKeys(cloud: LocalCloud["cloud"]): void {
  for (const user of cloud.iam.users.keys()) {
    const [newest] = cloud.iam.keysOf(user).toSorted((a, b) => b.createdAtMs - a.createdAtMs);
    if (newest === undefined) continue;
    const pair = { keyId: newest.id, secret: newest.secret };
    cloud.callAs(pair, { service: "lambda", operation: "Invoke" });
  }
}

/**
 * What AWS asks of the role for a call. STS asks nothing for GetCallerIdentity (STS API, GetCallerIdentity), and Secrets
 * Manager asks more where CreateSecret bears tags or replicas (Secrets Manager API, CreateSecret).
 */
function needs(cloud: Cloud, { service, operation, region, input, signer }: CloudCall): Asked[] {
  if (signer?.keyId !== cloud.role.keyId || service === "sts") return [];
  const arn = (kind: string, rest: string): string => `arn:aws:${kind}:${region}:${cloud.account}:${rest}`;
  const action = `${service}:${operation}`;
  const text = (name: string): string => optionalText(input, name) ?? "";
  switch (service) {
    case "iam": {
      const user = cloud.iam.users.get(text("UserName"));
      if (user === undefined) return [{ action, resource: "*" }];
      const tags = Object.fromEntries(user.tags.map(({ Key, Value }) => [Key, Value]));
      const resource = `arn:aws:iam::${cloud.account}:user${user.path}${user.name}`;
      const written = structures(input, "Tags").map((tag) => optionalText(tag, "Key") ?? "");
      const tagKeys = [...written, ...texts(input, "TagKeys")];
      return [{ action, resource, tags, ...(tagKeys.length === 0 ? {} : { tagKeys }) }];
    }
    case "secretsmanager": {
      const name = text("SecretId") || text("Name");
      if (name === "") return [{ action, resource: "*" }];
      const resource = arn("secretsmanager", `secret:${name}-AbCdEf`);
      const more = [
        ...(input["Tags"] === undefined ? [] : ["secretsmanager:TagResource"]),
        ...(input["AddReplicaRegions"] === undefined ? [] : ["secretsmanager:ReplicateSecretToRegions"]),
      ];
      return [action, ...more].map((each) => ({ action: each, resource }));
    }
    case "dynamodb":
      return tableRights(action, input).map(([right, table]) => ({
        action: right,
        resource: arn("dynamodb", `table/${table}`),
      }));
    case "sns":
      return [{ action, resource: text("TopicArn") }];
    case "ssm":
      // DescribeParameters names no parameter as its resource (Service Authorization Reference, Systems Manager).
      return [{ action, resource: text("Name") === "" ? "*" : arn("ssm", `parameter${text("Name")}`) }];
    default:
      return [{ action, resource: "*" }];
  }
}

/** A transaction is authorised by its single writes, and a batch by itself for each table (DynamoDB Developer Guide). */
function tableRights(action: string, input: CloudCall["input"]): readonly (readonly [string, string])[] {
  const { TableName, RequestItems, TransactItems } = input;
  const parts = ((TransactItems ?? []) as readonly Readonly<Record<string, { readonly TableName: string }>>[]).flatMap(
    (item) => Object.entries(item),
  );
  if (parts.length > 0) return parts.map(([name, part]) => [`dynamodb:${name}Item`, part.TableName]);
  const tables = RequestItems === undefined ? [String(TableName)] : Object.keys(RequestItems as object);
  return tables.map((table) => [action, table]);
}
