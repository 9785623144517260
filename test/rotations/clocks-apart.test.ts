import { describe, expect, test } from "vitest";
import { days, hours, minutes, plus } from "../../src/rotation/time.ts";
import type { World } from "../../src/rotation/world.ts";
import { say } from "../world/operator.ts";
import { aCaller, custodyOf, lastOf, ofKey, person, promoted, twice } from "../world/system.ts";
import type { System } from "../world/system.ts";

/** The world of a run whose clock is a minute ahead: less than what a run would notice by the dates of AWS's answers. */
const ahead = (world: World): World => ({
  ...world,
  clock: { ...world.clock, now: () => plus(world.clock.now(), minutes(1)) },
});

const untilInactive = async ({ here, first, work }: System): Promise<void> =>
  here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(20), work);

describe("where the clock of the run before was a minute ahead", () => {
  test.for(["release", "retire"])("a %s comes after the reactivation that it answers", async (command) => {
    const system = await promoted();
    const { here, first, work } = system;
    await untilInactive(system);
    await say(here, { command: "reactivate", key: first.keyId }, ahead);
    await say(here, { command, key: first.keyId });
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(30), work);
    expect(ofKey(here, first.keyId)).toBe("gone");
  });

  test.for<[string, (system: System) => Promise<unknown>]>([
    ["an operator", async ({ here, first }) => say(here, { command: "reactivate", key: first.keyId })],
    [
      "Keyturn, for a destination that holds it",
      async ({ here, first, worker }) => {
        worker.rollBackTo(worker.versionWith(first.keyId) ?? "");
        return here.sweep();
      },
    ],
    [
      "a person",
      async ({ here, first }) => {
        person(here).setStatus(first.keyId, "Active");
        return here.sweep();
      },
    ],
  ])("a release is none of the key once %s has made it active again", async ([, giveBack]) => {
    const system = await promoted();
    const { here, first, worker, work } = system;
    await untilInactive(system);
    await say(here, { command: "reactivate", key: first.keyId });
    await say(here, { command: "release", key: first.keyId });
    await untilInactive(system);
    here.clock.advance(minutes(10));
    await say(here, { command: "release", key: first.keyId }, ahead);
    await giveBack(system);
    expect(ofKey(here, first.keyId)).toBe("Active");
    const results = await here.pass(days(20), work);
    expect([ofKey(here, first.keyId), worker.pair().keyId]).toEqual(["Active", custodyOf(here)]);
    expect(lastOf(results.at(-1))).toBe("retire hold NeedsRelease held");
  });

  test("a reactivation takes the word to retire back: once released the key goes when nobody uses it, and not before", async () => {
    const system = await promoted();
    const { here, first, work } = system;
    await here.pass(hours(2), work);
    await say(here, { command: "retire", key: first.keyId }, ahead);
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    await say(here, { command: "reactivate", key: first.keyId });
    here.clock.advance(hours(1));
    await say(here, { command: "release", key: first.keyId });
    const job = aCaller(here, () => first, "job");
    await here.pass(days(5), () => {
      work();
      job.work();
    });
    expect([ofKey(here, first.keyId), job.failures()]).toEqual(["Active", []]);
    await untilInactive(system);
  });

  test("a rollback releases the key that it goes back to: it goes in the rotation after that", async () => {
    const { here, second, third, calls, work } = await twice();
    await here.passUntil(() => ofKey(here, second) === "Inactive", days(20), work);
    await say(here, { command: "reactivate", key: second }, ahead);
    await say(here, { command: "rollback" });
    expect(custodyOf(here)).toBe(second);
    await say(here, { command: "release" });
    await here.passUntil(() => ofKey(here, third) === "gone", days(40), work);
    await here.passUntil(() => ofKey(here, second) === "gone", days(40), work);
    expect(calls.failures()).toEqual([]);
  });
});
