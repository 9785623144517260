import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import type { DescribeSecretResponse, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { RotationError } from "../rotation/errors.ts";
import { parseContent } from "./custody-content.ts";
import type { CustodyContent } from "./custody-content.ts";
import { asking, translateError } from "./translate-error.ts";

/** The labels that tell the versions of a custody secret apart. */
export type Label = "AWSCURRENT" | "AWSPENDING" | "AWSPREVIOUS" | "KEYTURN_INTENT";

/** What DescribeSecret says: which version bears which label, the tags, and the replica Regions. */
export interface SecretFacts {
  readonly versionOf: Readonly<Partial<Record<Label, string>>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly replicaRegions: readonly string[];
}

/** A version written: its content, its token (which becomes its id), and its one label. */
interface NewVersion {
  readonly content: string;
  readonly token: string;
  readonly label: Label;
}

/** One secret in one Region, with the words of its API. */
export interface CustodySecret {
  /** Null only when the service says that there is no such secret. Throws for one that is scheduled for deletion. */
  find(doing: string): Promise<SecretFacts | null>;
  /** As `find`, and a secret that does not exist is `NotFound`. */
  facts(doing: string): Promise<SecretFacts>;
  content(versionId: string, doing: string): Promise<CustodyContent>;
  put(version: NewVersion, doing: string): Promise<void>;
  /** Moves a label, by compare and swap on its present holder. `to: null` takes it away. */
  move(label: Label, ends: { from: string | undefined; to: string | null }, doing: string): Promise<void>;
}

/** Opens a secret by its name. Nothing is sent before the first question. */
export function openSecret(client: SecretsManagerClient, name: string): CustodySecret {
  const find = async (doing: string): Promise<SecretFacts | null> => {
    try {
      const described = await client.send(new DescribeSecretCommand({ SecretId: name }));
      return factsOf(described, doing);
    } catch (thrown) {
      const error = translateError(thrown, doing);
      if (error.code === "NotFound") return null;
      throw error;
    }
  };
  return {
    find,
    async facts(doing) {
      const found = await find(doing);
      if (found === null) throw new RotationError("NotFound", `${doing}, there is no ${name}`);
      return found;
    },
    async content(versionId, doing) {
      const command = new GetSecretValueCommand({ SecretId: name, VersionId: versionId });
      const { SecretString } = await asking(doing, client.send(command));
      return parseContent(SecretString, doing);
    },
    async put({ content, token, label }, doing) {
      const command = new PutSecretValueCommand({
        SecretId: name,
        SecretString: content,
        ClientRequestToken: token,
        VersionStages: [label],
      });
      await asking(doing, client.send(command));
    },
    async move(label, { from, to }, doing) {
      const command = new UpdateSecretVersionStageCommand({
        SecretId: name,
        VersionStage: label,
        ...(from === undefined ? {} : { RemoveFromVersionId: from }),
        ...(to === null ? {} : { MoveToVersionId: to }),
      });
      await asking(doing, client.send(command));
    },
  };
}

function factsOf(described: DescribeSecretResponse, doing: string): SecretFacts {
  if (described.DeletedDate !== undefined) {
    throw new RotationError("Misconfigured", `${doing}, the secret is scheduled for deletion`);
  }
  const labelled = Object.entries(described.VersionIdsToStages ?? {}).flatMap(([id, labels]) =>
    labels.map((label) => [label, id] as const),
  );
  return {
    versionOf: Object.fromEntries(labelled),
    tags: Object.fromEntries((described.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
    replicaRegions: (described.ReplicationStatus ?? []).flatMap(({ Region }) => Region ?? []),
  };
}
