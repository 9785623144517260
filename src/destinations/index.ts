import * as z from "zod";
import type { CloudflareClient } from "../cloud/cloudflare.ts";
import type { Destination } from "../rotation/world.ts";
import { cloudflareWorkerFacts, CloudflareWorkerOptions, createCloudflareWorker } from "./cloudflare-worker.ts";
import { createSecretsManager, secretsManagerFacts, SecretsManagerOptions } from "./secrets-manager.ts";

export type DestinationOptions = z.infer<typeof DestinationOptions>;
/** Where a profile delivers. A destination is a file beside this one and a line in each list here. */
export const DestinationOptions = z.discriminatedUnion("kind", [CloudflareWorkerOptions, SecretsManagerOptions]);

/** What is known of a destination from its options, before anything is asked. */
export function factsOf(options: DestinationOptions): Pick<Destination, "name" | "slots" | "readsCustody"> {
  switch (options.kind) {
    case "cloudflare-worker":
      return cloudflareWorkerFacts(options);
    case "secrets-manager":
      return secretsManagerFacts(options);
  }
}

/** What destinations are made with: Cloudflare, with the API token that the named Secrets Manager secret holds. */
export type DestinationClients = { readonly cloudflare: (apiToken: string) => CloudflareClient };

export function createDestination(options: DestinationOptions, clients: DestinationClients): Destination {
  switch (options.kind) {
    case "cloudflare-worker":
      return createCloudflareWorker(options, clients.cloudflare(options.apiToken));
    case "secrets-manager":
      return createSecretsManager(options);
  }
}
