import { expect, test } from "vitest";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import { instant } from "../../src/rotation/time.ts";
import { worldContract } from "../contracts/world-contract.ts";
import { SimulatedClock } from "./clock.ts";
import { createCloud } from "./cloud.ts";
import { MemoryJournal } from "./direct/journal.ts";
import { directWorld } from "./direct/world.ts";

worldContract("the World in process", async () => {
  const clock = new SimulatedClock(Date.UTC(2026, 10, 21, 9, 30, 15, 250));
  const cloud = createCloud({ clock });
  return {
    world: directWorld(cloud),
    cloud,
    clock,
    close: async () => Promise.resolve(),
  };
});

test("waiting moves simulated time, and ends with the run", async () => {
  const clock = new SimulatedClock(0);
  const world = directWorld(createCloud({ clock }), { remainingMs: () => 5_000 - clock.now() });
  await world.clock.sleep(3_000);
  expect([clock.now(), world.clock.remainingMs()]).toEqual([3_000, 2_000]);
  await expect(world.clock.sleep(3_000)).rejects.toMatchObject({ code: "Unreachable" });
  expect(clock.now()).toBe(5_000);
});

test("runs share a journal, until it is lost or spoilt", async () => {
  const cloud = createCloud({ clock: new SimulatedClock(0) });
  const journal = new MemoryJournal();
  await directWorld(cloud, { journal }).journal.setRunning(instant(1));
  const next = directWorld(cloud, { journal });
  expect((await next.journal.sweepState()).runningSince).toBe(1);
  journal.corrupt(userName("deploy"), "{");
  await expect(next.journal.read(userName("deploy"))).rejects.toMatchObject({
    code: "Misconfigured",
  });
  journal.wipe();
  expect((await next.journal.sweepState()).runningSince).toBeNull();
  expect((await next.journal.read(userName("deploy"))).record).toBeNull();
});

test("a stage keeps custody under its own names", async () => {
  const cloud = createCloud({ clock: new SimulatedClock(0) });
  const user = userName("deploy");
  const world = directWorld(cloud, { stage: "dev" });
  const owner = { account: cloud.account, userId: "AIDA" };
  const intent = { at: instant(0), before: [] };
  await world.custody.writeIntent(user, intent, { owner, replicaRegions: [], isAbsent: true });
  expect(cloud.secretsManager.named("keyturn-dev/deploy")).not.toBeNull();
  expect(await directWorld(cloud).custody.users()).toEqual([]);
  expect(await world.custody.users()).toEqual([user]);
});

test("looks up page after page at the pace of two a second, and gives up on an endless throttle", async () => {
  const clock = new SimulatedClock(Date.UTC(2026, 10, 21));
  const cloud = createCloud({ clock });
  cloud.iam.createUser({ name: "deploy" });
  const { id, secret } = cloud.iam.createKey("deploy");
  const from = instant(clock.now());
  for (let uses = 0; uses < 260; uses += 1) {
    cloud.callAs({ keyId: id, secret }, { service: "logs", operation: "DescribeLogGroups" });
  }
  clock.advance(3_600_000);
  const askedAt = clock.now();
  const world = directWorld(cloud, { hasHeardAws: true });
  const question = {
    source: "cloudtrail",
    keyId: accessKeyId(id),
    from,
    handOversApart: false,
  } as const;
  const context = { user: userName("deploy"), unaskedRegions: {} };
  expect(await world.evidence.answer(question, context)).toMatchObject({
    use: { verdict: "used" },
  });
  expect(cloud.counts.get("cloudtrail.LookupEvents")).toBeGreaterThan(22);
  expect(clock.now() - askedAt).toBeGreaterThan(1_000);
  cloud.faults.add({
    service: "cloudtrail",
    operation: "LookupEvents",
    kind: "throttle",
    times: "forever",
  });
  expect(await world.evidence.answer(question, context)).toMatchObject({
    use: { verdict: "unknown" },
  });
});
