import * as z from "zod/mini";
import type { SecretsStoreClient, StoredSecret } from "../cloud/cloudflare-secrets-store.ts";
import type { Destination } from "../rotation/world.ts";
import { CloudflareWorkerOptions } from "./cloudflare-worker.ts";
import { createOneText, type Look, markOf } from "./parts/one-text.ts";

const { accountId, apiToken } = CloudflareWorkerOptions.shape;
const Name = z.string().check(z.regex(/^[\w-]{1,255}$/, "letters, digits, hyphens and underscores"));

export type SecretsStoreOptions = z.infer<typeof SecretsStoreOptions>;
export const SecretsStoreOptions = z.strictObject({
  kind: z.literal("cloudflare-secrets-store"),
  accountId,
  /** The store's name; the one that Cloudflare makes is called default_secrets_store. */
  store: Name,
  /** The secret's name in the store, which its bindings name as secret_name. */
  secret: Name,
  apiToken,
});

/** What the options alone say. */
export function secretsStoreFacts(options: SecretsStoreOptions) {
  const place = `${options.store}/${options.secret}`;
  const slots = [`cloudflare-secrets-store:${options.accountId}/${place}`];
  return { name: `cloudflare-secrets-store:${place}`, slots, readsCustody: false };
}

/** A secret of Cloudflare's Secrets Store, which every Worker that is bound to it reads anew with `await env.X.get()`. */
export function createSecretsStoreDestination(options: SecretsStoreOptions, client: SecretsStoreClient): Destination {
  return createOneText(secretsStoreFacts(options), {
    look: async () => lookAt(await client.find(options)),
    async write(text) {
      const after = await client.overwrite(options, text);
      return after === null ? null : lookAt(after).mark;
    },
  });
}

function lookAt({ id, status, scopes, modified }: StoredSecret): Look {
  const mark = markOf(Date.parse(modified), `${modified} ${id}`);
  if (status === "pending") {
    return { mark, blocked: "Cloudflare is not done with the last change of the secret. Wait until it is active" };
  }
  if (status !== "active") {
    return { mark, blocked: `the secret is ${status}. Make it anew under its name, and bind the Workers to it` };
  }
  if (scopes?.includes("workers") === true) return { mark, blocked: null };
  return { mark, blocked: "no Worker may read the secret. Give it the scope workers" };
}
