import { expect, test } from "vitest";
import { SimulatedClock } from "./clock.ts";
import { createCloud } from "./cloud.ts";
import { directWorld } from "./direct/world.ts";
import { seedFiveSystems } from "./five-systems.ts";
import { consumer, pullReader } from "./workloads.ts";

const START_MS = Date.UTC(2026, 10, 21);
const WHERE = {
  name: "worker",
  region: "us-east-1",
  sourceAddress: "198.51.100.7",
  userAgent: "aws4fetch",
};

test("the five systems are enrolled, with keys of 60 to 200 days, one of them in custody", async () => {
  const clock = new SimulatedClock(START_MS);
  const cloud = createCloud({ clock });
  const systems = seedFiveSystems(cloud);
  const world = directWorld(cloud);
  const users = await world.directory.tagged();
  expect(users.map(({ name, tags, smtp }) => [name, tags["keyturn"], smtp])).toEqual(
    Object.values(systems).map(({ user, profile }) => [user, profile, "none"]),
  );
  expect(await world.custody.users()).toEqual(["ai-invoice-scanner-user"]);
  const ages = [...cloud.iam.keys.values()].map(({ createdAtMs }) => (START_MS - createdAtMs) / 86_400_000);
  expect([Math.min(...ages), Math.max(...ages)]).toEqual([60, 200]);
});

test("a consumer keeps how each of its calls went", () => {
  const cloud = createCloud({ clock: new SimulatedClock(START_MS) });
  const { matchmaking } = seedFiveSystems(cloud);
  let isTorn = false;
  const worker = consumer(cloud, {
    ...WHERE,
    pair: () => (isTorn ? { ...matchmaking.firstPair, secret: "torn" } : matchmaking.firstPair),
    call: { service: "lambda", operation: "Invoke" },
  });
  expect(worker.work()).toMatchObject({ error: null, keyId: matchmaking.firstPair.keyId });
  isTorn = true;
  worker.work();
  expect(worker.failures()).toMatchObject([{ error: "SignatureDoesNotMatch" }]);
});

test("a reader that pulls keeps its pair until custody has another", () => {
  const cloud = createCloud({ clock: new SimulatedClock(START_MS) });
  const systems = seedFiveSystems(cloud);
  const { firstPair } = systems.flowid;
  const laptop = pullReader(cloud, {
    ...WHERE,
    secretId: "keyturn/flowid-dev-user",
    first: firstPair,
  });
  expect([laptop.pull(), laptop.pair()]).toEqual(["nothing-yet", firstPair]);
  const create = (SecretString: string, operation: string, name: string): unknown =>
    cloud.callAs(cloud.role, {
      service: "secretsmanager",
      operation,
      input: { [name]: "keyturn/flowid-dev-user", SecretString },
    });
  create('{"Version":1}', "CreateSecret", "Name");
  expect([laptop.pull(), laptop.pair()]).toEqual(["nothing-yet", firstPair]);
  create('{"Version":1,"AccessKeyId":"AKIANEXT","SecretAccessKey":"next"}', "PutSecretValue", "SecretId");
  expect(laptop.pull()).toBe("taken");
  expect(laptop.pair().keyId).toBe("AKIANEXT");
  expect(laptop.pull()).toEqual({ error: "InvalidClientTokenId" });
});
