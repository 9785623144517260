import { AccountClient } from "@aws-sdk/client-account";
import { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { IAMClient } from "@aws-sdk/client-iam";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SNSClient } from "@aws-sdk/client-sns";
import { STSClient, type STSClientConfig } from "@aws-sdk/client-sts";
import type { Credential } from "../rotation/keys.ts";
import { seconds } from "../rotation/time.ts";
import type { AwsClock } from "./clock.ts";
import { limitInFlight } from "./in-flight.ts";

const ATTEMPTS_MAX = 3;
/** Over all clients of a run: more would not be served sooner, and only meet throttles. */
const IN_FLIGHT_MAX = 16;
/** IAM and Account have one endpoint, which is signed for as this Region; IAM's events lie here too. */
export const GLOBAL_REGION = "us-east-1";

interface ClientsOptions {
  /** Where custody, the journal and the topic live. */
  readonly region: string;
  readonly clock: AwsClock;
  /** One endpoint for all services, and credentials of our own. Without them the SDK's own variables and chain count. */
  readonly sdk?: Pick<STSClientConfig, "endpoint" | "credentials">;
}

export type Clients = ReturnType<typeof createClients>;

/** The SDK clients of one run. Every one of them tells the clock the time, has time-outs, and retries only what is safe. */
export function createClients({ region, clock, sdk = {} }: ClientsOptions) {
  const made: { destroy(): void }[] = [];
  const timeouts = { connectionTimeout: seconds(3), requestTimeout: seconds(15), throwOnRequestTimeout: true };
  const ours = { ...sdk, requestHandler: timeouts, retryMode: "standard", maxAttempts: ATTEMPTS_MAX };
  // A kept connection may have been closed at the other end unnoticed; what is sent once takes a new one.
  const fresh = { keepAlive: false };
  const once = { maxAttempts: 1, requestHandler: { ...timeouts, httpAgent: fresh, httpsAgent: fresh } };
  const usage = { calls: 0, throttles: 0 };
  const limit = limitInFlight(IN_FLIGHT_MAX, usage);
  // Each client types its plug-ins by its own operations; these two read none of them and fit them all.
  const kept = <T extends { middlewareStack: { use(plugin: never): void }; destroy(): void }>(client: T): T => {
    client.middlewareStack.use(clock.plugin as never);
    client.middlewareStack.use(limit as never);
    made.push(client);
    return client;
  };
  const secretsIn = perRegion((at) => kept(new SecretsManagerClient({ ...ours, region: at })));
  return {
    region,
    // IAM's buckets are small and their sizes unpublished: this client slows down as the throttling asks.
    iam: kept(new IAMClient({ ...ours, retryMode: "adaptive", region: GLOBAL_REGION })),
    /** For what the SDK must not repeat: CreateAccessKey knows no client token, and a user's tags are a quota. */
    iamOnce: kept(new IAMClient({ ...ours, ...once, region: GLOBAL_REGION })),
    sts: kept(new STSClient({ ...ours, region })),
    account: kept(new AccountClient({ ...ours, region: GLOBAL_REGION })),
    dynamodb: kept(new DynamoDBClient({ ...ours, region })),
    secrets: secretsIn(region),
    sns: kept(new SNSClient({ ...ours, region })),
    secretsIn,
    /** Asks once: who asks it keeps a pace, and tries again within that. */
    cloudtrailIn: perRegion((at) => kept(new CloudTrailClient({ ...ours, maxAttempts: 1, region: at }))),
    /** A client of a service that few configurations need, and that is loaded only for them. */
    make: <T extends Parameters<typeof kept>[0]>(client: (options: typeof ours) => T): T => kept(client(ours)),
    /** A client that signs with this pair and asks once. The caller destroys it. */
    stsAs({ id, secret }: Credential, at: string): STSClient {
      const pair = { accessKeyId: id, secretAccessKey: secret.reveal() };
      return kept(new STSClient({ ...ours, ...once, region: at, credentials: pair }));
    },
    /** What these clients sent so far. */
    usage: () => ({ ...usage }),
    destroy() {
      for (const client of made) client.destroy();
    },
  };
}

/** Makes one of a kind for each Region, when it is first asked for. */
export function perRegion<T>(make: (region: string) => T): (region: string) => T {
  const made = new Map<string, T>();
  return (region) => {
    const found = made.get(region) ?? make(region);
    made.set(region, found);
    return found;
  };
}
