import { vi } from "vitest";
import { CLOUDFLARE_ACCOUNT, CLOUDFLARE_TOKEN, startLocalCloud } from "../../../scripts/local-run/local-cloud.ts";
import type { LocalCloud } from "../../../scripts/local-run/local-cloud.ts";
import { compose, config } from "../../../src/compose.ts";
import { type ConfigInput, defineConfig } from "../../../src/config/define.ts";
import type { Config } from "../../../src/config/define.ts";
import { loadSettings } from "../../../src/config/load.ts";
import { type Command, parseCommand } from "../../../src/handlers/command.ts";
import { obey } from "../../../src/handlers/obey.ts";
import { days, hours, minutes } from "../../../src/rotation/time.ts";
import { ApiTokens } from "../../world/cloudflare-tokens.ts";
import { healthEvent } from "../../world/leak.ts";
import { SecretsStore } from "../../world/secrets-store.ts";
import { enforce, needs } from "./needs.ts";
import type { Asked, Grants } from "./policy.ts";

/** One thing that a call needed of the function's role. */
export interface Needed {
  /** The command that made the call. */
  readonly command: string;
  /** Whether keyturn.config.ts as it stands needs it, and not only what it leaves out. */
  readonly isDeployed: boolean;
  readonly asked: Asked;
}

/** Whole rotations and every command, and what each of their calls needed of the function's role. */
export interface Rotated {
  readonly needed: readonly Needed[];
  /** What each command said of its own, in the order of the commands. */
  readonly said: Readonly<Record<string, readonly string[]>>;
  /** The users whose first key is deleted: their rotation went from end to end. */
  readonly finished: readonly string[];
  /** The key ids that the parameter and the stored secret of the user found by the path hold in the end. */
  readonly handedOver: readonly string[];
  /** That user's only key. */
  readonly nightlyKey: string;
  /** Cloudflare's tokens but the issuer, and the one that the secret holds in the end. */
  readonly tokens: { readonly all: readonly string[]; readonly held: string | null };
}

const PARAMETER = "/keyturn/nightly";
const STORED = { accountId: CLOUDFLARE_ACCOUNT, store: "default_secrets_store", secret: "NIGHTLY_AWS_KEY" };

const NIGHTLY = {
  users: ["/rotated/"],
  destinations: [
    { kind: "secrets-manager" },
    { kind: "ssm-parameter", name: PARAMETER, region: "eu-central-1" },
    { kind: "cloudflare-secrets-store", ...STORED, apiToken: "cloudflare/api-token" },
  ],
  replicaRegions: ["eu-central-1"],
  smtp: "none",
} satisfies ConfigInput["profiles"][string];

/** The configuration as it is deployed, with two users for the operator, who need nothing that the five systems do not. */
const PLAIN: Config = {
  ...config,
  profiles: {
    ...config.profiles,
    ...defineConfig({
      profiles: { operated: { users: ["/operated/"], destinations: [{ kind: "secrets-manager" }], smtp: "none" } },
    }).profiles,
  },
};

/** A user who is found by the path, whose pair is shown in a second Region, and goes where the five systems' do not. */
const byPath = (nightly: ConfigInput["profiles"][string]): Config =>
  defineConfig({
    discovery: { by: "path", prefix: "/rotated/" },
    cloudflareTokens: [
      { secret: "cloudflare/api-token", issuer: "cloudflare/issuer-token", accountId: CLOUDFLARE_ACCOUNT },
    ],
    profiles: { nightly },
  });
const BY_PATH = byPath(NIGHTLY);
/** The same, when nothing is delivered to the parameter any more. */
const WITHOUT_PARAMETER = byPath({
  ...NIGHTLY,
  destinations: NIGHTLY.destinations.filter(({ kind }) => kind !== "ssm-parameter"),
});
const OPERATED = ["operated", "adopted"];

/** Says one command to the function, under a configuration. `name`: as the table calls it. */
type Say = (used: Config, event: object, name?: string) => Promise<void>;

/**
 * Rotates the five systems by the configuration as it is deployed, and users more by one that uses what it leaves
 * out: the function's own parts, over the wire, from the first sweep to the deletions; then says every other command.
 * The role may do only what `grants` gives it.
 */
