import { ServiceError } from "./call.ts";
import type { CloudAnswer } from "./call.ts";
import { secondsDate } from "./caller.ts";
import type { Operations, Received } from "./caller.ts";
import type { SimulatedClock } from "./clock.ts";
import { CredentialReports } from "./credential-report.ts";
import { accountAuthorizationDetails } from "./iam-details.ts";
import { changeAt, DEFAULT_LAGS, recordUse } from "./iam-state.ts";
import type { Lags, PolicyDocument, SimulatedGroup, SimulatedKey, SimulatedUser, Use } from "./iam-state.ts";
import { tagged, untagged } from "./iam-tags.ts";
import { optionalNumber, optionalText, page, text } from "./input.ts";
import { secretText, seededRandom, uniqueId } from "./random.ts";
import type { SeededRandom } from "./random.ts";

/** What a test says of a user it seeds. */
export interface UserSeed {
  readonly name: string;
  readonly path?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly inline?: Readonly<Record<string, PolicyDocument>>;
  readonly attached?: readonly string[];
  readonly groups?: readonly string[];
}

interface IamOptions {
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
  readonly account: string;
  readonly lags: Lags;
}

/** At most two keys a user, whatever their status (IAM API). */
const KEYS_PER_USER_MAX = 2;

const noSuch = (what: string): ServiceError => new ServiceError("NoSuchEntity", `The ${what} cannot be found.`, 404);

/** IAM: users, keys, tags and policies of one account. Reads are consistent at once, unlike the real ones. */
export class Iam {
  readonly users = new Map<string, SimulatedUser>();
  readonly groups = new Map<string, SimulatedGroup>();
  /** Managed policies by ARN. */
  readonly policies = new Map<string, PolicyDocument>();
  /** All keys there ever were, by id. */
  readonly keys = new Map<string, SimulatedKey>();
  /** Items on a page where the caller does not ask for fewer; pages may be short (IAM API). */
  pageSize = 100;
  readonly credentialReports: CredentialReports;
  readonly operations: Operations;
  /** The same ids in each cloud: an object that is keyed by them has a shape that V8 knows already. */
  readonly #ids = seededRandom(7);
  readonly #options: IamOptions;
  /** The keys that there are, by the id of their user, oldest first. */
  readonly #present = new Map<string, readonly SimulatedKey[]>();

