import { expect, test } from "vitest";
import { principalOf } from "../../src/cloud/identity.ts";

const ROLE = "arn:aws:iam::123456789012:role/keyturn-role";

test.for([
  ["a session", "arn:aws:sts::123456789012:assumed-role/keyturn-role/keyturn-dev-sweep", ROLE],
  ["a role", ROLE, ROLE],
  ["a role with a path", "arn:aws:iam::123456789012:role/service/eu/keyturn-role", ROLE],
  ["a user with a path", "arn:aws-cn:iam::123456789012:user/people/ann", "arn:aws-cn:iam::123456789012:user/ann"],
  ["the root", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root"],
  ["what is no ARN", "somebody", "somebody"],
] as const)("spells %s as CloudTrail's principal without its path", ([, arn, principal]) => {
  expect(principalOf(arn)).toBe(principal);
});
