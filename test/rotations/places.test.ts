import { expect, test } from "vitest";
import { days, hours } from "../../src/rotation/time.ts";
import { lastDeliveryTo } from "../../src/decide/deliveries.ts";
import { userName } from "../../src/rotation/keys.ts";
import { denied } from "../world/faults.ts";
import { leak, revoke } from "../world/leak.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import { say } from "../world/operator.ts";
import { aSystem, custodyOf, DEPLOY, moveLabelBack, ofKey, person, settled, twice } from "../world/system.ts";

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

test("a place that confirmed a pair is not presumed to have what custody's label was moved back to", async () => {
  const { here, second, worker, work } = await settled();
  await revoke(here, second);
  const third = custodyOf(here) ?? "";
  const late = memoryDestination("cloudflare-worker:late", { keyId: third, secret: "" });
  here.destinations = { ci: [worker, late] };
  await here.passUntil(() => ofKey(here, second) === "gone", days(20), work);
  here.cloud.faults.add(denied("iam", "CreateAccessKey"));
  moveLabelBack(here);
  await here.pass(hours(3), work);
  expect(here.cloud.counts.get("iam.CreateAccessKey")).toBeGreaterThan(2);
  const { record } = await here.journal.read(userName(DEPLOY));
  expect(record && lastDeliveryTo({ record }, late.name)?.keyId).toBe(third);
});

test("a user whose tag is taken away in the middle of an emergency is left alone by the next step as well", async () => {
  const { here, first } = await aSystem();
  const stop = here.cloud.onCall(() => {
    if (custodyOf(here, "AWSPENDING") === null) return;
    stop();
    person(here).untag("keyturn");
  });
  await leak(here, first.keyId);
  expect(custodyOf(here, "AWSPENDING")).not.toBeNull();
  expect([custodyOf(here), ofKey(here, first.keyId)]).toEqual([null, "Active"]);
});
