import * as dynamodb from "@aws-sdk/client-dynamodb";
import { GetRoleCommand, TagUserCommand, UntagUserCommand } from "@aws-sdk/client-iam";
import { GetResourcePolicyCommand, PutResourcePolicyCommand } from "@aws-sdk/client-secrets-manager";
import { ListSubscriptionsByTopicCommand } from "@aws-sdk/client-sns";
import { AwsClient } from "aws4fetch";
import { minutes, seconds } from "../rotation/time.ts";
import { createClients } from "./clients.ts";
import { createAwsClock } from "./clock.ts";
import { policyOf, READ_SID } from "./custody-notes.ts";
import { openSecret } from "./custody-secret.ts";
import { createDirectory } from "./directory.ts";
import { configuredRegion } from "./function.ts";
import { createIdentity } from "./identity.ts";
import { createProver } from "./prover.ts";
import { createRandom } from "./random.ts";
import { asking } from "./translate-error.ts";

/** AWS with the rights of whoever sits at the terminal: credentials, Region and endpoints by the SDK's own chain. */
export type Operator = Awaited<ReturnType<typeof openOperator>>;

/** Throws `Misconfigured` where no Region is configured. Every method throws `RotationError`; `close` when it is over. */
export async function openOperator(endpoint: string | undefined) {
  const region = await configuredRegion();
  const clock = createAwsClock(minutes(10));
  const clients = createClients({ region, clock });
  return {
    region,
    identity: createIdentity(clients),
    prover: createProver(clients),
    directory: createDirectory(clients, {
      tagKeys: [],
      pathPrefix: null,
      holdTag: "keyturn-hold",
      clock,
      random: createRandom(),
    }),
    secret: (name: string, doing: string) => openSecret(clients.secrets, name, doing),
    tag: (UserName: string, Key: string, Value: string) =>
      asking(`tagging ${UserName}`, clients.iam.send(new TagUserCommand({ UserName, Tags: [{ Key, Value }] }))),
    untag: (UserName: string, Key: string) =>
      asking(`untagging ${UserName}`, clients.iam.send(new UntagUserCommand({ UserName, TagKeys: [Key] }))),
    /**
     * Lets one user read what is current in a secret, and never by a session: those outlive the key that made them. A
     * policy of somebody else's is left as it is.
     */
    async letRead(SecretId: string, userArn: string): Promise<"made" | "there" | "foreign"> {
      const doing = `letting the user read ${SecretId}`;
      const found = await asking(doing, clients.secrets.send(new GetResourcePolicyCommand({ SecretId })));
      if (found.ResourcePolicy) return found.ResourcePolicy.includes(READ_SID) ? "there" : "foreign";
      const command = new PutResourcePolicyCommand({ SecretId, ResourcePolicy: policyOf({ userArn, isReader: true }) });
      await asking(doing, clients.secrets.send(command));
      return "made";
    },
    /** Whether a table can be brought back to any second. */
    async hasBackups(TableName: string): Promise<boolean> {
      const command = new dynamodb.DescribeContinuousBackupsCommand({ TableName });
      const { ContinuousBackupsDescription } = await asking(
        `reading table ${TableName}`,
        clients.dynamodb.send(command),
      );
      return ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === "ENABLED";
    },
    /** The endpoints that have confirmed, of those on the first page. */
    async subscriptions(TopicArn: string): Promise<readonly string[]> {
      const command = new ListSubscriptionsByTopicCommand({ TopicArn });
      const { Subscriptions = [] } = await asking(`reading topic ${TopicArn}`, clients.sns.send(command));
      return Subscriptions.filter(({ SubscriptionArn = "" }) => SubscriptionArn.startsWith("arn:")).map(
        ({ Protocol = "?" }) => Protocol,
      );
    },
    role: (RoleName: string) => asking(`reading role ${RoleName}`, clients.iam.send(new GetRoleCommand({ RoleName }))),
    /** ENABLED or DISABLED; by a signed request, since the SDK's client would be there for one call. */
    async scheduleState(name: string): Promise<string> {
      const aws = new AwsClient({
        ...(await clients.sts.config.credentials()),
        service: "scheduler",
        region,
        retries: 0,
      });
      const at = endpoint ?? `https://scheduler.${region}.amazonaws.com`;
      return asking(`reading schedule ${name}`, readState(aws, `${at}/schedules/${name}`));
    },
    close: () => clients.destroy(),
  };
}

/** Source: EventBridge Scheduler API, GetSchedule. */
async function readState(aws: AwsClient, url: string): Promise<string> {
  const response = await aws.fetch(url, { signal: AbortSignal.timeout(seconds(15)) });
  const said = (await response.json()) as { readonly State?: string };
  if (response.ok) return said.State ?? "unknown";
  const name = (response.headers.get("x-amzn-errortype") ?? "Unknown").replace(/:.*/, "");
  throw Object.assign(new Error(name), { name, $metadata: { httpStatusCode: response.status } });
}
