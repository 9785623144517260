import { afterEach, expect, test } from "vitest";
import { days } from "../../src/rotation/time.ts";
import { setUpScenario } from "./setup.ts";
import type { Scenario } from "./setup.ts";

let scenario: Scenario;
afterEach(async () => scenario.close());

test("a Worker that goes on with the old key unseen by CloudTrail keeps it, and a notice names the use", async () => {
  scenario = await setUpScenario({ systems: ["matchmaking"], isPushLost: true });
  const { cloud, clock, systems } = scenario.local;
  const { keyId } = systems.matchmaking.firstPair;
  const endMs = clock.now() + days(20);
  await scenario.passUntil(() => clock.now() >= endMs, 21);

  const current = scenario.currentOf("matchmaking") ?? "";
  expect(current).not.toBe(keyId);
  expect(scenario.keysOf("matchmaking")).toEqual([`${keyId} Active`, `${current} Active`]);
  const [book] = scenario.booksOf("matchmaking");
  expect(book?.latest()).toMatchObject({ key: keyId.slice(-4), code: null });
  expect(book?.failures).toEqual([]);
  const trail = cloud.callAs(cloud.role, {
    service: "cloudtrail",
    operation: "LookupEvents",
    input: { LookupAttributes: [{ AttributeKey: "AccessKeyId", AttributeValue: keyId }] },
  });
  expect(trail["Events"]).toEqual([]);
  const notice = cloud.sns.published.find(({ subject }) => subject?.includes("old key still used"));
  expect(notice?.message).toMatch(
    new RegExp(`^${keyId} is still used after its replacement was delivered: lambda in us-east-1`),
  );
});
