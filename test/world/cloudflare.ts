import type { Pages } from "./pages.ts";
import type { ApiTokens } from "./cloudflare-tokens.ts";
import type { SecretsStore } from "./secrets-store.ts";

/** What the API refuses, with the code that it answers. Source of the codes: workers-sdk and Cloudflare's API reference. */
export class CloudflareRefusal extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.name = "CloudflareRefusal";
    this.status = status;
    this.code = code;
  }
}

/** A version, immutable: it keeps the code, variables and secrets that it was made with for ever. */
export interface WorkerVersion {
  readonly id: string;
  readonly number: number;
  readonly createdAt: number;
  readonly source: "wrangler" | "api";
  readonly code: string;
  readonly plain: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Share {
  readonly versionId: string;
  readonly percentage: number;
}

export interface Deployment {
  readonly id: string;
  readonly createdAt: number;
  readonly shares: readonly Share[];
}

/** What changes a version: given is set, null is deleted, absent is inherited from the newest version. */
export interface VersionChange {
  readonly code?: string;
  readonly plain?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly source?: "wrangler" | "api";
}

export interface Token {
  readonly account: string;
  /** The Workers that it may edit; null for all of the account. */
  readonly scripts: readonly string[] | null;
  readonly status: "active" | "disabled";
}

export interface DeployedEvent {
  readonly script: string;
  readonly account: string;
  readonly deployment: Deployment;
  /** The versions of the deployment, in the order of its shares. */
  readonly versions: readonly WorkerVersion[];
}

/** What befalls the next request that matches. `hasEffect`: whether the request was carried out all the same. */
export type Fault = { readonly on: "read" | "write" } & (
  | { readonly kind: "throttled"; readonly retryAfterS: number | null }
  | { readonly kind: "failed"; readonly status: number; readonly hasEffect: boolean }
  | { readonly kind: "lost"; readonly hasEffect: boolean }
  | { readonly kind: "challenge" }
  /** Something happens just before the request is carried out. */
  | { readonly kind: "meanwhile"; readonly act: () => void }
);

/** Where the documentation leaves it open, the simulation can be switched to the other reading. */
export interface Readings {
  /** A secret edit while the newest version serves a part of the traffic. Either way nobody should try. */
  readonly editDuringGradual: "refused" | "collapses";
  /** The code of that refusal, and of one while the newest version is not live: wrangler knows both (workers-sdk #6763, #12392). */
  readonly editRefusal: 10214 | 10215;
  /** Whether a version that is staged without annotations has those of the version that it was copied from. */
  readonly annotationsAreInherited: boolean;
  /** 100 since 2026; 25 when secrets-bulk was launched (workers-sdk #14158). */
  readonly bulkOperationsMax: number;
}

interface Worker {
  readonly versions: WorkerVersion[];
  /** Newest first; the first is live. */
  readonly deployments: Deployment[];
}

const DEPLOYABLE_MAX = 100;
const DEPLOYMENTS_KEPT = 10;
const REQUESTS_MAX = 1_200;
const RATE_WINDOW_MS = 300_000;

/**
 * Cloudflare Workers as far as secrets, versions and deployments go. Each version keeps its secrets; setting a secret
 * makes a version of the newest one and deploys it. Ids count up, so that a run can be repeated.
 */
export class Cloudflare {
  readonly faults: Fault[] = [];
  /** The accounts' Secrets Store, where one is simulated. */
  secretsStore: SecretsStore | null = null;
  /** The accounts' Pages projects, where they are simulated. */
  pages: Pages | null = null;
  /** The accounts' API tokens, where their issuing is simulated. */
  apiTokens: ApiTokens | null = null;
  readonly #clock: { now(): number };
  readonly #readings: Readings;
  readonly #tokens = new Map<string, Token>();
  readonly #workers = new Map<string, Worker>();
  readonly #rates = new Map<string, { windowStart: number; count: number; blockedUntil: number }>();
  readonly #listeners: ((event: DeployedEvent) => void)[] = [];
  #ids = 0;

  constructor(clock: { now(): number }, readings: Partial<Readings> = {}) {
    this.#clock = clock;
    this.#readings = {
      editDuringGradual: "refused",
      editRefusal: 10215,
      annotationsAreInherited: false,
      bulkOperationsMax: 100,
      ...readings,
    };
  }

  /** Told of every deployment, when it is made. */
  onDeployed(listener: (event: DeployedEvent) => void): void {
    this.#listeners.push(listener);
  }