export async function rotateAll(grants: Grants): Promise<Rotated> {
  const local = await startLocalCloud();
  for (const [name, value] of Object.entries(local.environment)) vi.stubEnv(name, value);
  try {
    const first = seedUsers(local);
    seedPlaces(local);
    seedTokens(local);
    useNewestKeys(local.cloud);
    local.clock.advance(hours(5));
    /** By what they say, because most come again and again. */
    const needed = new Map<string, Needed>();
    const said: Record<string, string[]> = {};
    enforce(local.cloud, grants);
    const say: Say = async (used, event, name) => {
      const command = parseCommand(event);
      const as = name ?? command.command;
      const stop = local.cloud.onCall((call) => {
        const isDeployed = used === PLAIN;
        for (const asked of needs(local.cloud, call)) {
          const need = { command: as, isDeployed, asked };
          needed.set(JSON.stringify(need), need);
        }
      });
      local.clock.run();
      const answered = await run(used, command);
      const { done } = answered as { readonly done?: string };
      stop();
      if (done !== undefined) (said[as] ??= []).push(done);
      apart(local);
    };
    await rotate(local, say);
    const tokens = tokensOf(local);
    const firsts = Object.values(local.systems).map(({ user, firstPair }) => [user, firstPair.keyId]);
    const finished = [...firsts, ["nightly", first]].flatMap(([user = "", id = ""]) =>
      local.cloud.iam.keys.get(id)?.isDeleted === true ? [user] : [],
    );
    const [nightlyKey, handedOver] = [keysOf(local, "nightly").join(" "), heldAt(local)];
    await operate(local, say);
    return { needed: [...needed.values()], said, finished, handedOver, nightlyKey, tokens };
  } finally {
    vi.unstubAllEnvs();
    await local.close();
  }
}

/** From the first sweep to the deletions. */
async function rotate(local: LocalCloud, say: Say): Promise<void> {
  await say(PLAIN, { command: "resume" });
  for (const pauseMs of [hours(1), days(12), days(9), 0]) {
    await say(PLAIN, { command: "sweep" });
    await say(BY_PATH, { command: "sweep" });
    useNewestKeys(local.cloud);
    local.clock.advance(pauseMs);
  }
}

/** Every other command, where each has something to do. */
async function operate(local: LocalCloud, say: Say): Promise<void> {
  for (const command of ["plan", "status", "report", "doctor"]) {
    await say(PLAIN, { command });
    await say(BY_PATH, { command });
  }
  const [user, third] = ["operated", (): string => keysOf(local, "operated").at(-1) ?? ""];
  for (const command of ["explain", "history", "rotate", "rollback"]) await say(PLAIN, { command, user });
  await say(PLAIN, { command: "release", user }, "release (a user)");
  await say(PLAIN, { command: "retire", user, key: third() });
  local.clock.advance(hours(5));
  await say(PLAIN, { command: "sweep" });
  await say(PLAIN, { command: "reactivate", user, key: third() });
  await say(PLAIN, { command: "release", user, key: third() }, "release (a key)");
  await say(PLAIN, { command: "hold", user, reason: "a freeze" });
  const { id: strange } = local.cloud.iam.createKey("adopted", { createdAtMs: local.clock.now() });
  await say(PLAIN, { command: "adopt", user: "adopted", key: strange });
  const [worker, admin] = [local.systems.matchmaking.user, local.systems["cognito-admin"].user];
  await say(PLAIN, { command: "revoke", user: admin, key: keysOf(local, admin)[0] });
  await say(PLAIN, healthEvent(keysOf(local, worker)[0] ?? ""), "AWS Health's event");
  await say(BY_PATH, healthEvent(keysOf(local, "nightly")[0] ?? ""), "AWS Health's event");
  await say(WITHOUT_PARAMETER, {
    command: "forget",
    user: "nightly",
    destination: `ssm-parameter:eu-central-1${PARAMETER}`,
  });
  await say(PLAIN, { command: "pause", reason: "all is said" });
}

/** The oldest first. */
const keysOf = ({ cloud }: LocalCloud, user: string): string[] =>
  cloud.iam
    .keysOf(user)
    .toSorted((a, b) => a.createdAtMs - b.createdAtMs)
    .map(({ id }) => id);

/** The nightly user's hand-made key. */
function seedUsers({ cloud, clock }: LocalCloud): string {
  const createdAtMs = clock.now() - days(100);
  for (const name of OPERATED) {
    cloud.iam.createUser({ name, path: "/operated/", tags: { keyturn: "operated" } });
    cloud.iam.createKey(name, { createdAtMs });
  }
  cloud.iam.createUser({ name: "nightly", path: "/rotated/", tags: { keyturn: "nightly" } });
  return cloud.iam.createKey("nightly", { createdAtMs }).id;
}

/**
 * Two invocations know nothing of each other's pace: within one second they can be too many for CloudTrail, which then
 * rightly makes a sweep hold.
 */
function apart({ clock }: LocalCloud): void {
  clock.stop();
  clock.advance(minutes(1));
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
async function run(used: Config, command: Command): Promise<unknown> {
  const settings = loadSettings();
  const { profiles } = used;
  const world = compose(used, settings, minutes(14));
  try {
    return await obey(world, command, { profiles, enrolmentTag: settings.enrolmentTag });
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
