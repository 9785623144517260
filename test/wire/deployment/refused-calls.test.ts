import {
  CloudWatchLogsClient,
  DeleteLogGroupCommand,
  PutRetentionPolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { DeleteTableCommand, DynamoDBClient, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import * as sdk from "@aws-sdk/client-iam";
import { LambdaClient, UpdateFunctionCodeCommand } from "@aws-sdk/client-lambda";
import * as secrets from "@aws-sdk/client-secrets-manager";
import { DeleteTopicCommand, SetTopicAttributesCommand, SNSClient } from "@aws-sdk/client-sns";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { foreignClient, setUpWire } from "../setup.ts";
import type { WireSetup } from "../setup.ts";
import { packageStage } from "./artifact.ts";
import { enforce } from "./needs.ts";
import { grantsOf } from "./policy.ts";

const ROLE = "keyturn-function-us-east-1";
const CUSTODY = "keyturn/deploy";
const OTHER = "somebody/else";
const DESCRIPTION = "AKIAIOSFODNN7EXAMPLE";
const REFUSED = /^(AccessDenied(Exception)?|AuthorizationError(Exception)?)$/;
const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
});

let setup: WireSetup;
let clients: ReturnType<typeof clientsOf>;
beforeAll(async () => {
  const [packaged, made] = await Promise.all([packageStage("default"), setUpWire()]);
  setup = made;
  const { cloud } = setup;
  cloud.iam.createUser({ name: "admin" });
  cloud.iam.createUser({ name: "other-stage", tags: { "keyturn-dev": "matchmaking" } });
  cloud.iam.createUser({ name: "deploy", tags: { keyturn: "matchmaking" } });
  for (const name of [CUSTODY, OTHER]) {
    const input = { Name: name, SecretString: "{}", ClientRequestToken: "0".repeat(32) };
    cloud.callAs(cloud.role, { service: "secretsmanager", operation: "CreateSecret", input });
  }
  clients = clientsOf(setup);
  enforce(cloud, grantsOf(packaged.resources, "KeyturnRole"));
}, 90_000);
afterAll(async () => setup.close());

/** Clients of the SDK, as somebody would use them who runs code as the function's role. */
function clientsOf({ cloud, wire }: WireSetup) {
  const { keyId: accessKeyId, secret: secretAccessKey, sessionToken } = cloud.role;
  const options = {
    endpoint: wire.url,
    region: "us-east-1",
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    maxAttempts: 1,
  };
  return {
    iam: new sdk.IAMClient(options),
    sts: new STSClient(options),
    secrets: new secrets.SecretsManagerClient(options),
    dynamodb: new DynamoDBClient(options),
    lambda: new LambdaClient(options),
    sns: new SNSClient(options),
    logs: new CloudWatchLogsClient(options),
    events: new EventBridgeClient(options),
  };
}

const tagging = async (UserName: string, ...keys: readonly string[]): Promise<unknown> =>
  clients.iam.send(new sdk.TagUserCommand({ UserName, Tags: keys.map((Key) => ({ Key, Value: "matchmaking" })) }));
/** For the services of which no client is installed: signed by hand, and refused in the spelling of the service. */
async function signed(service: string, path: string, init: RequestInit): Promise<void> {
  const answer = await foreignClient(setup.cloud.role, service).fetch(setup.wire.url + path, init);
  const text = await answer.text();
  const code = answer.headers.get("x-amzn-errortype") ?? /<Code>(\w+)/.exec(text)?.[1] ?? "none";
  if (!answer.ok) throw Object.assign(new Error(text), { name: code });
}
const query = async (service: string, Action: string, more: Readonly<Record<string, string>>): Promise<void> => {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  await signed(service, "/", { method: "POST", headers, body: String(new URLSearchParams({ Action, ...more })) });
};

