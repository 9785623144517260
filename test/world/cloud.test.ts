import { beforeEach, describe, expect, test } from "vitest";
import type { CloudAnswer } from "./call.ts";
import type { SigningPair } from "./caller.ts";
import { SimulatedClock } from "./clock.ts";
import { createCloud } from "./cloud.ts";
import type { Cloud } from "./cloud.ts";

const MINUTE_MS = 60_000;

let clock: SimulatedClock;
let cloud: Cloud;
let pair: SigningPair;
beforeEach(() => {
  clock = new SimulatedClock(Date.UTC(2026, 10, 21));
  cloud = createCloud({ clock });
  cloud.iam.createUser({ name: "deploy" });
  const key = cloud.iam.createKey("deploy");
  pair = { keyId: key.id, secret: key.secret };
});

const iam = (operation: string, input: Readonly<Record<string, unknown>> = {}): CloudAnswer =>
  cloud.callAs(cloud.role, { service: "iam", operation, input: { UserName: "deploy", ...input } });
const secrets = (operation: string, input: Readonly<Record<string, unknown>>): CloudAnswer =>
  cloud.callAs(cloud.role, { service: "secretsmanager", operation, input });
const lastUsed = (): CloudAnswer =>
  iam("GetAccessKeyLastUsed", { AccessKeyId: pair.keyId })["AccessKeyLastUsed"] as CloudAnswer;
const code = (call: () => unknown): unknown => {
  try {
    call();
    return "it did not fail";
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? (thrown as Error).name;
  }
};
const events = (input: Readonly<Record<string, unknown>>, region = "us-east-1"): CloudAnswer =>
  cloud.callAs(cloud.role, { service: "cloudtrail", operation: "LookupEvents", input, region });
const byKey = (): Readonly<Record<string, unknown>> => ({
  LookupAttributes: [{ AttributeKey: "AccessKeyId", AttributeValue: pair.keyId }],
});

describe("signatures", () => {
  test.for([
    ["iam", "InvalidClientTokenId"],
    ["lambda", "InvalidClientTokenId"],
    ["s3", "InvalidAccessKeyId"],
  ])("of an unknown key are refused by %s with %s", ([service = "", refusal]) => {
    const stranger = { keyId: "AKIASTRANGER", secret: "x" };
    expect(code(() => cloud.callAs(stranger, { service, operation: "ListUsers" }))).toBe(refusal);
  });

  test("of a wrong secret do not match, and unsigned calls have no token", () => {
    const wrong = { ...pair, secret: "wrong" };
    const call = { service: "sts", operation: "GetCallerIdentity" };
    expect(code(() => cloud.callAs(wrong, call))).toBe("SignatureDoesNotMatch");
    const unsigned = { ...call, region: "us-east-1", input: {}, signer: null };
    expect(code(() => cloud.call({ ...unsigned, sourceAddress: "", userAgent: "" }))).toBe(
      "MissingAuthenticationToken",
    );
  });

  test("work for some seconds after the key was deactivated, and again after it was activated", () => {
    const call = { service: "lambda", operation: "Invoke" };
    iam("UpdateAccessKey", { AccessKeyId: pair.keyId, Status: "Inactive" });
    clock.advance(3_999);
    expect(cloud.callAs(pair, call)).toEqual({});
    clock.advance(1);
    expect(code(() => cloud.callAs(pair, call))).toBe("InvalidClientTokenId");
    iam("UpdateAccessKey", { AccessKeyId: pair.keyId, Status: "Active" });
    clock.advance(4_000);
    expect(cloud.callAs(pair, call)).toEqual({});
  });

  test("work for some seconds after the key was deleted", () => {
    iam("DeleteAccessKey", { AccessKeyId: pair.keyId });
    const call = { service: "lambda", operation: "Invoke" };
    expect(cloud.callAs(pair, call)).toEqual({});
    clock.advance(4_000);
    expect(code(() => cloud.callAs(pair, call))).toBe("InvalidClientTokenId");
  });
});

describe("last used", () => {
  test("collapses uses within 15 minutes to the first", () => {
    const first = clock.now();
    cloud.callAs(pair, { service: "lambda", operation: "Invoke" });
    clock.advance(15 * MINUTE_MS - 1);
    cloud.callAs(pair, { service: "s3", operation: "GetObject" });
    clock.advance(240 * MINUTE_MS);
    expect(lastUsed()).toMatchObject({ LastUsedDate: new Date(first), ServiceName: "lambda" });
  });

  test("does not count calls that failed authentication", () => {
    const wrong = { ...pair, secret: "wrong" };
    expect(code(() => cloud.callAs(wrong, { service: "lambda", operation: "Invoke" }))).toBe("SignatureDoesNotMatch");
    clock.advance(300 * MINUTE_MS);
    expect(lastUsed()).toEqual({ ServiceName: "N/A", Region: "N/A" });
  });
});

