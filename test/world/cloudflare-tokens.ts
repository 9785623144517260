import type { ApiRequest } from "./cloudflare-api.ts";
import { type Cloudflare, CloudflareRefusal } from "./cloudflare.ts";

interface Policy {
  readonly effect: string;
  readonly resources: Readonly<Record<string, unknown>>;
  readonly permission_groups: readonly { readonly id: string; readonly name?: string }[];
}

/** A token as its owner has it: what the API lists, and the value, which it shows once. */
export interface OwnedToken {
  readonly id: string;
  readonly name: string;
  readonly account: string;
  readonly value: string;
  readonly status: "active" | "disabled";
  readonly issuedMs: number;
  readonly usedMs: number | null;
  readonly expiresMs: number | null;
  readonly policies: readonly Policy[];
  readonly condition: unknown;
}

/** Source: Cloudflare API, permission groups: Account API Tokens Write. */
const TOKENS_WRITE = "5bc3f8b21c554832afc660159ab75fa4";
const WORKERS_EDIT = "e086da7e2179491d91ee5f35b3ca210a";
/** Source: Cloudflare, limits of account-owned tokens. */
const TOKENS_MAX = 500;
const NAME_MAX = 120;
const LONG_AGO_MS = 100 * 86_400_000;

type Seed = { readonly account: string; readonly name: string; readonly scripts: readonly string[] | null } & Partial<
  Pick<OwnedToken, "value" | "issuedMs" | "expiresMs" | "condition">
>;

/** The API tokens of accounts, for those who may issue them. Ids and values count up, so that a run can be repeated. */
export class ApiTokens {
  readonly #cloudflare: Cloudflare;
  readonly #clock: { now(): number };
  readonly #tokens = new Map<string, OwnedToken>();
  /** A token that is new does not work yet for so long. */
  unknownForMs = 0;
  /** Nor is it listed for so long. */
  unlistedForMs = 0;
  #made = 0;

  constructor(cloudflare: Cloudflare, clock: { now(): number }) {
    this.#cloudflare = cloudflare;
    this.#clock = clock;
  }

  /** Made in the dashboard, for so many Workers; null for all that the account has. */
  seed({ account, name, scripts, ...more }: Seed): OwnedToken {
    const inner = scripts?.map((script) => [`com.cloudflare.edge.worker.script.${script}`, "*"]);
    const resources = { [`com.cloudflare.api.account.${account}`]: inner ? Object.fromEntries(inner) : "*" };
    const policies = [{ effect: "allow", resources, permission_groups: [{ id: WORKERS_EDIT }] }];
    return this.#add({ account, name, policies, ...more });
  }

