import { describe, expect, test } from "vitest";
import { isCloudflareAddress } from "../../src/cloud/cloudflare-addresses.ts";
import type { TrailEvent } from "../../src/cloud/event-history.ts";
import { askAttribution } from "../../src/observe/evidence/attribution.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { userName } from "../../src/rotation/keys.ts";
import { hours, minutes, plus } from "../../src/rotation/time.ts";
import type { Clock } from "../../src/rotation/world.ts";
import { K1, NOW } from "../builders.ts";
import { aHistory, anEvent } from "./trail-events.ts";

const clock: Clock = { now: () => NOW, sleep: async () => Promise.resolve(), remainingMs: () => 1_000 };
const from = plus(NOW, -hours(24));
const at = (agoMs: number) => plus(NOW, -agoMs);

async function ask(
  regions: Readonly<Record<string, readonly (TrailEvent | RotationError)[]>>,
  unaskedRegions: Readonly<Record<string, string>> = {},
) {
  const enabledRegions = async () => Promise.resolve(Object.keys(regions));
  const sources = { search: aHistory(regions), enabledRegions, clock, custodyPrefix: "keyturn/" };
  const question = { source: "attribution", keyId: K1, from } as const;
  return askAttribution(sources, question, { user: userName("deploy"), unaskedRegions });
}

test("the same call from the same place by the same agent is one signer, counted from first to last", async () => {
  const [first, last] = [at(hours(5)), at(hours(1))];
  const told = await ask({
    "eu-west-1": [
      anEvent({ at: last }),
      anEvent({ at: at(hours(2)), sourceAddress: "203.0.113.4" }),
      anEvent({ at: at(hours(3)) }),
      anEvent({ at: first }),
    ],
    "us-east-1": [anEvent({ at: at(minutes(1)), userAgent: null, sourceAddress: null })],
  });
  expect(told).toMatchObject({ from, at: NOW, isCut: false, because: null });
  expect(told.signers).toMatchObject([
    { region: "us-east-1", address: "an unknown address", agent: "an unknown agent", count: 1 },
    {
      region: "eu-west-1",
      service: "logs",
      action: "DescribeLogGroups",
      address: "198.51.100.7",
      first,
      last,
      count: 3,
    },
    { address: "203.0.113.4", agent: "aws-sdk-go/1.44", count: 1 },
  ]);
});

test("one page a Region is read, and the counts are the least", async () => {
  const events = (count: number) => Array.from({ length: count }, (_, index) => anEvent({ at: at(minutes(index)) }));
  expect(await ask({ "us-east-1": events(400) })).toMatchObject({ isCut: true, signers: [{ count: 50 }] });
  expect(await ask({ "us-east-1": events(49) })).toMatchObject({ isCut: false, signers: [{ count: 49 }] });
});

test("of many signers those seen last are told", async () => {
  const events = Array.from({ length: 20 }, (_, index) =>
    anEvent({ at: at(minutes(index)), sourceAddress: `203.0.113.${String(index)}` }),
  );
  const { signers } = await ask({ "us-east-1": events });
  expect(signers.map(({ address }) => address)).toEqual([0, 1, 2, 3, 4].map((index) => `203.0.113.${String(index)}`));
});

test("a Region that refuses leaves what the others told, and is named; one unasked is not asked", async () => {
  const denied = new RotationError("Denied", "searching CloudTrail in eu-south-1, access denied");
  const regions = { "eu-south-1": [denied], "us-east-1": [anEvent({ at: at(hours(1)) })] };
  const told = await ask(regions);
  expect(told.signers).toHaveLength(1);
  expect(told.because).toContain("eu-south-1");
  expect((await ask(regions, { "eu-south-1": "denied by the organization" })).because).toBeNull();
});

describe("what a call looks like", () => {
  test.for<[string, Partial<TrailEvent>, RegExp]>([
    ["Cloudflare's IPv4", { sourceAddress: "172.71.98.4" }, /older Worker version, or a preview/],
    ["Cloudflare's IPv6", { sourceAddress: "2a06:98c0:3600::103" }, /older Worker version, or a preview/],
    ["the Workers runtime", { userAgent: "Cloudflare-Workers" }, /older Worker version/],
    ["the AWS CLI", { userAgent: "aws-cli/2.15.0 Python/3.11.6 Darwin/23.1.0" }, /a laptop or a CI job/],
    ["a Lambda function", { userAgent: "aws-sdk-js/3.1 exec-env/AWS_Lambda_nodejs24.x" }, /Lambda function/],
    ["a container", { userAgent: "Boto3/1.35 exec-env/AWS_ECS_FARGATE" }, /container/],
    ["a service", { sourceAddress: "athena.amazonaws.com" }, /an AWS service/],
    ["a reader of the previous version", { requestParameters: { versionStage: "AWSPREVIOUS" } }, /AWSPREVIOUS/],
    ["a reader of the current version", { requestParameters: { versionStage: "AWSCURRENT" } }, /nothing is known/],
    ["nobody known", {}, /nothing is known/],
  ])("%s", async ([, changes, hint]) => {
    const { signers } = await ask({ "us-east-1": [anEvent({ at: at(hours(1)), ...changes })] });
    const [signer] = signers;
    expect(signer?.hint ?? "nothing is known of it").toMatch(hint);
  });
});

test.for([
  ["173.245.48.0", true],
  ["173.245.63.255", true],
  ["173.245.64.0", false],
  ["104.28.0.1", false],
  ["104.27.255.255", true],
  ["2606:4700::1", true],
  ["2606:4701::1", false],
  ["cloudtrail.amazonaws.com", false],
  ["", false],
] as const)("%s is Cloudflare's address: %s", ([address, expected]) => {
  expect(isCloudflareAddress(address)).toBe(expected);
});
