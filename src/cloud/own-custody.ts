import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { RotationError } from "../rotation/errors.ts";
import type { Credential } from "../rotation/keys.ts";
import { seconds } from "../rotation/time.ts";
import { parseContent } from "./custody-content.ts";
import { foreignName, translateError } from "./translate-error.ts";

/** What was answered; `dead` where AWS does not take the pair, and otherwise why nobody could tell. */
type Told<Value> =
  | { readonly kind: "told"; readonly value: Value }
  | { readonly kind: "dead" }
  | { readonly kind: "untold"; readonly because: string };

/** A user's own secret, as a machine sees it that has nothing but the user's pair. Never throws: a reader goes on with what it has. */
export interface OwnCustody {
  /**
   * The current pair, read with one of the user's; null while there is none. Signed by the reader's name, so only with a
   * pair that this machine has stored: CloudTrail then shows who has it.
   */
  read(pair: Credential): Promise<Told<Credential | null>>;
  /** The ARN of whoever holds a pair. Not by name: the pair need not be stored yet. */
  holderOf(pair: Credential): Promise<Told<string>>;
}

interface OwnCustodyOptions {
  /** As the SDK finds it for itself where it is not said. */
  readonly region: string | null;
  readonly secretId: string;
  /** By what name the machine signs; null for none. */
  readonly reader: string | null;
}

/** How the services say that they do not know a pair; Secrets Manager has a name of its own for a wrong secret key. */
const DEAD = /^(InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature|AuthFailure)$/;
/** A command line waits for us. */
const TIMEOUTS = { connectionTimeout: seconds(3), requestTimeout: seconds(5), throwOnRequestTimeout: true };

export function createOwnCustody({ region, secretId, reader }: OwnCustodyOptions): OwnCustody {
  const optionsFor = ({ id, secret }: Credential, userAgentAppId: string) => ({
    ...(region === null ? {} : { region }),
    credentials: { accessKeyId: id, secretAccessKey: secret.reveal() },
    requestHandler: TIMEOUTS,
    maxAttempts: 2,
    userAgentAppId,
  });
  return {
    read(pair) {
      const client = new SecretsManagerClient(optionsFor(pair, reader === null ? "" : `keyturn-${reader}`));
      const doing = `reading ${secretId} with ${pair.id}`;
      return telling(
        doing,
        client,
        async () => {
          const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
          return parseContent(SecretString, doing).pair;
        },
        null,
      );
    },
    holderOf(pair) {
      // An empty id, and not none: the SDK would take that of the environment.
      const client = new STSClient(optionsFor(pair, ""));
      const doing = `asking whose ${pair.id} is`;
      return telling(doing, client, async () => {
        const { Arn } = await client.send(new GetCallerIdentityCommand({}));
        if (Arn === undefined) throw new RotationError("Unreachable", `${doing}, the answer names nobody`);
        return Arn;
      });
    },
  };
}

/** `absent` stands for what the service says is not there. */
async function telling<Value>(
  doing: string,
  client: { destroy(): void },
  ask: () => Promise<Value>,
  absent?: Value,
): Promise<Told<Value>> {
  try {
    return { kind: "told", value: await ask() };
  } catch (thrown) {
    if (DEAD.test(foreignName(thrown))) return { kind: "dead" };
    const error = translateError(thrown, doing);
    if (error.code === "NotFound" && absent !== undefined) return { kind: "told", value: absent };
    return { kind: "untold", because: error.message };
  } finally {
    client.destroy();
  }
}
