import { ServiceError } from "./call.ts";
import type { CloudAnswer } from "./call.ts";
import type { Operations, Received } from "./caller.ts";
import type { Lags } from "./iam-state.ts";
import { optionalNumber, optionalText, page, structures, text, texts } from "./input.ts";
import { enforce } from "./resource-policy.ts";
import { arnSuffix, uuid } from "./random.ts";
import type { SeededRandom } from "./random.ts";
import { holderOf, moveStage, putVersion } from "./secret-versions.ts";
import type { SecretVersion, SecretVersions } from "./secret-versions.ts";

/** Codes with which a key of KMS refuses; null where it does not. */
interface KmsRefusal {
  readonly read: "AccessDeniedException" | "DecryptionFailure" | null;
  readonly write: "AccessDeniedException" | "EncryptionFailure" | null;
}

export interface SimulatedSecret {
  readonly arn: string;
  readonly name: string;
  readonly region: string;
  readonly replicaRegions: string[];
  readonly createdAtMs: number;
  tags: { readonly Key: string; readonly Value: string }[];
  versions: SecretVersions;
  /** What the versions were, oldest first: replicas show what was true a while ago. */
  readonly past: { readonly atMs: number; readonly versions: SecretVersions }[];
  deletedAtMs: number | null;
  kms: KmsRefusal;
  /** Its resource policy, as JSON, which its replicas have too (Secrets Manager User Guide, replication). */
  policy: string | null;
}

type Input = Received["input"];

const notFound = (what: string): ServiceError =>
  new ServiceError("ResourceNotFoundException", `Secrets Manager can't find the specified ${what}.`);

const invalid = (why: string): ServiceError => new ServiceError("InvalidRequestException", why);

/** Secrets Manager. A replica shows what its primary showed `replicaMs` ago, and takes no writes. */
export class SecretsManager {
  readonly secrets: SimulatedSecret[] = [];
  /** Secrets on a page where the caller does not ask for fewer. */
  pageSize = 100;
  readonly operations: Operations;
  readonly #account: string;
  readonly #random: SeededRandom;
  readonly #lags: Lags;

  constructor(account: string, random: SeededRandom, lags: Lags) {
    this.#account = account;
    this.#random = random;
    this.#lags = lags;
    this.operations = {
      CreateSecret: (received) => this.#createSecret(received),
      PutSecretValue: (received) => this.#putSecretValue(received),
      GetSecretValue: (received) => this.#getSecretValue(received),
      DescribeSecret: (received) => this.#describeSecret(received),
      UpdateSecretVersionStage: (received) => this.#updateSecretVersionStage(received),
      ListSecrets: (received) => this.#listSecrets(received),
      GetResourcePolicy: (received) => {
        const { arn, name, policy } = this.#find(received);
        return { ARN: arn, Name: name, ...(policy === null ? {} : { ResourcePolicy: policy }) };
      },
      PutResourcePolicy: (received) => this.#putResourcePolicy(received),
      TagResource: (received) => this.#tagResource(received),
      UntagResource: (received) => this.#untagResource(received),
      DeleteSecret: (received) => this.#deleteSecret(received),
      RestoreSecret: (received) => this.#restoreSecret(received),
    };
  }

  /** The secret of this name in its own Region, or null. For tests, which look at its state and turn its switches. */
  named(name: string): SimulatedSecret | null {
    return this.secrets.find((secret) => secret.name === name) ?? null;
  }

  /** The text that a label shows now, or null. */
  textOf(name: string, stage: string): string | null {
    const secret = this.named(name);
    return secret === null ? null : (holderOf(secret.versions, stage)?.text ?? null);
  }

