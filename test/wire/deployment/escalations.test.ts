import { beforeAll, expect, test } from "vitest";
import { packageStage } from "./artifact.ts";
import { type Asked, DEPLOYED, type Grants, grantsOf } from "./policy.ts";

const iam = (what: string): string => `arn:aws:iam::${DEPLOYED.account}:${what}`;
const regional = (service: string, what: string): string =>
  `arn:aws:${service}:${DEPLOYED.region}:${DEPLOYED.account}:${what}`;

const ADMIN = iam("user/admin");
const ENROLLED = { keyturn: "matchmaking" };
const ITSELF = regional("lambda", "function:keyturn");
const OWN_ROLE = iam(`role/keyturn-function-${DEPLOYED.region}`);

/** What somebody who runs code as the function would try first, and what each of it would give him. */
const ESCALATIONS: readonly (readonly [string, Asked])[] = [
  ["a key of an administrator", { action: "iam:CreateAccessKey", resource: ADMIN }],
  [
    "a key of a user of another stage",
    { action: "iam:CreateAccessKey", resource: ADMIN, tags: { "keyturn-dev": "x" } },
  ],
  ["the enrolment of an administrator", { action: "iam:TagUser", resource: ADMIN, tagKeys: ["keyturn"] }],
  [
    "an enrolment hidden among descriptions",
    { action: "iam:TagUser", resource: ADMIN, tags: ENROLLED, tagKeys: ["AKIAIOSFODNN7EXAMPLE", "Keyturn"] },
  ],
  ["a password of an enrolled user", { action: "iam:CreateLoginProfile", resource: ADMIN, tags: ENROLLED }],
  ["another password", { action: "iam:UpdateLoginProfile", resource: ADMIN, tags: ENROLLED }],
  ["a policy on an enrolled user", { action: "iam:AttachUserPolicy", resource: ADMIN, tags: ENROLLED }],
  ["one written into it", { action: "iam:PutUserPolicy", resource: ADMIN, tags: ENROLLED }],
  ["membership of a group", { action: "iam:AddUserToGroup", resource: iam("group/admins") }],
  ["a user of his own", { action: "iam:CreateUser", resource: iam("user/new") }],
  ["a policy on this role", { action: "iam:PutRolePolicy", resource: OWN_ROLE }],
  ["this role's trust in somebody else", { action: "iam:UpdateAssumeRolePolicy", resource: OWN_ROLE }],
  ["another version of a policy", { action: "iam:CreatePolicyVersion", resource: iam("policy/shared") }],
  ["another role", { action: "sts:AssumeRole", resource: iam("role/OrganizationAccountAccessRole") }],
  ["a function that runs as another role", { action: "iam:PassRole", resource: iam("role/admin") }],
  ["other code for this function", { action: "lambda:UpdateFunctionCode", resource: ITSELF }],
  [
    "this function's silence",
    { action: "scheduler:UpdateSchedule", resource: regional("scheduler", "schedule/default/keyturn-sweep") },
  ],
  ["no alarm", { action: "cloudwatch:DeleteAlarms", resource: regional("cloudwatch", "alarm:keyturn-sweeps-missing") }],
  ["no log of it", { action: "logs:DeleteLogGroup", resource: regional("logs", "log-group:/aws/lambda/keyturn:*") }],
  ["no journal", { action: "dynamodb:DeleteTable", resource: regional("dynamodb", "table/keyturn") }],
  ["nobody who is told", { action: "sns:DeleteTopic", resource: regional("sns", "keyturn") }],
  [
    "a rule that says nothing to anybody",
    { action: "events:PutTargets", resource: regional("events", "rule/keyturn-leaked-keys") },
  ],
  [
    "an alarm that never rings",
    { action: "cloudwatch:PutMetricAlarm", resource: regional("cloudwatch", "alarm:keyturn-errors") },
  ],
  ["a topic that lets nobody publish", { action: "sns:SetTopicAttributes", resource: regional("sns", "keyturn") }],
  [
    "a log that forgets",
    { action: "logs:PutRetentionPolicy", resource: regional("logs", "log-group:/aws/lambda/keyturn:*") },
  ],
  ["a journal that forgets", { action: "dynamodb:UpdateTimeToLive", resource: regional("dynamodb", "table/keyturn") }],
  ["no failed event", { action: "sqs:DeleteMessage", resource: regional("sqs", "keyturn-failed-invocations") }],
  [
    "a secret that another function rotates",
    { action: "secretsmanager:RotateSecret", resource: regional("secretsmanager", "secret:keyturn/deploy-AbCdEf") },
  ],
  ["the stack", { action: "cloudformation:DeleteStack", resource: regional("cloudformation", "stack/keyturn/x") }],
  [
    "custody destroyed",
    { action: "secretsmanager:DeleteSecret", resource: regional("secretsmanager", "secret:keyturn/deploy-AbCdEf") },
  ],
];
/** These the role is not given; it must not be by a policy that somebody adds either. */
const REFUSED_BY_ABSENCE = ["a key of an administrator", "a key of a user of another stage"];

let grants: Grants;
beforeAll(async () => {
  grants = grantsOf((await packageStage("default")).resources, "KeyturnRole");
}, 30_000);

test.for(ESCALATIONS)("the function's role gets no further to %s", ([what, asked]) => {
  expect(grants.allows(asked)).toBe(false);
  expect(grants.denies(asked)).toBe(!REFUSED_BY_ABSENCE.includes(what));
});
