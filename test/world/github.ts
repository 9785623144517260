import sodium from "libsodium-wrappers";

/** What the API refuses. Source: GitHub REST API, troubleshooting and each call's status codes. */
export class GitHubRefusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "GitHubRefusal";
    this.status = status;
    this.headers = headers;
  }
}

export interface StoredActionsSecret {
  readonly name: string;
  readonly value: string;
  readonly createdMs: number;
  readonly updatedMs: number;
  /** Of an organization's secret: which repositories may read it. */
  readonly visibility: string | null;
  readonly repositories: readonly number[];
}

type Rights = Readonly<Partial<Record<"secrets" | "environments" | "organization_secrets", "read" | "write">>>;

export interface GitHubToken {
  readonly rights: Rights;
  /** As "owner/name" or "owner"; whatever is not among them is not there for this token. */
  readonly sees: readonly string[];
  readonly endsMs?: number;
}

interface Installation {
  readonly appId: string;
  /** In PEM. */
  readonly publicKey: string;
  readonly rights: Rights;
  readonly sees: readonly string[];
}

/** A repository, one of its environments ("owner/name/production"), or an organization, with the key of its secrets. */
export interface SecretPlace {
  readonly path: string;
  readonly id: number;
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
  /** By name in capitals: GitHub compares names without case. Source: GitHub, naming your secrets. */
  readonly secrets: Map<string, StoredActionsSecret>;
}

/** What befalls the next request that matches. `hasEffect`: whether it was carried out all the same. */
export type GitHubFault = { readonly on: "read" | "write"; readonly times?: number } & (
  | { readonly kind: "failed"; readonly status: number; readonly hasEffect: boolean }
  | { readonly kind: "limited"; readonly retryAfterS: number }
  | { readonly kind: "lost"; readonly hasEffect: boolean }
  | { readonly kind: "html" }
  /** Something happens just before the request is carried out. */
  | { readonly kind: "meanwhile"; readonly act: () => void }
);

const REQUESTS_PER_HOUR = 5_000;
const HOUR_MS = 3_600_000;
const INSTALLATION_TOKEN_MS = HOUR_MS;
/** Source: GitHub, limits for secrets. */
const VALUE_BYTES_MAX = 48 * 1_024;

/** GitHub Actions secrets: what goes in is opened with the place's private key by libsodium, and never comes out again. */
export class GitHub {
  readonly faults: GitHubFault[] = [];
  readonly clock: { now(): number };
  /** How long a change takes, in real milliseconds: a second one meanwhile is refused. */
  writeTakesMs = 0;
  isWriting = false;
  readonly #places = new Map<string, SecretPlace>();
  readonly #moved = new Map<string, string>();
  readonly #tokens = new Map<string, GitHubToken>();
  readonly #installations = new Map<string, Installation>();
  readonly #rates = new Map<string, { startedMs: number; used: number }>();
  #made = 0;

  constructor(clock: { now(): number }) {
    this.clock = clock;
  }

