import { expect, test } from "vitest";
import { smtpRight } from "../../src/cloud/smtp-right.ts";

const policy = (...statements: object[]): string => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const allow = (Action: string | string[]): object => ({ Effect: "Allow", Action, Resource: "*" });

test.for([
  ["no policy", [], "none"],
  ["the action itself", [policy(allow("ses:SendRawEmail"))], "allowed"],
  ["a wildcard in any case", [policy(allow(["s3:*", "SES:Send*"]))], "allowed"],
  ["a question mark", [policy(allow("ses:SendRaw?mail"))], "allowed"],
  ["everything", [policy(allow("*"))], "allowed"],
  ["another action", [policy(allow("ses:SendEmail"))], "none"],
  ["another service", [policy(allow("xses:SendRawEmail"))], "none"],
  ["a denial", [policy({ Effect: "Deny", Action: "*", Resource: "*" })], "none"],
  ["all but others", [policy({ Effect: "Allow", NotAction: "iam:*", Resource: "*" })], "allowed"],
  ["all but this", [policy({ Effect: "Allow", NotAction: ["ses:*"], Resource: "*" })], "none"],
  ["one statement that is no list", [JSON.stringify({ Statement: allow("ses:SendRawEmail") })], "allowed"],
  ["what is no JSON", ["{"], "unknown"],
  ["what has no statement", ["{}"], "unknown"],
  ["a statement without an action", [policy({ Effect: "Allow", Resource: "*" })], "unknown"],
  ["a document that was not found", [null], "unknown"],
  ["one unread and one that allows", [null, policy(allow("ses:*"))], "allowed"],
] as const)("reads %s", ([, documents, right]) => {
  expect(smtpRight(documents)).toBe(right);
});