  setToken(value: string, token: Token): void {
    this.#tokens.set(value, token);
  }

  /**
   * Which token this is; refuses one that is unknown or disabled, and the 1,201st request of five minutes, and then all of
   * the next five. Source: Cloudflare API, rate limits.
   */
  admit(value: string | null): Token {
    if (value === null) throw new CloudflareRefusal(400, 9106, "Missing Authorization header");
    const token = this.#tokens.get(value);
    if (token?.status !== "active") {
      throw new CloudflareRefusal(403, 9109, "Invalid access token");
    }
    this.apiTokens?.use(value);
    const now = this.#clock.now();
    const rate = this.#rates.get(value) ?? { windowStart: now, count: 0, blockedUntil: 0 };
    this.#rates.set(value, rate);
    if (now < rate.blockedUntil) throw tooMany();
    if (now - rate.windowStart >= RATE_WINDOW_MS) Object.assign(rate, { windowStart: now, count: 0 });
    rate.count += 1;
    if (rate.count <= REQUESTS_MAX) return token;
    rate.blockedUntil = now + RATE_WINDOW_MS;
    throw tooMany();
  }

  /** `wrangler deploy`: a version with this change, live at once. Makes the Worker if there is none. */
  deploy(account: string, script: string, change: VersionChange = {}): WorkerVersion {
    const key = `${account}/${script}`;
    if (!this.#workers.has(key)) this.#workers.set(key, { versions: [], deployments: [] });
    const made = this.#addVersion(this.#worker(account, script), { source: "wrangler", ...change });
    this.#addDeployment(account, script, [{ versionId: made.id, percentage: 100 }]);
    return made;
  }

  /** Somebody deletes the Worker. */
  remove(account: string, script: string): void {
    this.#workers.delete(`${account}/${script}`);
  }

  /** `wrangler versions upload`: a version that is not deployed. What is not given is as in the newest, live or not. */
  upload(account: string, script: string, change: VersionChange = {}): WorkerVersion {
    return this.#addVersion(this.#worker(account, script), change);
  }

  /** `versions/latest`: a copy of the newest version, live or not, with other secrets. Nothing guards it; it is not deployed. */
  stage(account: string, script: string, change: Pick<VersionChange, "secrets" | "annotations">): WorkerVersion {
    const worker = this.#worker(account, script);
    const newest = worker.versions.at(-1);
    if (newest === undefined) throw new CloudflareRefusal(400, 10222, "No versions uploaded");
    refuseTaken(newest, change.secrets ?? {});
    const inherited = this.#readings.annotationsAreInherited ? newest.annotations : {};
    return this.#addVersion(worker, { ...change, annotations: { ...inherited, ...change.annotations } });
  }

  /** Sets and deletes secrets in ONE new version, and deploys it. Refused unless the newest version is the live one. */
  changeSecrets(account: string, script: string, secrets: Readonly<Record<string, string | null>>): WorkerVersion {
    const worker = this.#worker(account, script);
    if (Object.keys(secrets).length > this.#readings.bulkOperationsMax) {
      throw new CloudflareRefusal(400, 100160, "Too many secrets in one request");
    }
    const newest = worker.versions.at(-1);
    if (newest === undefined) throw new CloudflareRefusal(400, 10222, "No versions uploaded");
    const shares = worker.deployments[0]?.shares ?? [];
    const serving = shares.find((share) => share.versionId === newest.id);
    const isLive = this.#readings.editDuringGradual === "refused" ? serving?.percentage === 100 : serving !== undefined;
    if (!isLive) {
      throw new CloudflareRefusal(
        400,
        this.#readings.editRefusal,
        "Secret edit failed. You attempted to modify a secret, but the latest version of your Worker isn't currently deployed.",
      );
    }
    refuseTaken(newest, secrets);
    const made = this.#addVersion(worker, { secrets, source: "api" });
    this.#addDeployment(account, script, [{ versionId: made.id, percentage: 100 }]);
    return made;
  }

  /** Puts versions live. Without force, a roll-back past a change of secrets is refused. */
  createDeployment(
    account: string,
    script: string,
    plan: { readonly shares: readonly Share[]; readonly isForced: boolean },
  ): Deployment {
    const worker = this.#worker(account, script);
    const total = plan.shares.reduce((sum, share) => sum + share.percentage, 0);
    if (plan.shares.length < 1 || plan.shares.length > 2 || total !== 100) {
      throw new CloudflareRefusal(400, 10021, "One or two versions that add up to 100 are needed");
    }
    const deployable = worker.versions.slice(-DEPLOYABLE_MAX);
    const targets = plan.shares.map(({ versionId }) => deployable.find((version) => version.id === versionId));
    if (targets.includes(undefined)) {
      throw new CloudflareRefusal(400, 10021, "A version of the deployment cannot be deployed");
    }
    const changed = plan.isForced ? [] : changedSecrets(this.#liveVersions(worker), targets);
    if (changed.length > 0) {
      throw new CloudflareRefusal(
        400,
        10220,
        `The following secrets have changed since the target version: ${changed.join(", ")}`,
      );
    }
    return this.#addDeployment(account, script, plan.shares);
  }

  /** All versions, oldest first. Refuses an unknown Worker, as every method here does. */
  versions(account: string, script: string): readonly WorkerVersion[] {
    return this.#worker(account, script).versions;
  }

  deployable(account: string, script: string): readonly WorkerVersion[] {
    return this.#worker(account, script).versions.slice(-DEPLOYABLE_MAX);
  }

  /** The ten newest deployments, the live one first. */
  deployments(account: string, script: string): readonly Deployment[] {
    return this.#worker(account, script).deployments;
  }

  /** The versions that serve, those at 0 % included. */
  live(account: string, script: string): readonly WorkerVersion[] {
    return this.#liveVersions(this.#worker(account, script));
  }

  has(account: string, script: string): boolean {
    return this.#workers.has(`${account}/${script}`);
  }

  #worker(account: string, script: string): Worker {
    const worker = this.#workers.get(`${account}/${script}`);
    if (worker === undefined) {
      throw new CloudflareRefusal(404, 10007, "This Worker does not exist on your account.");
    }
    return worker;
  }

  #liveVersions(worker: Worker): WorkerVersion[] {
    const ids = worker.deployments[0]?.shares.map((share) => share.versionId) ?? [];
    return ids.flatMap((id) => worker.versions.filter((version) => version.id === id));
  }

