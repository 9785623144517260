import * as z from "zod/mini";
import type { PagesClient } from "../cloud/cloudflare-pages.ts";
import type { SecretsStoreClient } from "../cloud/cloudflare-secrets-store.ts";
import type { CloudflareClient } from "../cloud/cloudflare.ts";
import type { GitHubClient, SecretScope } from "../cloud/github.ts";
import type { ParameterStore } from "../cloud/parameter-store.ts";
import type { AskHealth } from "../cloud/worker-health.ts";
import type { Clock, Destination, Random } from "../rotation/world.ts";
import { cloudflarePagesFacts, CloudflarePagesOptions, createCloudflarePages } from "./cloudflare-pages.ts";
import { createSecretsStoreDestination, secretsStoreFacts, SecretsStoreOptions } from "./cloudflare-secrets-store.ts";
import { cloudflareWorkerFacts, CloudflareWorkerOptions, createCloudflareWorker } from "./cloudflare-worker.ts";
import {
  createGitHubActions,
  gitHubActionsFacts,
  GitHubActionsOptions,
  gitHubDrainMs,
  scopeOf,
} from "./github-actions.ts";
import { createSecretsManager, secretsManagerFacts, SecretsManagerOptions } from "./secrets-manager.ts";
import { createSsmParameter, ssmParameterFacts, SsmParameterOptions } from "./ssm-parameter.ts";

export type DestinationOptions = z.infer<typeof DestinationOptions>;
/** Where a profile delivers. A destination is a file beside this one and a line in each list here. */
export const DestinationOptions = z.discriminatedUnion("kind", [
  CloudflareWorkerOptions,
  CloudflarePagesOptions,
  SecretsStoreOptions,
  SecretsManagerOptions,
  SsmParameterOptions,
  GitHubActionsOptions,
]);

/** What is known of a destination from its options, before anything is asked. */
export function factsOf(options: DestinationOptions): Pick<Destination, "name" | "slots" | "readsCustody"> {
  switch (options.kind) {
    case "cloudflare-worker":
      return cloudflareWorkerFacts(options);
    case "cloudflare-pages":
      return cloudflarePagesFacts(options);
    case "cloudflare-secrets-store":
      return secretsStoreFacts(options);
    case "secrets-manager":
      return secretsManagerFacts(options);
    case "ssm-parameter":
      return ssmParameterFacts(options);
    case "github-actions":
      return gitHubActionsFacts(options);
  }
}

/** How long the consumers of a destination go on with what they had, by its kind, in milliseconds. */
export const drainMsOf = (options: DestinationOptions): number =>
  options.kind === "github-actions" ? gitHubDrainMs(options) : 0;

/** What destinations are made with. Tokens are named by the Secrets Manager secret that holds them. */
export interface DestinationClients {
  readonly cloudflare: (apiToken: string) => CloudflareClient;
  readonly pages: (apiToken: string) => PagesClient;
  readonly secretsStore: (apiToken: string) => SecretsStoreClient;
  readonly parameters: (region: string) => ParameterStore;
  readonly github: (apiToken: string, scope: SecretScope) => GitHubClient;
  readonly health: (route: { readonly url: string; readonly token: string }) => AskHealth;
  readonly clock: Clock;
  readonly random: Random;
  /** The Workers that the run is staging for. */
  readonly staging: Set<string>;
}

export function createDestination(options: DestinationOptions, clients: DestinationClients): Destination {
  switch (options.kind) {
    case "cloudflare-worker":
      return createCloudflareWorker(options, {
        cloudflare: clients.cloudflare(options.apiToken),
        ask: options.health === undefined ? null : clients.health(options.health),
        clock: clients.clock,
        random: clients.random,
        staging: clients.staging,
      });
    case "cloudflare-pages":
      return createCloudflarePages(options, clients.pages(options.apiToken));
    case "cloudflare-secrets-store":
      return createSecretsStoreDestination(options, clients.secretsStore(options.apiToken));
    case "secrets-manager":
      return createSecretsManager(options);
    case "ssm-parameter":
      return createSsmParameter(options, clients.parameters(options.region));
    case "github-actions":
      return createGitHubActions(options, clients.github(options.apiToken, scopeOf(options)), clients.clock);
  }
}
