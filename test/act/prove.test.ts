import { expect, test } from "vitest";
import { userName } from "../../src/rotation/keys.ts";
import { days } from "../../src/rotation/time.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import { aSystem, custodyOf, DEPLOY } from "../world/system.ts";

test("a destination that is blocked for two months costs a probe every six hours, of which the journal keeps the last 200", async () => {
  const { here, first, worker, work } = await aSystem();
  await here.sweep();
  const ci = memoryDestination("github:ci", first);
  ci.blockedBecause = "its token expired";
  here.destinations = { ci: [worker, ci] };
  await here.pass(days(60), work);
  const { record } = await here.journal.read(userName(DEPLOY));
  const probes = Object.values(record?.keys ?? {}).flatMap((key) => key.probes);
  expect(probes).toHaveLength(200);
  expect(Math.max(...probes.map(({ from }) => from))).toBeGreaterThan(here.clock.now() - days(1));
  ci.blockedBecause = null;
  await here.pass(days(1), work);
  expect(ci.pair().keyId).toBe(custodyOf(here));
});

test("a pair that answers as somebody else is a bug: it stops this user, and is told as urgent", async () => {
  const { here, worker, calls, work } = await aSystem();
  here.bend = (world) => ({
    ...world,
    prover: { callerArn: async () => Promise.resolve({ kind: "answered", arn: "arn:aws:iam::1:user/other" }) },
  });
  const results = await here.pass(days(1), work);
  expect(results.at(-1)?.users[0]?.decisions.at(-1)?.error).toMatchObject({ code: "Bug" });
  expect(here.notices.find(({ code }) => code === "StepFailed")).toMatchObject({ severity: "urgent" });
  expect([worker.deliveries, calls.failures()]).toEqual([[], []]);
});