  addPlace(path: string): SecretPlace {
    const pair = sodium.crypto_box_keypair();
    this.#made += 1;
    const place = { path, id: this.#made, keyId: String(568_250_167_242_549_743n + BigInt(this.#made)), ...pair };
    this.#places.set(path.toLowerCase(), { ...place, secrets: new Map() });
    return this.place(path);
  }

  /** Somebody renames a repository: its old name redirects. Source: GitHub REST API, best practices (redirects). */
  rename(from: string, to: string): void {
    this.#places.set(to.toLowerCase(), this.place(from));
    this.#places.delete(from.toLowerCase());
    this.#moved.set(from.toLowerCase(), to);
  }

  movedTo(path: string): string | null {
    return this.#moved.get(path.toLowerCase()) ?? null;
  }

  place(path: string): SecretPlace {
    const found = this.#places.get(path.toLowerCase());
    if (found === undefined) throw new GitHubRefusal(404, "Not Found");
    return found;
  }

  setToken(value: string, token: GitHubToken | null): void {
    if (token === null) this.#tokens.delete(value);
    else this.#tokens.set(value, token);
  }

  addInstallation(id: string, installation: Installation): void {
    this.#installations.set(id, installation);
  }

  installation(id: string): Installation {
    const found = this.#installations.get(id);
    if (found === undefined) throw new GitHubRefusal(404, "Integration not found");
    return found;
  }

  /** A token of an hour for an installation, with no more rights than it has. */
  grant(id: string, asked: Pick<GitHubToken, "rights" | "sees">): { readonly token: string; readonly endsMs: number } {
    const { rights, sees } = this.installation(id);
    const isTooMuch = Object.entries(asked.rights).some(([right, level]) => !allows(rights, right, level));
    if (isTooMuch || asked.sees.some((path) => !sees.includes(path))) {
      throw new GitHubRefusal(422, "The permissions requested are not granted to this installation.");
    }
    this.#made += 1;
    const token = `ghs_${String(this.#made).padStart(36, "0")}`;
    const endsMs = this.clock.now() + INSTALLATION_TOKEN_MS;
    this.setToken(token, { ...asked, endsMs });
    return { token, endsMs };
  }

  /** Which token this is; 401 for one that is unknown or over, 403 once the hour's requests are used. */
  admit(value: string | null): GitHubToken {
    const token = this.#tokens.get(value ?? "");
    const isOver = token?.endsMs !== undefined && token.endsMs <= this.clock.now();
    if (token === undefined || isOver) throw new GitHubRefusal(401, "Bad credentials");
    const rate = this.#rateOf(value ?? "");
    rate.used += 1;
    if (rate.used > REQUESTS_PER_HOUR) throw new GitHubRefusal(403, "API rate limit exceeded");
    return token;
  }

  /** Source: GitHub REST API, rate limits: the headers that every answer bears. */
  rateHeaders(value: string | null): Readonly<Record<string, string>> {
    const { used, startedMs } = this.#rateOf(value ?? "");
    return {
      "x-ratelimit-limit": String(REQUESTS_PER_HOUR),
      "x-ratelimit-remaining": String(Math.max(0, REQUESTS_PER_HOUR - used)),
      "x-ratelimit-reset": String(Math.ceil((startedMs + HOUR_MS) / 1_000)),
    };
  }

  /** So many requests are used up already. */
  spend(value: string, requests: number): void {
    this.#rateOf(value).used = requests;
  }

  /** Stores what a sealed box holds. True: there was no such secret, and it was made. */
  putSealed(
    place: SecretPlace,
    name: string,
    sealed: { readonly value: string; readonly keyId: string } & Partial<
      Pick<StoredActionsSecret, "visibility" | "repositories">
    >,
  ): boolean {
    if (sealed.keyId !== place.keyId) throw new GitHubRefusal(422, "The key_id is not that of the public key");
    const value = opened(place, sealed.value);
    if (Buffer.byteLength(value) > VALUE_BYTES_MAX) throw new GitHubRefusal(422, "The value is too long");
    return this.setSecret(place.path, name, value, sealed);
  }

  /** Sets a secret as its owner does in the browser. */
  setSecret(
    path: string,
    name: string,
    value: string,
    more: Partial<Pick<StoredActionsSecret, "visibility" | "repositories">> = {},
  ): boolean {
    if (!/^(?!github_)[a-z_]\w*$/i.test(name)) throw new GitHubRefusal(422, "The name is not valid");
    const { secrets } = this.place(path);
    const now = this.clock.now();
    const before = secrets.get(name.toUpperCase());
    const { visibility = null, repositories = [] } = more;
    secrets.set(name.toUpperCase(), {
      name: name.toUpperCase(),
      value,
      createdMs: before?.createdMs ?? now,
      updatedMs: now,
      visibility,
      repositories,
    });
    return before === undefined;
  }

  removeSecret(path: string, name: string): void {
    this.place(path).secrets.delete(name.toUpperCase());
  }

  /**
   * What a run that begins now is given, and keeps: the secrets of the organization, of the repository over them, and of the
   * environment over those. Source: GitHub, using secrets: read when a run is queued, of an environment when its job starts.
   */
  startRun(repository: string, environment?: string): Readonly<Record<string, string>> {
    const [owner = ""] = repository.split("/");
    const paths = [owner, repository, ...(environment === undefined ? [] : [`${repository}/${environment}`])];
    const { id } = this.place(repository);
    const held = paths.flatMap((path) => [...(this.#places.get(path.toLowerCase())?.secrets.values() ?? [])]);
    const given = held.filter(({ visibility, repositories }) => visibility !== "selected" || repositories.includes(id));
    return Object.fromEntries(given.map(({ name, value }) => [name, value]));
  }

  #rateOf(value: string): { startedMs: number; used: number } {
    const now = this.clock.now();
    const known = this.#rates.get(value);
    if (known !== undefined && now - known.startedMs < HOUR_MS) return known;
    const begun = { startedMs: now, used: 0 };
    this.#rates.set(value, begun);
    return begun;
  }
}

/** A GitHub once libsodium is ready. */
export async function simulateGitHub(clock: { now(): number }): Promise<GitHub> {
  await sodium.ready;
  return new GitHub(clock);
}

export const allows = (rights: Rights, right: string, level: string): boolean => {
  const given = new Map(Object.entries(rights)).get(right);
  return right === "metadata" || given === "write" || (given === "read" && level === "read");
};

function opened({ publicKey, privateKey }: SecretPlace, sealed: string): string {
  try {
    const box = sodium.from_base64(sealed, sodium.base64_variants.ORIGINAL);
    return sodium.to_string(sodium.crypto_box_seal_open(box, publicKey, privateKey));
  } catch {
    throw new GitHubRefusal(422, "The encrypted value cannot be decrypted");
  }
}
