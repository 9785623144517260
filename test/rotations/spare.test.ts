import { describe, expect, test } from "vitest";
import { days, hours, instant, minutes } from "../../src/rotation/time.ts";
import { denied } from "../world/faults.ts";
import { leak, meanwhile, revoke } from "../world/leak.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import { say } from "../world/operator.ts";
import { custodyOf, doneIn, loseJournal, moveLabelBack, ofKey, person, settled, toldOf } from "../world/system.ts";

describe("a leaked key that somebody brings back, beside its replacement", () => {
  /** The second key has leaked, and the third is in its place. */
  const replaced = async () => {
    const system = await settled();
    await revoke(system.here, system.second);
    return { ...system, third: custodyOf(system.here) ?? "" };
  };

  test("does not have the replacement deleted for room, where the journal was lost and no place is on record", async () => {
    const { here, second, third, calls, work } = await replaced();
    here.journal.wipe();
    await here.pass(hours(3), work);
    person(here).setStatus(second, "Active");
    moveLabelBack(here);
    await here.journal.setRunning(instant(here.clock.now()));
    await here.pass(days(2), work);
    expect([ofKey(here, second), ofKey(here, third)]).toEqual(["Inactive", "Active"]);
    expect(toldOf(here)).toContain("KeyExposed");
    expect(calls.failures()).toEqual([]);
  });

  test("nor the one that the place has, while another that it was to be given has not arrived", async () => {
    const { here, second, third, worker, calls, work } = await replaced();
    await here.passUntil(() => ofKey(here, second) === "gone", days(20), work);
    worker.failing = "before";
    await here.passUntil(() => custodyOf(here, "AWSPENDING") !== null, days(80), work);
    const fourth = custodyOf(here, "AWSPENDING");
    // Custody is brought back to the pair that leaked, and again when the replacement has become current.
    moveLabelBack(here);
    await here.passUntil(() => custodyOf(here) === fourth, days(1), work);
    expect(custodyOf(here)).toBe(fourth);
    moveLabelBack(here);
    expect(custodyOf(here)).toBe(second);
    await here.pass(days(2), work);
    expect(ofKey(here, third)).toBe("Active");
    expect(calls.failures()).toEqual([]);
  });
});

test("a replacement that leaks is not cut before its places have another, where the journal is younger than it", async () => {
  const { here, second, worker, calls, work } = await settled();
  await here.pass(days(54), work);
  const late = memoryDestination("cloudflare-worker:late", { keyId: second, secret: "" });
  late.failing = "before";
  here.destinations = { ci: [worker, late] };
  await here.passUntil(() => custodyOf(here, "AWSPENDING") === worker.pair().keyId, days(20), work);
  const pending = worker.pair().keyId;
  await loseJournal(here);
  late.failing = null;
  const stop = meanwhile(here, work);
  const done = doneIn(await leak(here, pending));
  stop();
  expect(done.indexOf("deactivate")).toBeGreaterThan(done.lastIndexOf("deliver"));
  expect([ofKey(here, pending), worker.pair().keyId]).toEqual(["Inactive", second]);
  expect(calls.failures()).toEqual([]);
});

test("a replacement that was rolled back before it went anywhere makes room, where CloudTrail cannot tell who made it", async () => {
  const { here, second, worker, calls, work } = await settled();
  worker.failing = "before";
  await here.passUntil(() => custodyOf(here, "AWSPENDING") !== null, days(80), work);
  const third = custodyOf(here, "AWSPENDING") ?? "";
  here.clock.advance(minutes(10));
  worker.failing = null;
  await say(here, { command: "rollback" });
  await say(here, { command: "release" });
  here.cloud.faults.add(denied("cloudtrail", "LookupEvents"));
  await leak(here, second);
  expect([ofKey(here, third), ofKey(here, second)]).toEqual(["gone", "Inactive"]);
  expect(worker.pair().keyId).toBe(custodyOf(here));
  expect(calls.failures()).toEqual([]);
});
