import { once } from "node:events";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { LookupEventsCommand } from "@aws-sdk/client-cloudtrail";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { setUpWire, foreignClient } from "./setup.ts";
import type { WireSetup } from "./setup.ts";

const WHO = "Action=GetCallerIdentity&Version=2011-06-15";

describe("a client that is not ours", () => {
  let setup: WireSetup;
  let pair: { keyId: string; secret: string };
  beforeEach(async () => {
    setup = await setUpWire();
    setup.cloud.iam.createUser({ name: "deploy" });
    const key = setup.cloud.iam.createKey("deploy");
    pair = { keyId: key.id, secret: key.secret };
  });
  afterEach(async () => setup.close());
  const ask = async (
    service: string,
    path: string,
    init?: Parameters<ReturnType<typeof foreignClient>["fetch"]>[1],
    secret = pair.secret,
  ) => foreignClient({ ...pair, secret }, service).fetch(setup.wire.url + path, init);
  const form = {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: WHO,
  };

  test("is known by its signature", async () => {
    const answer = await ask("sts", "/", form);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain(":user/deploy</Arn>");
    expect(answer.headers.get("date")).toBe("Sun, 14 Mar 2027 09:30:00 GMT");
  });

  test.for([
    ["sts", "/", "<Code>SignatureDoesNotMatch</Code>"],
    ["textract", "/", "SignatureDoesNotMatch"],
    ["s3", "/bucket/key", "<Error><Code>SignatureDoesNotMatch</Code>"],
  ] as const)("is refused by %s when it signs with another secret", async ([service, path, said]) => {
    const init = service === "sts" ? form : service === "s3" ? {} : { method: "POST", body: "{}" };
    const answer = await ask(service, path, init, "another+secret");
    expect(answer.status).toBe(403);
    const all = (answer.headers.get("x-amzn-errortype") ?? "") + (await answer.text());
    expect(all).toContain(said);
  });

  test("is refused when it did not sign", async () => {
    const { url, headers } = await foreignClient(pair, "sts").sign(setup.wire.url, form);
    headers.delete("authorization");
    expect(await statusOf(url, headers, WHO)).toBe(403);
  });

  test("is refused when the body is not the one that was signed", async () => {
    const signed = await foreignClient(pair, "sts").sign(setup.wire.url, form);
    const sent = await statusOf(signed.url, signed.headers, WHO.replace("2011", "2012"));
    expect(sent).toBe(403);
    expect(await statusOf(signed.url, signed.headers, WHO)).toBe(200);
  });

  test.for([
    ["lambda", "/2015-03-31/functions/render%3Alive/invocations?Qualifier=live", "POST"],
    [
      "lambda",
      "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Arender/invocations",
      "POST",
    ],
    ["s3", "/bucket/a%20key/with%2Bsigns%20(and)%20more!", "GET"],
    ["s3", "/bucket?list-type=2&prefix=a%2Fb&delimiter=%2F&empty=", "GET"],
    ["s3", "/bucket/key", "PUT"],
  ] as const)("may use %s at %s", async ([service, path, method]) => {
    const answer = await ask(service, path, {
      method,
      ...(method === "GET" ? {} : { body: "{}" }),
    });
    expect(answer.status).toBe(200);
  });

  test("leaves its use in last-used and in CloudTrail", async () => {
    const { cloud, clock, world } = setup;
    await ask("cognito-idp", "/", {
      method: "POST",
      headers: { "x-amz-target": "AWSCognitoIdentityProviderService.ListUsers" },
      body: JSON.stringify({ UserPoolId: "us-east-1_x" }),
    });
    await ask("lambda", "/2015-03-31/functions/render/invocations", { method: "POST", body: "{}" });
    clock.advance(cloud.lags.lastUsedMs);
    const events = await world.clients.cloudtrailIn("us-east-1").send(
      new LookupEventsCommand({
        LookupAttributes: [{ AttributeKey: "AccessKeyId", AttributeValue: pair.keyId }],
      }),
    );
    expect(events.Events?.map(({ EventName }) => EventName)).toEqual(["ListUsers"]);
    expect(cloud.counts.get("lambda.Invoke")).toBe(1);
  });

  test("has no part in the journal's table without a good signature", async () => {
    const init = (body: object) => ({
      method: "POST",
      headers: {
        "x-amz-target": "DynamoDB_20120810.GetItem",
        "content-type": "application/x-amz-json-1.0",
      },
      body: JSON.stringify(body),
    });
    const get = init({ TableName: "keyturn", Key: { pk: { S: "keyturn" }, sk: { S: "sweep" } } });
    expect((await ask("dynamodb", "/", get, "another")).status).toBe(403);
    expect((await ask("dynamodb", "/", get)).status).toBe(200);
  });
});

/** The status that a request with these headers and this body has. */
async function statusOf(url: string, headers: Headers, body: string): Promise<number> {
  const sent = request(url, { method: "POST", headers: Object.fromEntries(headers) });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  answer.resume();
  return answer.statusCode ?? 0;
}
