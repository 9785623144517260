import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import type { Secret } from "../rotation/secret.ts";
import { type CloudflareOptions, createSender } from "./cloudflare.ts";

/** An account has a hundred secrets at most; more pages than this are a fault that would never end. */
const PAGES_MAX = 100;

const Store = z.object({ id: z.string(), name: z.string() });

/** A secret as the API shows it. Its value never comes back. Source: Cloudflare API, Secrets Store. */
export type StoredSecret = z.infer<typeof StoredSecret>;
const StoredSecret = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  /** The services that may use it. */
  scopes: z.nullish(z.array(z.string())),
  modified: z.string().check(z.refine((text) => !Number.isNaN(Date.parse(text)))),
});

/** Which secret. A store's name is its own in the account, and a secret's in the store. */
export type SecretPlace = { readonly accountId: string; readonly store: string; readonly secret: string };

/** The few calls of the Secrets Store that a delivery needs. Every method throws `RotationError` and nothing else. */
export type SecretsStoreClient = ReturnType<typeof createSecretsStore>;

/** Cloudflare's Secrets Store, by the sender that Workers have too. */
export function createSecretsStore(options: CloudflareOptions) {
  const send = createSender(options);

  /** The entry of this name, whatever page it is on. An empty page is the end: how long a page is, is not asked. */
  async function find<T extends { readonly name: string }>(
    path: string,
    name: string,
    entry: z.ZodMiniType<T>,
  ): Promise<T> {
    const doing = `looking for ${name} in the Secrets Store`;
    for (let page = 1; page <= PAGES_MAX; page += 1) {
      const read = z.array(entry).safeParse(await send({ doing, method: "GET", path: `${path}?page=${String(page)}` }));
      if (!read.success) throw new RotationError("Unreachable", `${doing}, the answer has an unknown shape`);
      const found = read.data.find((one) => one.name === name);
      if (found !== undefined) return found;
      const mend = "Correct the name, or make it once with wrangler secrets-store";
      if (read.data.length === 0) throw new RotationError("NotFound", `${doing}, it is not there. ${mend}`);
    }
    throw new RotationError("Unreachable", `${doing}, more than ${String(PAGES_MAX)} pages`);
  }
  async function open({ accountId, store, secret }: SecretPlace) {
    const stores = `/accounts/${encodeURIComponent(accountId)}/secrets_store/stores`;
    const path = `${stores}/${encodeURIComponent((await find(stores, store, Store)).id)}/secrets`;
    const found = await find(path, secret, StoredSecret);
    return { found, path: `${path}/${encodeURIComponent(found.id)}` };
  }
  return {
    /** `NotFound` when there is no such store, or no such secret in it. */
    find: async (place: SecretPlace): Promise<StoredSecret> => (await open(place)).found,
    /** Replaces the value, and gives the secret as it is then; null when that was not told. Never makes one. */
    async overwrite(place: SecretPlace, value: Secret): Promise<StoredSecret | null> {
      const { path } = await open(place);
      const doing = `setting ${place.secret} of the Secrets Store`;
      const body = JSON.stringify({ value: value.reveal() });
      const answer = await send({ doing, method: "PATCH", path, body, type: "application/json" });
      return StoredSecret.safeParse(answer).data ?? null;
    },
  };
}
