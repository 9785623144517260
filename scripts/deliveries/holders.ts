import { type Config, defineConfig } from "../../src/config/define.ts";
import type { ProfileInput } from "../../src/config/profile-input.ts";
import { minutes } from "../../src/rotation/time.ts";
import type { Edge } from "../../test/world/edge.ts";
import type { SystemName } from "../../test/world/five-systems.ts";

export const ACCOUNT = "0123456789abcdef0123456789abcdef";
export const WORKER = "matchmaking";
export const API_TOKEN = "local-cloudflare-api-token";
export const HEALTH_PATH = "/keyturn-health";
/** What lies in Secrets Manager beside custody, by its name. */
export const TOKENS = { "cloudflare/api-token": API_TOKEN, "matchmaking/health": "local-health-token" };
/** How long an isolate goes on with a pair, and what the profiles say of it. */
export const KEEP_FOR_MS = minutes(10);

/** Whose pair lies in which Workers, under which names, and where its visitors are served. */
export interface Holder {
  readonly system: SystemName;
  readonly user: string;
  readonly workers: readonly string[];
  readonly secrets: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly path: string;
}

export const FIRST: Holder = {
  system: "matchmaking",
  user: "cloudflare-sveltekit-lambda-invoker",
  workers: [WORKER],
  secrets: { accessKeyId: "LAMBDA_AWS_ACCESS_KEY_ID", secretAccessKey: "LAMBDA_AWS_SECRET_ACCESS_KEY" },
  path: "",
};

/** Another user's pair in the same Worker. */
export const SECOND: Holder = {
  system: "cognito-admin",
  user: "cloudflare-cognito-admin",
  workers: [WORKER],
  secrets: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
  path: "/second",
};

/** Under these nothing is due yet. */
const NOT_DUE = { rotateAfter: "200d", maxAge: "220d" } as const;

interface ConfigOptions {
  readonly isStaged: boolean;
  readonly isDue: boolean;
  readonly edge: Pick<Edge, "url">;
}

/** A profile for each, with the waits that every profile has by default; only the cache is the Workers' own. */
export function configOf(holders: readonly Holder[], { isStaged, isDue, edge }: ConfigOptions): Config {
  const cacheFor = `${String(KEEP_FOR_MS / minutes(1))}min` as const;
  const profiles = holders.map(({ system, user, workers, secrets }): [string, ProfileInput] => {
    const toWorker = {
      kind: "cloudflare-worker",
      accountId: ACCOUNT,
      secrets,
      apiToken: "cloudflare/api-token",
    } as const;
    const destinations = workers.map((worker) => ({ ...toWorker, worker }));
    return [system, { users: [user], destinations, cacheFor, ...(isDue ? {} : NOT_DUE) }];
  });
  const config = defineConfig({ profiles: Object.fromEntries(profiles) });
  return isStaged ? withHealth(config, holders, edge) : config;
}

/** The Workers of this machine answer by plain HTTP, which a configuration may not name. */
function withHealth(config: Config, holders: readonly Holder[], edge: Pick<Edge, "url">): Config {
  const profiles = Object.entries(config.profiles).map(([name, profile]) => {
    const path = holders.find(({ system }) => system === name)?.path ?? "";
    const destinations = profile.destinations.map((options) => {
      if (options.kind !== "cloudflare-worker") return options;
      const health = { url: edge.url(options.worker) + path + HEALTH_PATH, token: "matchmaking/health" };
      return { ...options, health };
    });
    return [name, { ...profile, destinations }] as const;
  });
  return { ...config, profiles: Object.fromEntries(profiles) };
}