  /** Made in the dashboard to issue others. */
  seedIssuer(account: string): OwnedToken {
    const resources = { [`com.cloudflare.api.account.${account}`]: "*" };
    return this.#add({
      account,
      name: "issuer",
      issuedMs: this.#clock.now() - LONG_AGO_MS,
      policies: [{ effect: "allow", resources, permission_groups: [{ id: TOKENS_WRITE }] }],
    });
  }

  of(account: string): readonly OwnedToken[] {
    return [...this.#tokens.values()].filter((token) => token.account === account);
  }

  /** Refuses a token that is not known yet, or no more; else this was a use of it. */
  use(value: string): void {
    const token = this.#tokens.get(value);
    if (token === undefined) return;
    const now = this.#clock.now();
    const isKnown = now - token.issuedMs >= this.unknownForMs && (token.expiresMs === null || now < token.expiresMs);
    if (!isKnown || token.status !== "active") throw new CloudflareRefusal(401, 1000, "Invalid API Token");
    this.#tokens.set(value, { ...token, usedMs: now });
  }

  /** Somebody changes a token: disables it, gives it another end. */
  change(id: string, change: Partial<OwnedToken>): void {
    const token = [...this.#tokens.values()].find((one) => one.id === id);
    if (token !== undefined) this.#tokens.set(token.value, { ...token, ...change });
  }

  remove(account: string, id: string): void {
    const token = this.of(account).find((one) => one.id === id);
    if (token === undefined) throw new CloudflareRefusal(404, 1003, "Token not found");
    this.#tokens.delete(token.value);
    this.#cloudflare.setToken(token.value, { account, scripts: [], status: "disabled" });
  }

  /** Carries out one request with this token. */
  ask(request: ApiRequest, account: string, id: string | undefined): unknown {
    const used = this.of(account).find(({ value }) => value === request.token);
    if (id === "verify") {
      if (used === undefined) throw new CloudflareRefusal(401, 1000, "Invalid API Token");
      return { id: used.id, status: used.status };
    }
    const mayIssue = used?.policies.some(({ permission_groups }) =>
      permission_groups.some((group) => group.id === TOKENS_WRITE),
    );
    if (mayIssue !== true) throw new CloudflareRefusal(403, 9109, "Unauthorized to access requested resource");
    if (request.method === "GET" && id === undefined) return this.#list(request, account);
    if (request.method === "DELETE" && id !== undefined) {
      this.remove(account, id);
      return { id };
    }
    if (request.method !== "POST") throw new CloudflareRefusal(405, 10405, "Method not allowed");
    return this.#issue(request, account);
  }

  #list({ query }: ApiRequest, account: string): unknown {
    const size = Number(query.get("per_page") ?? 20);
    const page = Number(query.get("page") ?? 1);
    const listed = this.of(account).filter(({ issuedMs }) => this.#clock.now() - issuedMs >= this.unlistedForMs);
    return listed.slice((page - 1) * size, page * size).map(shown);
  }

  #issue({ body }: ApiRequest, account: string): unknown {
    const { name, policies, expires_on, condition } = JSON.parse(body) as {
      readonly name: string;
      readonly policies: readonly Policy[];
      readonly expires_on?: string;
      readonly condition?: unknown;
    };
    if (typeof name !== "string" || name.length > NAME_MAX || !Array.isArray(policies) || policies.length === 0) {
      throw new CloudflareRefusal(400, 1001, "Invalid request body");
    }
    if (this.of(account).length >= TOKENS_MAX) throw new CloudflareRefusal(400, 1010, "Too many tokens");
    const expiresMs = expires_on === undefined ? null : Date.parse(expires_on);
    const made = this.#add({ account, name, policies, expiresMs, condition });
    return { ...shown(made), value: made.value };
  }

  #add(made: Pick<OwnedToken, "account" | "name" | "policies"> & Partial<OwnedToken>): OwnedToken {
    this.#made += 1;
    const token: OwnedToken = {
      id: this.#made.toString(16).padStart(32, "0"),
      value: `cfat_${String(this.#made).padStart(40, "0")}`,
      status: "active",
      issuedMs: this.#clock.now(),
      usedMs: null,
      expiresMs: null,
      condition: undefined,
      ...made,
    };
    this.#tokens.set(token.value, token);
    this.#cloudflare.setToken(token.value, { account: token.account, scripts: scriptsOf(token), status: "active" });
    return token;
  }
}

/** The Workers that a token may edit, by its policies; null for all of the account. */
function scriptsOf({ policies }: OwnedToken): readonly string[] | null {
  const edits = policies.filter(({ permission_groups }) => permission_groups.some(({ id }) => id === WORKERS_EDIT));
  const found = edits.flatMap(({ resources }) => Object.values(resources));
  if (found.includes("*")) return null;
  const names = found.flatMap((inner) => Object.keys(inner ?? {}));
  return names.map((name) => name.replace("com.cloudflare.edge.worker.script.", ""));
}

const time = (ms: number): string => new Date(ms).toISOString();

/** Without its value, and with what nobody asked for: ids of policies, names of groups. */
const shown = ({ id, name, status, issuedMs, usedMs, expiresMs, policies, condition }: OwnedToken) => ({
  id,
  name,
  status,
  issued_on: time(issuedMs),
  modified_on: time(issuedMs),
  ...(usedMs === null ? {} : { last_used_on: time(usedMs) }),
  ...(expiresMs === null ? {} : { expires_on: time(expiresMs) }),
  policies: policies.map((policy, index) => ({
    ...policy,
    id: `${id.slice(0, 30)}${String(index).padStart(2, "0")}`,
    permission_groups: policy.permission_groups.map((group) => ({ ...group, name: "a group" })),
  })),
  ...(condition === undefined ? {} : { condition }),
});

/** The paths of tokens; those of a user are served as an account of its own. */
export const TOKENS = /^\/(?:user|accounts\/([^/]+))\/tokens(?:\/([^/]+))?$/;
