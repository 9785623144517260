import { AccountClient } from "@aws-sdk/client-account";
import { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { IAMClient } from "@aws-sdk/client-iam";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SNSClient } from "@aws-sdk/client-sns";
import { STSClient } from "@aws-sdk/client-sts";
import { seconds } from "../rotation/time.ts";
import type { Credential } from "../rotation/keys.ts";
import type { AwsClock } from "./clock.ts";

const ATTEMPTS_MAX = 3;
const CONNECT_WITHIN_MS = seconds(3);
const ANSWER_WITHIN_MS = seconds(15);
/** IAM and Account have one endpoint, which is signed for as this Region; IAM's events lie here too. */
export const GLOBAL_REGION = "us-east-1";

interface ClientsOptions {
  /** Where custody and the journal live. */
  readonly region: string;
  readonly clock: AwsClock;
  /** One endpoint for all services. Without it the SDK's own AWS_ENDPOINT_URL variables count, or AWS itself. */
  readonly endpoint?: string;
  /** Without them the SDK's own chain of credentials. */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

/** The SDK clients of one run. Every one of them tells the clock the time, has time-outs, and retries only what is safe. */
export interface Clients {
  readonly region: string;
  readonly iam: IAMClient;
  /** For CreateAccessKey alone: that call knows no client token, so it is sent once. */
  readonly iamOnce: IAMClient;
  readonly sts: STSClient;
  readonly account: AccountClient;
  readonly dynamodb: DynamoDBClient;
  readonly secrets: SecretsManagerClient;
  secretsIn(region: string): SecretsManagerClient;
  cloudtrailIn(region: string): CloudTrailClient;
  snsIn(region: string): SNSClient;
  /** A client that signs with this pair and asks once. The caller destroys it. */
  stsAs(credential: Credential, region: string): STSClient;
  /** Closes the connections. */
  destroy(): void;
}

/** Makes the clients of one run. Nothing is sent before the first call. */
export function createClients({ region, clock, endpoint, credentials }: ClientsOptions): Clients {
  const made: { destroy(): void }[] = [];
  const common = {
    retryMode: "standard",
    requestHandler: {
      connectionTimeout: CONNECT_WITHIN_MS,
      requestTimeout: ANSWER_WITHIN_MS,
      throwOnRequestTimeout: true,
    },
    ...(endpoint === undefined ? {} : { endpoint }),
  };
  const ours = {
    ...common,
    maxAttempts: ATTEMPTS_MAX,
    ...(credentials === undefined ? {} : { credentials }),
  };
  // A kept connection may have been closed at the other end unnoticed; what is sent once takes a new one.
  const once = {
    maxAttempts: 1,
    requestHandler: {
      ...common.requestHandler,
      httpAgent: { keepAlive: false },
      httpsAgent: { keepAlive: false },
    },
  };
  const listening = <T extends StackOwner>(client: T): T => {
    client.middlewareStack.use(clock.plugin as never);
    return client;
  };
  const kept = <T extends StackOwner>(client: T): T => {
    made.push(client);
    return listening(client);
  };

  return {
    region,
    iam: kept(new IAMClient({ ...ours, region: GLOBAL_REGION })),
    iamOnce: kept(new IAMClient({ ...ours, ...once, region: GLOBAL_REGION })),
    sts: kept(new STSClient({ ...ours, region })),
    account: kept(new AccountClient({ ...ours, region: GLOBAL_REGION })),
    dynamodb: kept(new DynamoDBClient({ ...ours, region })),
    secrets: kept(new SecretsManagerClient({ ...ours, region })),
    secretsIn: perRegion((at) => kept(new SecretsManagerClient({ ...ours, region: at }))),
    cloudtrailIn: perRegion((at) => kept(new CloudTrailClient({ ...ours, region: at }))),
    snsIn: perRegion((at) => kept(new SNSClient({ ...ours, region: at }))),
    stsAs: (credential, at) =>
      listening(
        new STSClient({
          ...common,
          ...once,
          region: at,
          credentials: {
            accessKeyId: credential.id,
            secretAccessKey: credential.secret.reveal(),
          },
        }),
      ),
    destroy() {
      for (const client of made) client.destroy();
    },
  };
}

/** Any SDK client. Each types its plug-ins by its own operations; the clock's reads a header and fits them all. */
interface StackOwner {
  readonly middlewareStack: { use(plugin: never): void };
  destroy(): void;
}

function perRegion<T>(make: (region: string) => T): (region: string) => T {
  const made = new Map<string, T>();
  return (region) => {
    const found = made.get(region) ?? make(region);
    made.set(region, found);
    return found;
  };
}