  #addVersion(worker: Worker, change: VersionChange): WorkerVersion {
    const from = worker.versions.at(-1);
    const made: WorkerVersion = {
      id: this.#id(),
      number: (from?.number ?? 0) + 1,
      createdAt: this.#clock.now(),
      source: change.source ?? "api",
      code: change.code ?? from?.code ?? "",
      plain: change.plain ?? from?.plain ?? {},
      secrets: merged(from?.secrets ?? {}, change.secrets ?? {}),
      annotations: change.annotations ?? {},
    };
    worker.versions.push(made);
    return made;
  }

  #addDeployment(account: string, script: string, shares: readonly Share[]): Deployment {
    const worker = this.#worker(account, script);
    const deployment = { id: this.#id(), createdAt: this.#clock.now(), shares };
    worker.deployments.unshift(deployment);
    worker.deployments.splice(DEPLOYMENTS_KEPT);
    const versions = this.#liveVersions(worker);
    for (const listener of this.#listeners) listener({ account, script, deployment, versions });
    return deployment;
  }

  #id(): string {
    this.#ids += 1;
    return `00000000-0000-4000-8000-${this.#ids.toString(16).padStart(12, "0")}`;
  }
}

/** A name is one binding: a plain variable does not become a secret. */
function refuseTaken(newest: WorkerVersion, secrets: Readonly<Record<string, string | null>>): void {
  const taken = Object.keys(secrets).find((name) => name in newest.plain);
  if (taken !== undefined) throw new CloudflareRefusal(400, 10053, `Binding name '${taken}' already in use.`);
}

const tooMany = (): CloudflareRefusal =>
  new CloudflareRefusal(429, 971, "Please wait and consider throttling your request speed");

function merged(
  from: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const all = Object.entries({ ...from, ...change });
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null));
}

/** The names whose values differ between what is live and an older version that is to go live. */
function changedSecrets(live: readonly WorkerVersion[], targets: readonly (WorkerVersion | undefined)[]): string[] {
  const pairs = targets.flatMap((target) => live.map((current) => [current, target] as const));
  const names = pairs.flatMap(([current, target]) => {
    if (target === undefined || target.number >= current.number) return [];
    const all = Object.keys({ ...current.secrets, ...target.secrets });
    return all.filter((name) => current.secrets[name] !== target.secrets[name]);
  });
  return [...new Set(names)];
}
