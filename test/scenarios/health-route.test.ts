import { env } from "node:process";
import { expect, test } from "vitest";
import { HEALTH_TOKEN, startLocalCloud } from "../../scripts/local-run/local-cloud.ts";
import { compose, config } from "../../src/compose.ts";
import { loadSettings } from "../../src/config/load.ts";
import { accessKeyId } from "../../src/rotation/keys.ts";
import { minutes } from "../../src/rotation/time.ts";

test("the program as it is composed asks a Worker's health route, with the token that Secrets Manager holds", async () => {
  const local = await startLocalCloud();
  Object.assign(env, local.environment);
  const input = { Name: "matchmaking-health", SecretString: HEALTH_TOKEN };
  local.cloud.callAs(local.cloud.role, { service: "secretsmanager", operation: "CreateSecret", input });
  const { matchmaking } = config.profiles;
  if (matchmaking === undefined) throw new Error("the shipped configuration has the profile matchmaking");
  const health = { url: `${local.edge.url("matchmaking")}/keyturn-health`, token: input.Name };
  const destinations = matchmaking.destinations.map((options) => ({ ...options, health }));
  const profiles = { matchmaking: { ...matchmaking, destinations } };
  const world = compose({ ...config, profiles }, loadSettings(env), minutes(14));
  const [worker] = world.destinations.of("matchmaking");
  const { keyId } = local.systems.matchmaking.firstPair;

  expect(await worker?.preflight()).toMatchObject({ kind: "ready" });
  expect(await worker?.health?.(accessKeyId(keyId))).toEqual({ verdict: "healthy", because: null, lastSignedAt: null });
  const other = accessKeyId("AKIAOTHEROTHEROTHER3");
  const because = `it signs with a key that ends in ${keyId.slice(-4)}`;
  expect(await worker?.health?.(other)).toEqual({ verdict: "unhealthy", because });
  // Its question is one of STS, which is never taken for the consumer's use of the pair.
  local.clock.advance(minutes(300));
  const lastUsed = local.cloud.callAs(local.cloud.role, {
    service: "iam",
    operation: "GetAccessKeyLastUsed",
    input: { AccessKeyId: keyId },
  });
  expect(lastUsed).toMatchObject({ AccessKeyLastUsed: { ServiceName: "sts" } });
  world.close();
  await local.close();
});