  #find(received: Received): SimulatedSecret {
    const id = text(received.input, "SecretId");
    const isArn = id.startsWith("arn:");
    const found = this.secrets.find(
      (secret) =>
        (secret.name === id || (isArn && (secret.arn === id || regional(secret, received.region) === id))) &&
        (secret.region === received.region || secret.replicaRegions.includes(received.region)),
    );
    if (found === undefined) throw notFound("secret");
    return found;
  }

  /** A secret to write: in its own Region, and not scheduled for deletion. */
  #writable(received: Received): SimulatedSecret {
    const secret = this.#find(received);
    if (secret.deletedAtMs !== null) {
      throw invalid("You can't perform this operation on the secret because it was marked for deletion.");
    }
    if (secret.region !== received.region) {
      throw invalid("You can't perform this operation on a replica secret.");
    }
    return secret;
  }

  #set(secret: SimulatedSecret, versions: SecretVersions, nowMs: number): void {
    secret.past.push({ atMs: nowMs, versions });
    secret.versions = versions;
    const shown = secret.past.findLastIndex(({ atMs }) => atMs + this.#lags.replicaMs <= nowMs);
    if (shown > 0) secret.past.splice(0, shown);
  }

  /** What the Region of the call shows. */
  #shown(secret: SimulatedSecret, received: Received): SecretVersions {
    if (secret.region === received.region) return secret.versions;
    const shown = secret.past.findLast(({ atMs }) => atMs + this.#lags.replicaMs <= received.nowMs);
    if (shown === undefined) throw notFound("secret");
    return shown.versions;
  }

  /** The first version is AWSCURRENT; a name that is taken is ResourceExistsException, a deleted one still takes it. */
  #createSecret({ input, region, nowMs }: Received): CloudAnswer {
    const name = text(input, "Name");
    const there = this.secrets.find((secret) => secret.name === name && secret.region === region);
    if (there !== undefined && there.deletedAtMs !== null) {
      throw invalid("You can't create this secret because a secret with this name is already scheduled for deletion.");
    }
    const versionId = optionalText(input, "ClientRequestToken") ?? uuid(this.#random);
    const value = optionalText(input, "SecretString");
    if (there !== undefined) {
      const same = there.versions.get(versionId);
      if (same !== undefined && same.text === value) {
        return { ARN: there.arn, Name: name, VersionId: versionId };
      }
      throw new ServiceError(
        "ResourceExistsException",
        `The operation failed because the secret ${name} already exists.`,
      );
    }
    const secret: SimulatedSecret = {
      arn: `arn:aws:secretsmanager:${region}:${this.#account}:secret:${name}-${arnSuffix(this.#random)}`,
      name,
      region,
      replicaRegions: replicas(input),
      createdAtMs: nowMs,
      tags: tagsOf(input),
      versions: new Map(),
      past: [],
      deletedAtMs: null,
      kms: { read: null, write: null },
      policy: null,
    };
    this.secrets.push(secret);
    const versions =
      value === null
        ? secret.versions
        : putVersion(secret.versions, { id: versionId, text: value, nowMs }, ["AWSCURRENT"]);
    this.#set(secret, versions, nowMs);
    return { ARN: secret.arn, Name: name, ...(value === null ? {} : { VersionId: versionId }) };
  }

  #putSecretValue(received: Received): CloudAnswer {
    const { input, nowMs } = received;
    const secret = this.#writable(received);
    if (secret.kms.write !== null) {
      throw new ServiceError(secret.kms.write, "Access to KMS is not allowed");
    }
    const stages = texts(input, "VersionStages");
    const id = optionalText(input, "ClientRequestToken") ?? uuid(this.#random);
    const put = { id, text: text(input, "SecretString"), nowMs };
    this.#set(secret, putVersion(secret.versions, put, stages.length === 0 ? ["AWSCURRENT"] : stages), nowMs);
    return {
      ARN: secret.arn,
      Name: secret.name,
      VersionId: id,
      VersionStages: [...(secret.versions.get(id)?.stages ?? [])],
    };
  }

  #getSecretValue(received: Received): CloudAnswer {
    const { input } = received;
    const secret = this.#find(received);
    if (secret.deletedAtMs !== null) {
      throw invalid("You can't perform this operation on the secret because it was marked for deletion.");
    }
    enforce(secret.policy, received);
    const version = versionAsked(this.#shown(secret, received), input);
    if (secret.kms.read !== null) {
      throw new ServiceError(secret.kms.read, "Access to KMS is not allowed");
    }
    return {
      ARN: regional(secret, received.region),
      Name: secret.name,
      VersionId: version.id,
      SecretString: version.text,
      VersionStages: [...version.stages],
      CreatedDate: new Date(version.createdAtMs),
    };
  }

  #putResourcePolicy(received: Received): CloudAnswer {
    const secret = this.#writable(received);
    secret.policy = text(received.input, "ResourcePolicy");
    return { ARN: secret.arn, Name: secret.name };
  }

  /** Answers for a secret that is scheduled for deletion too, and then says since when. Versions without a label are not listed. */
  #describeSecret(received: Received): CloudAnswer {
    const secret = this.#find(received);
    const stagesOf: Record<string, string[]> = {};
    for (const { id, stages } of this.#shown(secret, received).values()) {
      if (stages.size > 0) stagesOf[id] = [...stages];
    }
    return {
      ARN: regional(secret, received.region),
      Name: secret.name,
      Tags: secret.tags,
      CreatedDate: new Date(secret.createdAtMs),
      VersionIdsToStages: stagesOf,
      ...(secret.replicaRegions.length === 0
        ? {}
        : { PrimaryRegion: secret.region, ReplicationStatus: this.#replication(secret, received) }),
      ...(secret.deletedAtMs === null ? {} : { DeletedDate: new Date(secret.deletedAtMs) }),
    };
  }

  /** Describes the creation of a replica, and not whether it shows the newest version (Secrets Manager API). */
  #replication(secret: SimulatedSecret, { nowMs }: Received): CloudAnswer[] {
    const isThere = nowMs >= secret.createdAtMs + this.#lags.replicaMs;
    return secret.replicaRegions.map((Region) => ({
      Region,
      Status: isThere ? "InSync" : "InProgress",
    }));
  }

  #updateSecretVersionStage(received: Received): CloudAnswer {
    const { input, nowMs } = received;
    const secret = this.#writable(received);
    const change = {
      from: optionalText(input, "RemoveFromVersionId"),
      to: optionalText(input, "MoveToVersionId"),
    };
    this.#set(secret, moveStage(secret.versions, text(input, "VersionStage"), change), nowMs);
    return { ARN: secret.arn, Name: secret.name };
  }

  /** Of the filters only the prefix of the name; what is scheduled for deletion is left out unless asked for. */
  #listSecrets({ input, region }: Received): CloudAnswer {
    const prefixes = structures(input, "Filters")
      .filter((filter) => filter["Key"] === "name")
      .flatMap((filter) => texts(filter, "Values"));
    const withDeleted = input["IncludePlannedDeletion"] === true;
    const all = this.secrets
      .filter((secret) => secret.region === region)
      .filter((secret) => withDeleted || secret.deletedAtMs === null)
      .filter(({ name }) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix)))
      .map((secret) => ({ ARN: secret.arn, Name: secret.name, Tags: secret.tags }));
    const size = Math.min(optionalNumber(input, "MaxResults") ?? 100, this.pageSize);
    const [secrets, next] = page(all, optionalText(input, "NextToken"), size);
    return { SecretList: secrets, ...(next === null ? {} : { NextToken: next }) };
  }

  #tagResource(received: Received): CloudAnswer {
    const secret = this.#writable(received);
    const tags = tagsOf(received.input);
    const kept = secret.tags.filter(({ Key }) => !tags.some((tag) => tag.Key === Key));
    secret.tags = [...kept, ...tags];
    return {};
  }

  #untagResource(received: Received): CloudAnswer {
    const secret = this.#writable(received);
    const gone = texts(received.input, "TagKeys");
    secret.tags = secret.tags.filter(({ Key }) => !gone.includes(Key));
    return {};
  }

  /** Scheduled for deletion, unless recovery is forced away. */
  #deleteSecret(received: Received): CloudAnswer {
    const secret = this.#writable(received);
    if (received.input["ForceDeleteWithoutRecovery"] === true) {
      this.secrets.splice(this.secrets.indexOf(secret), 1);
    }
    secret.deletedAtMs = received.nowMs;
    return { ARN: secret.arn, Name: secret.name, DeletionDate: new Date(received.nowMs) };
  }

  #restoreSecret(received: Received): CloudAnswer {
    const secret = this.#find(received);
    secret.deletedAtMs = null;
    return { ARN: secret.arn, Name: secret.name };
  }
}

/** A replica has the same ARN but for its Region. */
const regional = (secret: SimulatedSecret, region: string): string =>
  secret.region === region ? secret.arn : secret.arn.replace(`:${secret.region}:`, `:${region}:`);

const tagsOf = (input: Input): { Key: string; Value: string }[] =>
  structures(input, "Tags").map((tag) => ({
    Key: text(tag, "Key"),
    Value: optionalText(tag, "Value") ?? "",
  }));

const replicas = (input: Input): string[] =>
  structures(input, "AddReplicaRegions").map((replica) => text(replica, "Region"));

function versionAsked(versions: SecretVersions, input: Input): SecretVersion {
  const id = optionalText(input, "VersionId");
  const stage = optionalText(input, "VersionStage");
  const asked = stage ?? (id === null ? "AWSCURRENT" : null);
  const found = id === null ? holderOf(versions, asked ?? "AWSCURRENT") : (versions.get(id) ?? null);
  if (found === null) throw notFound(`secret value for ${id ?? `staging label: ${asked ?? ""}`}`);
  if (asked !== null && !found.stages.has(asked)) {
    throw invalid("You provided a VersionStage that is not associated to the provided VersionId.");
  }
  return found;
}