const CALLS: readonly (readonly [string, () => Promise<unknown>])[] = [
  ["a key of an administrator", () => clients.iam.send(new sdk.CreateAccessKeyCommand({ UserName: "admin" }))],
  [
    "a key of a user of another stage",
    () => clients.iam.send(new sdk.CreateAccessKeyCommand({ UserName: "other-stage" })),
  ],
  ["the enrolment of an administrator", () => tagging("admin", "keyturn")],
  ["an enrolment hidden among descriptions", () => tagging("deploy", DESCRIPTION, "Keyturn")],
  [
    "the end of an enrolment",
    () => clients.iam.send(new sdk.UntagUserCommand({ UserName: "deploy", TagKeys: ["keyturn"] })),
  ],
  [
    "a password of an enrolled user",
    () => clients.iam.send(new sdk.CreateLoginProfileCommand({ UserName: "deploy", Password: "Password-1" })),
  ],
  [
    "another password",
    () => clients.iam.send(new sdk.UpdateLoginProfileCommand({ UserName: "deploy", Password: "Password-1" })),
  ],
  [
    "a policy on an enrolled user",
    () =>
      clients.iam.send(
        new sdk.AttachUserPolicyCommand({
          UserName: "deploy",
          PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
        }),
      ),
  ],
  [
    "one written into it",
    () =>
      clients.iam.send(new sdk.PutUserPolicyCommand({ UserName: "deploy", PolicyName: "all", PolicyDocument: POLICY })),
  ],
  [
    "membership of a group",
    () => clients.iam.send(new sdk.AddUserToGroupCommand({ GroupName: "admins", UserName: "deploy" })),
  ],
  ["a user of his own", () => clients.iam.send(new sdk.CreateUserCommand({ UserName: "new" }))],
  [
    "a policy on this role",
    () => clients.iam.send(new sdk.PutRolePolicyCommand({ RoleName: ROLE, PolicyName: "all", PolicyDocument: POLICY })),
  ],
  [
    "this role's trust in somebody else",
    () => clients.iam.send(new sdk.UpdateAssumeRolePolicyCommand({ RoleName: ROLE, PolicyDocument: POLICY })),
  ],
  [
    "another version of a policy",
    () =>
      clients.iam.send(
        new sdk.CreatePolicyVersionCommand({
          PolicyArn: "arn:aws:iam::123456789012:policy/shared",
          PolicyDocument: POLICY,
          SetAsDefault: true,
        }),
      ),
  ],
  [
    "another role",
    () =>
      clients.sts.send(
        new AssumeRoleCommand({ RoleArn: "arn:aws:iam::123456789012:role/admin", RoleSessionName: "keyturn" }),
      ),
  ],
  [
    "other code for this function",
    () => clients.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: "keyturn", ZipFile: new Uint8Array([1]) })),
  ],
  [
    "this function's silence",
    () => signed("scheduler", "/schedules/keyturn-sweep", { method: "PUT", body: '{"State":"DISABLED"}' }),
  ],
  [
    "a rule that says nothing to anybody",
    () => clients.events.send(new PutTargetsCommand({ Rule: "keyturn-leaked-keys", Targets: [] })),
  ],
  ["no alarm", () => query("monitoring", "DeleteAlarms", { "AlarmNames.member.1": "keyturn-sweeps-missing" })],
  ["an alarm that never rings", () => query("monitoring", "PutMetricAlarm", { AlarmName: "keyturn-errors" })],
  ["no log of it", () => clients.logs.send(new DeleteLogGroupCommand({ logGroupName: "/aws/lambda/keyturn" }))],
  [
    "a log that forgets",
    () => clients.logs.send(new PutRetentionPolicyCommand({ logGroupName: "/aws/lambda/keyturn", retentionInDays: 1 })),
  ],
  ["no journal", () => clients.dynamodb.send(new DeleteTableCommand({ TableName: "keyturn" }))],
  [
    "a journal that forgets",
    () =>
      clients.dynamodb.send(
        new UpdateTimeToLiveCommand({
          TableName: "keyturn",
          TimeToLiveSpecification: { AttributeName: "at", Enabled: true },
        }),
      ),
  ],
  [
    "nobody who is told",
    () => clients.sns.send(new DeleteTopicCommand({ TopicArn: "arn:aws:sns:us-east-1:123456789012:keyturn" })),
  ],
  [
    "a topic that lets nobody publish",
    () =>
      clients.sns.send(
        new SetTopicAttributesCommand({
          TopicArn: "arn:aws:sns:us-east-1:123456789012:keyturn",
          AttributeName: "Policy",
          AttributeValue: "{}",
        }),
      ),
  ],
  ["the stack", () => query("cloudformation", "DeleteStack", { StackName: "keyturn" })],
  ["custody destroyed", () => clients.secrets.send(new secrets.DeleteSecretCommand({ SecretId: CUSTODY }))],
  ["another's secret", () => clients.secrets.send(new secrets.GetSecretValueCommand({ SecretId: OTHER }))],
];

describe("calls of the SDK, signed by the function's role, against the policy that is packaged", () => {
  test.for(CALLS)("%s: AWS refuses it", async ([, call]) => {
    const refusal = await call().catch((thrown: unknown) => thrown as Error);
    expect(refusal).toBeInstanceOf(Error);
    expect((refusal as Error).name).toMatch(REFUSED);
    expect((refusal as Error).message).toContain("is not authorized to perform");
  });

  test("what the service does is not refused: a key of an enrolled user, its description, a hold, its custody", async () => {
    await clients.iam.send(new sdk.CreateAccessKeyCommand({ UserName: "deploy" }));
    await tagging("deploy", DESCRIPTION);
    await tagging("deploy", "keyturn-hold");
    const { SecretString } = await clients.secrets.send(new secrets.GetSecretValueCommand({ SecretId: CUSTODY }));
    expect([setup.cloud.iam.keysOf("deploy").length, SecretString]).toEqual([1, "{}"]);
  });

  test("nothing of it was done, and without the policy it would have been", async () => {
    const { cloud } = setup;
    expect(cloud.iam.keysOf("admin")).toEqual([]);
    cloud.roleRefuses = null;
    await clients.iam.send(new sdk.CreateAccessKeyCommand({ UserName: "admin" }));
    await tagging("admin", "keyturn");
    expect(cloud.iam.keysOf("admin")).toHaveLength(1);
    expect(cloud.iam.users.get("admin")?.tags).toEqual([{ Key: "keyturn", Value: "matchmaking" }]);
  });
});
