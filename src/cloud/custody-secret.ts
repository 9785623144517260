import * as sdk from "@aws-sdk/client-secrets-manager";
import { RotationError } from "../rotation/errors.ts";
import type { Credential } from "../rotation/keys.ts";
import { parseContent, type CustodyContent } from "./custody-content.ts";
import { asking, finding, foreignName, translateError } from "./translate-error.ts";

type Label = "AWSCURRENT" | "AWSPENDING" | "AWSPREVIOUS" | "KEYTURN_INTENT" | "KEYTURN_DEPOSIT";
type Labels = Readonly<Partial<Record<Label, string>>>;

interface SecretPlace {
  readonly tags: Readonly<Record<string, string>>;
  readonly replicaRegions: readonly string[];
}

/** A version to write, under a token that becomes its id. */
type NewVersion = { readonly token: string; readonly text: string };

/** What DescribeSecret says, with the version that bears each label. */
export interface SecretFacts extends SecretPlace {
  readonly labels: Labels;
}

/** One secret in one Region, opened for one errand. */
export type CustodySecret = ReturnType<typeof openSecret>;

/** Opens a secret by its name, for the errand that every error names. Nothing is sent before the first question. */
export function openSecret(client: sdk.SecretsManagerClient, SecretId: string, doing: string) {
  const describe = async (): Promise<sdk.DescribeSecretCommandOutput | null> =>
    finding(doing, client.send(new sdk.DescribeSecretCommand({ SecretId })));
  /** Of one that is scheduled for deletion, too; none where there is no such secret. */
  const tags = async (): Promise<SecretFacts["tags"]> => tagsIn((await describe())?.Tags ?? []);
  /** Null only when the service says that there is no such secret. Throws for one that is scheduled for deletion. */
  async function find(): Promise<SecretFacts | null> {
    const described = await describe();
    return described === null ? null : factsOf(described, doing);
  }
  /** The version that bears each label. A secret that does not exist is `NotFound`. */
  async function labels(): Promise<Labels> {
    const found = await find();
    if (found === null) throw new RotationError("NotFound", `${doing}, there is no ${SecretId}`);
    return found.labels;
  }
  async function content(VersionId: string): Promise<CustodyContent> {
    const answer = await asking(doing, client.send(new sdk.GetSecretValueCommand({ SecretId, VersionId })));
    return parseContent(answer.SecretString, doing);
  }
  /** The pair of a version; null for one that holds none, or where there is no version. */
  async function pair(versionId: string | undefined): Promise<Credential | null> {
    return versionId === undefined ? null : (await content(versionId)).pair;
  }
  /** The same, but null also for a version that does not exist. */
  async function pairIfAny(VersionId: string): Promise<Credential | null> {
    const answer = await finding(doing, client.send(new sdk.GetSecretValueCommand({ SecretId, VersionId })));
    return answer === null ? null : parseContent(answer.SecretString, doing).pair;
  }
  /** Writes a version with one label. Gives the labels that it bears now. */
  async function put(label: Label, { token, text }: NewVersion): Promise<readonly string[]> {
    const input = { SecretId, SecretString: text, ClientRequestToken: token, VersionStages: [label] };
    return (await asking(doing, client.send(new sdk.PutSecretValueCommand(input)))).VersionStages ?? [];
  }
  /** Moves a label, or takes it away (`to: null`), by compare and swap. Already done is done; else `Conflict`. */
  async function move(label: Label, { from, to }: { from: string | undefined; to: string | null }): Promise<void> {
    const ends = { RemoveFromVersionId: from, MoveToVersionId: to ?? undefined };
    const command = new sdk.UpdateSecretVersionStageCommand({ SecretId, VersionStage: label, ...ends });
    try {
      await asking(doing, client.send(command));
    } catch (thrown) {
      const holder = (await labels())[label];
      if ((holder ?? null) === to) return;
      if (holder === from) throw thrown;
      throw new RotationError("Conflict", `${doing}, ${label} was moved by somebody else`);
    }
  }
  async function tag(tags: Readonly<Record<string, string>>): Promise<void> {
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    if (Tags.length > 0) await asking(doing, client.send(new sdk.TagResourceCommand({ SecretId, Tags })));
  }
  async function protect(policy: string): Promise<void> {
    const input = { SecretId, ResourcePolicy: policy, BlockPublicPolicy: true };
    await asking(doing, client.send(new sdk.PutResourcePolicyCommand(input)));
  }
  const create = (version: NewVersion, place: SecretPlace): Promise<boolean> =>
    createSecret(client, { ...place, name: SecretId, doing }, version);
  return { name: SecretId, doing, create, find, tags, labels, content, pair, pairIfAny, put, move, tag, protect };
}

function factsOf(described: sdk.DescribeSecretCommandOutput, doing: string): SecretFacts {
  const { DeletedDate, VersionIdsToStages = {}, Tags = [], ReplicationStatus = [] } = described;
  if (DeletedDate !== undefined) {
    throw new RotationError("Misconfigured", `${doing}, the secret is scheduled for deletion`);
  }
  const stages = Object.entries(VersionIdsToStages);
  return {
    labels: Object.fromEntries(stages.flatMap(([id, labels]) => labels.map((label) => [label, id]))),
    tags: tagsIn(Tags),
    replicaRegions: ReplicationStatus.flatMap(({ Region }) => Region ?? []),
  };
}

const tagsIn = (tags: readonly sdk.Tag[]): SecretFacts["tags"] =>
  Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));

/** Creates the secret with its first version, for AWSCURRENT. False when there is such a secret. */
async function createSecret(
  client: sdk.SecretsManagerClient,
  { name, doing, tags, replicaRegions }: SecretPlace & { readonly name: string; readonly doing: string },
  { token, text }: NewVersion,
): Promise<boolean> {
  const command = new sdk.CreateSecretCommand({
    Name: name,
    Description: "An IAM user's access key, kept by Keyturn.",
    SecretString: text,
    ClientRequestToken: token,
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    // The API refuses an empty list of Regions.
    AddReplicaRegions: replicaRegions.length === 0 ? undefined : replicaRegions.map((Region) => ({ Region })),
  });
  try {
    await client.send(command);
    return true;
  } catch (thrown) {
    if (foreignName(thrown) === "ResourceExists") return false;
    throw translateError(thrown, doing);
  }
}
