import type { ApiRequest } from "./cloudflare-api.ts";
import { CloudflareRefusal } from "./cloudflare.ts";

/** A secret as the API shows it, and the value, which it never shows. */
export interface StoreSecret {
  readonly id: string;
  readonly name: string;
  readonly comment: string;
  readonly scopes: readonly string[];
  readonly created: string;
  readonly modified: string;
  readonly status: "pending" | "active" | "deleted";
  readonly value: string;
}

interface Store {
  readonly id: string;
  readonly name: string;
  readonly account: string;
  readonly created: string;
  readonly secrets: StoreSecret[];
}

type Change = Partial<Pick<StoreSecret, "value" | "scopes" | "comment" | "status">>;

const SECRETS_MAX = 100;
const VALUE_BYTES_MAX = 65_536;
const PAGE = 20;
/** Source: Cloudflare API, Secrets Store (scopes). */
const SCOPES = ["workers", "ai_gateway", "dex", "access", "containers", "websearch"];

/** Cloudflare's Secrets Store: values go in and never come out, and each change has its time. One store an account. */
export class SecretsStore {
  readonly #clock: { now(): number };
  readonly #stores: Store[] = [];
  readonly #listeners: ((secret: StoreSecret) => void)[] = [];
  /** How a changed secret looks until somebody says that it is active. */
  statusAfterChange: StoreSecret["status"] = "active";
  #ids = 0;
  #modifiedMs = 0;

  constructor(clock: { now(): number }) {
    this.#clock = clock;
  }

  /** Told of every secret that is made or changed, then. */
  onChanged(listener: (secret: StoreSecret) => void): void {
    this.#listeners.push(listener);
  }

  createStore(account: string, name: string): Store {
    if (this.#stores.some((store) => store.account === account)) throw refusal(400, 1003, "maximum_stores_exceeded");
    const store = { id: this.#id(), name, account, created: this.#time(), secrets: [] };
    this.#stores.push(store);
    return store;
  }

  /** A new secret, as the dashboard or wrangler makes it. */
  createSecret(account: string, made: Pick<StoreSecret, "name" | "value"> & Change): StoreSecret {
    const { secrets } = this.store(account);
    if (secrets.some(({ name }) => name === made.name)) throw refusal(400, 1003, "secret_name_already_exists");
    if (secrets.length >= SECRETS_MAX) throw refusal(400, 1003, "maximum_secrets_exceeded");
    const at = this.#time();
    const secret = { id: this.#id(), comment: "", scopes: ["workers"], created: at, modified: at, ...made };
    return this.#keep(account, { status: "active", ...secret });
  }

  /** The account's store. Refuses where there is none, as every method here does. */
  store(account: string, id?: string): Store {
    const found = this.#stores.find((store) => store.account === account && (id === undefined || store.id === id));
    if (found === undefined) throw refusal(404, 1001, "store_not_found");
    return found;
  }

  stores(account: string): readonly Store[] {
    return this.#stores.filter((store) => store.account === account);
  }

  named(account: string, name: string): StoreSecret | null {
    return this.stores(account)[0]?.secrets.find((secret) => secret.name === name) ?? null;
  }

  /** Replaces what is given, for every service that is bound to the secret. */
  change(account: string, id: string, change: Change): StoreSecret {
    const before = this.store(account).secrets.find((secret) => secret.id === id);
    if (before === undefined) throw refusal(404, 1001, "secret_not_found");
    if (change.value === "") throw refusal(400, 1001, "secret_value_empty");
    if (Buffer.byteLength(change.value ?? "") > VALUE_BYTES_MAX) throw refusal(400, 1001, "secret_value_too_long");
    if (change.scopes?.some((scope) => !SCOPES.includes(scope))) throw refusal(400, 1001, "secret_scope_invalid");
    const after = { ...before, status: this.statusAfterChange, ...change, modified: this.#time() };
    return this.#keep(account, after);
  }

  /** Somebody deletes the secret. */
  remove(account: string, name: string): void {
    const { secrets } = this.store(account);
    const index = secrets.findIndex((secret) => secret.name === name);
    if (index !== -1) secrets.splice(index, 1);
  }

  #keep(account: string, secret: StoreSecret): StoreSecret {
    const { secrets } = this.store(account);
    const index = secrets.findIndex(({ id }) => id === secret.id);
    secrets.splice(index === -1 ? secrets.length : index, 1, secret);
    for (const listener of this.#listeners) listener(secret);
    return secret;
  }

  /** No two changes bear the same time, to the microsecond that the API shows. */
  #time(): string {
    this.#modifiedMs = Math.max(this.#clock.now(), this.#modifiedMs + 1);
    return new Date(this.#modifiedMs).toISOString().replace("Z", "000Z");
  }

  #id(): string {
    this.#ids += 1;
    return this.#ids.toString(16).padStart(32, "0");
  }
}

const refusal = (status: number, code: number, message: string): CloudflareRefusal =>
  new CloudflareRefusal(status, code, message);

/** The paths of the Secrets Store, for reading and for one change. */
export const SECRETS_STORE = /^\/accounts\/([^/]+)\/secrets_store\/stores(?:\/([^/]+)\/secrets(?:\/([^/]+))?)?$/;

/** Carries out one request of the Secrets Store: what stands in the answer's `result`. Throws CloudflareRefusal. */
export function askSecretsStore(store: SecretsStore, request: ApiRequest): unknown {
  const [account = "", storeId, secretId] = (SECRETS_STORE.exec(request.path) ?? []).slice(1).map(decodedPart);
  const { method } = request;
  if (storeId === undefined && method === "GET") {
    return paged(store.stores(account), request).map(({ id, name, created }) => ({
      id,
      name,
      created,
      modified: created,
    }));
  }
  const { secrets, id: store_id } = store.store(account, storeId);
  const shown = (secret: StoreSecret) => ({ ...secret, value: undefined, store_id });
  if (secretId === undefined && method === "GET") return paged(secrets, request).map(shown);
  const secret = secrets.find(({ id }) => id === secretId);
  if (secretId !== undefined && secret === undefined) throw refusal(404, 1001, "secret_not_found");
  if (secret !== undefined && method === "GET") return shown(secret);
  if (secret !== undefined && method === "PATCH") return shown(store.change(account, secret.id, changeIn(request)));
  throw refusal(405, 10405, "Method not allowed");
}

const decodedPart = (part: string | undefined): string | undefined =>
  part === undefined ? undefined : decodeURIComponent(part);

function paged<T>(all: readonly T[], { query }: ApiRequest): readonly T[] {
  const page = Number(query.get("page") ?? 1);
  const size = Number(query.get("per_page") ?? PAGE);
  return all.slice((page - 1) * size, page * size);
}

function changeIn({ body, contentType }: ApiRequest): Change {
  if (contentType !== "application/json") throw refusal(400, 1001, "invalid_json_body");
  try {
    const { value, scopes, comment } = JSON.parse(body) as Change;
    return Object.fromEntries(Object.entries({ value, scopes, comment }).filter((entry) => entry[1] !== undefined));
  } catch {
    throw refusal(400, 1001, "invalid_json_body");
  }
}
