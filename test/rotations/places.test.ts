import { expect, test } from "vitest";
import { days, hours } from "../../src/rotation/time.ts";
import { say } from "../world/operator.ts";
import { custodyOf, moveLabelBack, person, twice } from "../world/system.ts";

test("a place that was given a key which somebody deleted is given the pair that a rollback goes back to", async () => {
  const { here, second, third, worker, calls, work } = await twice();
  await here.pass(days(1), work);
  // While nothing may be done the key is gone for weeks; and for hours custody shows the pair before.
  person(here).tag("keyturn-hold", "a freeze");
  person(here).deleteKey(third);
  await here.pass(days(20));
  moveLabelBack(here);
  await here.pass(hours(3));
  moveLabelBack(here);
  await here.pass(hours(3));
  await say(here, { command: "rollback" });
  expect([custodyOf(here), worker.pair().keyId]).toEqual([second, second]);
  const before = calls.failures().length;
  await here.pass(hours(2), work);
  expect(calls.failures()).toHaveLength(before);
});