  constructor(options: IamOptions) {
    this.#options = options;
    this.credentialReports = new CredentialReports(this, options.account, options.clock);
    this.operations = {
      CreateAccessKey: (received) => this.#createAccessKey(received),
      ListAccessKeys: (received) => this.#listAccessKeys(received),
      UpdateAccessKey: (received) => this.#updateAccessKey(received),
      DeleteAccessKey: (received) => this.#deleteAccessKey(received),
      GetAccessKeyLastUsed: (received) => this.#getAccessKeyLastUsed(received),
      GetUser: ({ input, caller }) => ({
        User: userAnswer(this.#user(optionalText(input, "UserName") ?? caller.name), true),
      }),
      ListUserTags: ({ input }) => this.#listUserTags(input),
      ListUsers: (received) => this.#listUsers(received),
      GetAccountAuthorizationDetails: ({ input }) => accountAuthorizationDetails(this, input),
      AttachUserPolicy: ({ input }) => this.#attachUserPolicy(input),
      DetachUserPolicy: ({ input }) => this.#detachUserPolicy(input),
      TagUser: (received) => this.#tagUser(received),
      UntagUser: (received) => this.#untagUser(received),
      ...this.credentialReports.operations,
    };
  }

  /** Seeds a user. A name that is taken is an error, as in CreateUser. */
  createUser(seed: UserSeed): SimulatedUser {
    if (this.users.has(seed.name)) {
      throw new ServiceError("EntityAlreadyExists", `User ${seed.name} already exists.`, 409);
    }
    const path = seed.path ?? "/";
    const user: SimulatedUser = {
      name: seed.name,
      id: uniqueId(this.#options.random, "AIDA"),
      arn: `arn:aws:iam::${this.#options.account}:user${path}${seed.name}`,
      path,
      createdAtMs: this.#options.clock.now(),
      tags: Object.entries(seed.tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
      inline: { ...seed.inline },
      attached: [...(seed.attached ?? [])],
      groups: [...(seed.groups ?? [])],
    };
    this.users.set(user.name, user);
    return user;
  }

  /** Takes a user away with its keys, as an administrator does in the console. */
  deleteUser(name: string): void {
    for (const key of this.keysOf(name)) this.#remove(key);
    this.users.delete(name);
  }

  /** Seeds a key that is known everywhere already. Beyond two keys it refuses. */
  createKey(userName: string, seed: { readonly createdAtMs?: number } = {}): SimulatedKey {
    const createdAtMs = seed.createdAtMs ?? this.#options.clock.now();
    return this.#makeKey(this.#user(userName), createdAtMs, createdAtMs);
  }

  /** The keys that a user has now. */
  keysOf(userName: string): readonly SimulatedKey[] {
    return this.#present.get(this.users.get(userName)?.id ?? "") ?? [];
  }

  /** Every signed and authenticated request of every service counts (IAM User Guide, last used). */
  recordUse(keyId: string, use: Use): void {
    const key = this.keys.get(keyId);
    if (key !== undefined)
      recordUse(key, use, use.atMs - Math.max(this.#options.lags.lastUsedMs, DEFAULT_LAGS.lastUsedMs));
  }

  #user(name: string): SimulatedUser {
    const user = this.users.get(name);
    if (user === undefined) throw noSuch(`user with name ${name}`);
    return user;
  }

  #key(userName: string, id: string): SimulatedKey {
    this.#user(userName);
    const key = this.keysOf(userName).find((candidate) => candidate.id === id);
    if (key === undefined) throw noSuch(`Access Key with id ${id}`);
    return key;
  }

  #makeKey(user: SimulatedUser, createdAtMs: number, knownAtMs: number): SimulatedKey {
    if (this.keysOf(user.name).length >= KEYS_PER_USER_MAX) {
      throw new ServiceError("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409);
    }
    const id = uniqueId(this.#ids, "AKIA");
    const key: SimulatedKey = {
      id,
      secret: secretText(this.#options.random),
      caller: {
        kind: "user",
        keyId: id,
        arn: user.arn,
        uniqueId: user.id,
        name: user.name,
        role: null,
      },
      createdAtMs,
      changedAtMs: createdAtMs,
      status: "Active",
      isDeleted: false,
      changes: [{ atMs: knownAtMs, works: true }],
      uses: [],
    };
    this.keys.set(id, key);
    this.#present.set(user.id, [...(this.#present.get(user.id) ?? []), key]);
    return key;
  }

  #remove(key: SimulatedKey): void {
    key.isDeleted = true;
    const { uniqueId } = key.caller;
    this.#present.set(
      uniqueId,
      (this.#present.get(uniqueId) ?? []).filter((other) => other !== key),
    );
    changeAt(key, this.#options.clock.now() + this.#options.lags.deactivationMs, false);
  }

  /** No client token: each call makes a key. The secret is told once (IAM API). */
  #createAccessKey({ input, caller, nowMs }: Received): CloudAnswer {
    const user = this.#user(optionalText(input, "UserName") ?? caller.name);
    const key = this.#makeKey(user, nowMs, nowMs + this.#options.lags.propagationMs);
    return {
      AccessKey: {
        UserName: user.name,
        AccessKeyId: key.id,
        Status: key.status,
        SecretAccessKey: key.secret,
        CreateDate: secondsDate(key.createdAtMs),
      },
    };
  }

  /** UserName, AccessKeyId, Status and CreateDate only (IAM API). */
  #listAccessKeys({ input, caller }: Received): CloudAnswer {
    const user = this.#user(optionalText(input, "UserName") ?? caller.name);
    const all = this.keysOf(user.name).map((key) => ({
      UserName: user.name,
      AccessKeyId: key.id,
      Status: key.status,
      CreateDate: secondsDate(key.createdAtMs),
    }));
    const [keys, marker] = page(all, optionalText(input, "Marker"), this.#pageSize(input));
    return { AccessKeyMetadata: keys, ...truncation(marker) };
  }

  #updateAccessKey({ input, caller, nowMs }: Received): CloudAnswer {
    const userName = optionalText(input, "UserName") ?? caller.name;
    const key = this.#key(userName, text(input, "AccessKeyId"));
    const status = text(input, "Status");
    if (status !== "Active" && status !== "Inactive") {
      throw new ServiceError("ValidationError", `status ${status} is not Active or Inactive`);
    }
    if (key.status === status) return {};
    key.status = status;
    key.changedAtMs = nowMs;
    changeAt(key, nowMs + this.#options.lags.deactivationMs, status === "Active");
    return {};
  }

  #deleteAccessKey({ input, caller }: Received): CloudAnswer {
    const userName = optionalText(input, "UserName") ?? caller.name;
    this.#remove(this.#key(userName, text(input, "AccessKeyId")));
    return {};
  }

  /** The only call that maps a bare key id to its owner; "N/A" and no date where there is nothing to tell (IAM User Guide, last used). */
  #getAccessKeyLastUsed({ input, nowMs }: Received): CloudAnswer {
    const id = text(input, "AccessKeyId");
    const key = this.keys.get(id);
    if (key === undefined || key.isDeleted) throw noSuch(`Access Key with id ${id}`);
    const visible = key.uses.findLast(({ atMs }) => atMs + this.#options.lags.lastUsedMs <= nowMs);
    const lastUsed =
      visible === undefined
        ? { ServiceName: "N/A", Region: "N/A" }
        : {
            LastUsedDate: secondsDate(visible.atMs),
            ServiceName: visible.service,
            Region: visible.service === "s3" ? "N/A" : visible.region,
          };
    return { UserName: key.caller.name, AccessKeyLastUsed: lastUsed };
  }

  #listUserTags(input: Received["input"]): CloudAnswer {
    const user = this.#user(text(input, "UserName"));
    const [tags, marker] = page(user.tags, optionalText(input, "Marker"), this.#pageSize(input));
    return { Tags: tags, ...truncation(marker) };
  }

  /** The shape of a listed user has no tags (IAM API). */
  #listUsers({ input }: Received): CloudAnswer {
    const prefix = optionalText(input, "PathPrefix") ?? "/";
    const all = [...this.users.values()].filter(({ path }) => path.startsWith(prefix));
    const [users, marker] = page(all, optionalText(input, "Marker"), this.#pageSize(input));
    return { Users: users.map((user) => userAnswer(user, false)), ...truncation(marker) };
  }

  #attachUserPolicy(input: Received["input"]): CloudAnswer {
    const { attached } = this.#user(text(input, "UserName"));
    const arn = text(input, "PolicyArn");
    if (!attached.includes(arn)) attached.push(arn);
    return {};
  }

  #detachUserPolicy(input: Received["input"]): CloudAnswer {
    const { attached } = this.#user(text(input, "UserName"));
    const at = attached.indexOf(text(input, "PolicyArn"));
    if (at < 0) throw noSuch("policy");
    attached.splice(at, 1);
    return {};
  }

  #tagUser({ input }: Received): CloudAnswer {
    const user = this.#user(text(input, "UserName"));
    user.tags = tagged(user.tags, input);
    return {};
  }

  #untagUser({ input }: Received): CloudAnswer {
    const user = this.#user(text(input, "UserName"));
    user.tags = untagged(user.tags, input);
    return {};
  }

  #pageSize(input: Received["input"]): number {
    return Math.min(optionalNumber(input, "MaxItems") ?? 100, this.pageSize);
  }
}

const truncation = (marker: string | null): CloudAnswer =>
  marker === null ? { IsTruncated: false } : { IsTruncated: true, Marker: marker };

function userAnswer(user: SimulatedUser, withTags: boolean): CloudAnswer {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.id,
    Arn: user.arn,
    CreateDate: secondsDate(user.createdAtMs),
    ...(withTags && user.tags.length > 0 ? { Tags: user.tags } : {}),
  };
}
