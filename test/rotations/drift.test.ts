import { describe, expect, test } from "vitest";
import { createCloudflareWorker } from "../../src/destinations/cloudflare-worker.ts";
import { days, hours } from "../../src/rotation/time.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import { ACCOUNT, clientFor, COUNTING, healthOf, ID, QUICK, SECRET, TOKEN } from "../destinations/worker-under-test.ts";
import { WORKER, WORKER_OPTIONS } from "../destinations/worker-under-test.ts";
import { cloudflareFetch } from "../world/cloudflare-api.ts";
import { Cloudflare } from "../world/cloudflare.ts";
import { aSystem, aWorkerOf, custodyOf, lastOf, ofKey, toldOf } from "../world/system.ts";

/** A rotation that is over: one key, at one Worker, and nothing due for weeks. */
async function atRest() {
  const system = await aSystem();
  const { here, first, work } = system;
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(25), work);
  await here.pass(hours(12), work);
  return system;
}

describe("where nothing is in motion, and a pair was delivered,", () => {
  test("a rollback is noticed within six hours, and the current pair delivered", async () => {
    for (let late = 0; late < 6; late += 1) {
      const { here, worker, work } = await atRest();
      await here.pass(hours(late), work);
      worker.rollBackTo("v1");
      await here.pass(hours(6));
      expect(worker.pair().keyId).toBe(custodyOf(here));
    }
  });

  test("a rollback is answered by one delivery, however long the sweep goes on", async () => {
    const { here, worker, work } = await atRest();
    const before = worker.deliveries.length;
    worker.rollBackTo("v1");
    await here.pass(hours(12), work);
    expect(worker.deliveries.length).toBe(before + 1);
  });

  test("a rollback that a delivery may not overrule is told, until somebody deploys", async () => {
    const { here, worker } = await atRest();
    worker.rollBackTo("v1");
    worker.blockedBecause = "the newest version is not the live one. Deploy it";
    await here.pass(hours(6));
    expect(here.notices.find(({ code }) => code === "DestinationBlocked")?.text).toContain("Deploy it");
    worker.rollBackTo("v2");
    // A day later it is told to be over, and the user rests again.
    const results = await here.pass(hours(40));
    expect(results.at(-1)).toMatchObject({ status: "ok", resting: 1 });
  });

  test("a look costs one question a destination, every three to five hours", async () => {
    const { here, worker, work } = await atRest();
    let asked = 0;
    here.destinations = {
      ci: [{ ...worker, live: (receipt) => (asked++, worker.live(receipt)) }],
    };
    await here.pass(days(1), work);
    expect(asked).toBeGreaterThanOrEqual(4);
    expect(asked).toBeLessThanOrEqual(8);
  });
});

describe("where an old key is still there,", () => {
  test("a rollback is noticed by the next sweep, and the old key waits its whole time anew", async () => {
    const { here, first, worker, work } = await aSystem();
    await here.pass(days(9), work);
    worker.rollBackTo("v1");
    const [next] = await here.pass(hours(1));
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(next?.users[0]?.decisions.map(({ step }) => step)).toContain("deliver");
    const lateMs = here.clock.now();
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(12), work);
    expect(here.clock.now() - lateMs).toBeGreaterThanOrEqual(days(10));
  });
});

test("what can still be brought back with the old key is named when it is taken, and keeps it from nothing", async () => {
  const { here, first, worker, work } = await aSystem();
  const kept = [() => Promise.resolve("versions 1 to 9"), () => Promise.reject(new Error("no answer"))];
  here.destinations = {
    ci: [
      { ...worker, kept: async () => (await kept[0]?.()) ?? null },
      { ...memoryDestination("cloudflare-worker:other", worker.pair()), kept: async () => (await kept[1]?.()) ?? null },
    ],
  };
  await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(20), work);
  const text = here.notices.find(({ code }) => code === "KeyDeactivated")?.text ?? "";
  expect(text).toContain("cloudflare-worker:api keeps versions 1 to 9");
  expect(text).toMatch(/what cloudflare-worker:other keeps could not be read: .*no answer/);
});

test("a CI that sets an old secret again is seen by the health route within six hours, and named", async () => {
  const { here, first } = await aSystem();
  const cloudflare = new Cloudflare(here.clock);
  cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: [WORKER], status: "active" });
  cloudflare.deploy(ACCOUNT, WORKER, { secrets: { [ID]: first.keyId, [SECRET]: first.secret } });
  const ask = healthOf(cloudflare);
  const client = clientFor("http://cloudflare.invalid/client/v4", { fetch: cloudflareFetch(cloudflare) });
  const worker = createCloudflareWorker(WORKER_OPTIONS, { cloudflare: client, ask, clock: QUICK, random: COUNTING });
  here.destinations = { ci: [worker] };
  const held = () => cloudflare.live(ACCOUNT, WORKER)[0]?.secrets ?? {};
  const calls = aWorkerOf(here, {
    ...memoryDestination("", { keyId: "", secret: "" }),
    pair: () => ({ keyId: held()[ID] ?? "", secret: held()[SECRET] ?? "" }),
  });
  await here.passUntil(
    () => ofKey(here, first.keyId) === "gone",
    days(25),
    () => void calls.work(),
  );
  await here.pass(hours(12), () => void calls.work());
  expect(calls.failures()).toEqual([]);
  cloudflare.deploy(ACCOUNT, WORKER, { secrets: { [ID]: first.keyId, [SECRET]: first.secret } });
  const results = await here.pass(hours(6));
  expect(lastOf(results.at(-1))).toBe("drift hold ConsumerUnhealthy held");
  expect(toldOf(here)).toContain("ConsumerUnhealthy");
  expect(here.notices.findLast(({ code }) => code === "ConsumerUnhealthy")?.text).toContain(first.keyId.slice(-4));
});
