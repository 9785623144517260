import { expect, test } from "vitest";
import type { TrailEvent } from "../../src/cloud/event-history.ts";
import { isHandOver } from "../../src/observe/evidence/cloudtrail.ts";
import { instant } from "../../src/rotation/time.ts";

const READ: TrailEvent = {
  name: "GetSecretValue",
  at: instant(0),
  service: "secretsmanager",
  sourceAddress: null,
  userAgent: "aws-cli/2.9 app/keyturn-laptop",
  errorCode: null,
  principalArn: null,
  requestParameters: {},
  responseElements: {},
};
const ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:keyturn/deploy";

test.for([
  ["the name", "keyturn/deploy", {}, true],
  ["the whole ARN", `${ARN}-a1B2c3`, {}, true],
  ["an ARN without its six characters", ARN, {}, false],
  ["a longer name", `${ARN}-two-a1B2c3`, {}, false],
  ["another secret", "keyturn/deploy2", {}, false],
  ["nothing", undefined, {}, false],
  ["the name, refused", "keyturn/deploy", { errorCode: "AccessDenied" }, false],
  ["the name, to describe it", "keyturn/deploy", { name: "DescribeSecret" }, false],
  ["the name, of another service", "keyturn/deploy", { service: "ssm" }, false],
  ["the name, by a reader whom the profile does not know", "keyturn/deploy", { userAgent: "app/keyturn-old" }, false],
  ["the name, by somebody without a name", "keyturn/deploy", { userAgent: "aws-cli/2.9" }, false],
  ["the name, by somebody whose name only ends so", "keyturn/deploy", { userAgent: "my-app/keyturn-laptop" }, false],
] as const)("a call with %s is a hand-over or not", ([, secretId, change, expected]) => {
  const event = { ...READ, requestParameters: { secretId }, ...change };
  expect(isHandOver(event, { name: "keyturn/deploy", readers: ["laptop"] })).toBe(expected);
});