describe("access keys", () => {
  test("are two a user at most, an inactive one included", () => {
    iam("UpdateAccessKey", { AccessKeyId: pair.keyId, Status: "Inactive" });
    iam("CreateAccessKey");
    expect(code(() => iam("CreateAccessKey"))).toBe("LimitExceeded");
  });

  test("have ids and secrets as the real ones look, the same for the same seed", () => {
    expect(pair.keyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
    expect(pair.secret).toMatch(/^[A-Za-z0-9+/]{40}$/);
    const again = createCloud({ clock });
    again.iam.createUser({ name: "deploy" });
    expect(again.iam.createKey("deploy").id).toBe(pair.keyId);
  });

  test("may have tags of their user, whose keys are compared without case", () => {
    iam("TagUser", { Tags: [{ Key: "Keyturn", Value: "a" }] });
    iam("TagUser", { Tags: [{ Key: "keyTURN", Value: "b" }] });
    expect(iam("ListUserTags")).toMatchObject({ Tags: [{ Key: "keyTURN", Value: "b" }] });
    iam("UntagUser", { TagKeys: ["KEYTURN"] });
    expect(iam("ListUserTags")).toMatchObject({ Tags: [] });
  });
});

describe("event history", () => {
  test("keeps management events in their Region, late, and no secret in them", () => {
    iam("CreateAccessKey");
    secrets("CreateSecret", { Name: "s", SecretString: "hidden-text" });
    expect(events({})).toEqual({ Events: [] });
    clock.advance(15 * MINUTE_MS);
    const names = (events({})["Events"] as CloudAnswer[]).map((event) => event["EventName"]);
    expect(names).toEqual(["LookupEvents", "CreateSecret", "CreateAccessKey"]);
    expect(JSON.stringify(events({}))).not.toContain("hidden-text");
    expect(events({}, "eu-west-1")).toEqual({ Events: [] });
  });

  test("does not keep what failed authentication", () => {
    const wrong = { ...pair, secret: "wrong" };
    code(() => cloud.callAs(wrong, { service: "logs", operation: "DescribeLogGroups" }));
    clock.advance(15 * MINUTE_MS);
    expect(events(byKey())).toEqual({ Events: [] });
  });

  test("forgets after 90 days", () => {
    cloud.callAs(pair, { service: "logs", operation: "DescribeLogGroups" });
    clock.advance(90 * 86_400_000);
    expect(events(byKey())["Events"]).toHaveLength(1);
    clock.advance(1_000);
    expect(events(byKey())["Events"]).toHaveLength(0);
  });

  test("answers two requests a second in each Region", () => {
    events({});
    events({});
    expect(code(() => events({}))).toBe("ThrottlingException");
    expect(events({}, "eu-west-1")).toEqual({ Events: [] });
    clock.advance(1_000);
    expect(code(() => events({}))).toBe("it did not fail");
  });

  test("refuses a token with other parameters", () => {
    for (let uses = 0; uses < 3; uses += 1) {
      cloud.callAs(pair, { service: "logs", operation: "DescribeLogGroups" });
    }
    clock.advance(20 * MINUTE_MS);
    const first = events({ ...byKey(), MaxResults: 2 });
    const NextToken = first["NextToken"];
    expect(code(() => events({ ...byKey(), MaxResults: 3, NextToken }))).toBe("InvalidNextTokenException");
    clock.advance(1_000);
    expect(events({ ...byKey(), MaxResults: 2, NextToken })["Events"]).toHaveLength(1);
  });
});

describe("secrets", () => {
  test("refuse a used token with other content, and take the same content again", () => {
    secrets("CreateSecret", { Name: "s", SecretString: "one" });
    const put = { SecretId: "s", ClientRequestToken: "t".repeat(32), VersionStages: ["X"] };
    secrets("PutSecretValue", { ...put, SecretString: "two" });
    secrets("PutSecretValue", { ...put, SecretString: "two" });
    expect(code(() => secrets("PutSecretValue", { ...put, SecretString: "three" }))).toBe("ResourceExistsException");
  });

  test("make the first version current whatever was asked", () => {
    secrets("CreateSecret", { Name: "s" });
    secrets("PutSecretValue", { SecretId: "s", SecretString: "one", VersionStages: ["X"] });
    expect(cloud.secretsManager.textOf("s", "AWSCURRENT")).toBe("one");
  });

  test("do not let go of AWSCURRENT, nor move a label from where it is not", () => {
    const created = secrets("CreateSecret", { Name: "s", SecretString: "one" });
    const RemoveFromVersionId = created["VersionId"];
    const stage = { SecretId: "s", VersionStage: "AWSCURRENT" };
    expect(code(() => secrets("UpdateSecretVersionStage", { ...stage, RemoveFromVersionId }))).toBe(
      "InvalidParameterException",
    );
    const put = secrets("PutSecretValue", {
      SecretId: "s",
      SecretString: "two",
      VersionStages: ["AWSPENDING"],
    });
    const MoveToVersionId = put["VersionId"];
    const move = { ...stage, MoveToVersionId };
    expect(code(() => secrets("UpdateSecretVersionStage", move))).toBe("InvalidParameterException");
    secrets("UpdateSecretVersionStage", { ...move, RemoveFromVersionId });
    expect(cloud.secretsManager.textOf("s", "AWSPREVIOUS")).toBe("one");
  });
});

describe("faults", () => {
  const create = (): unknown => code(() => iam("CreateAccessKey"));
  const fault = { service: "iam", operation: "CreateAccessKey", times: 1 } as const;

  test.for([
    ["lost-before", "LostAnswer", 1],
    ["lost-after", "LostAnswer", 2],
    ["error-before", "ServiceFailure", 1],
    ["error-after", "ServiceFailure", 2],
    ["throttle", "Throttling", 1],
  ] as const)("%s is told as %s and leaves %i keys", ([kind, told, keys]) => {
    cloud.faults.add({ ...fault, kind });
    expect(create()).toBe(told);
    expect(cloud.iam.keysOf("deploy")).toHaveLength(keys);
  });
});
