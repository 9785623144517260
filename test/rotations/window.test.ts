import { describe, expect, test } from "vitest";
import { clockOf } from "../../src/rotation/window.ts";
import { days, hours } from "../../src/rotation/time.ts";
import { aPolicy } from "../builders.ts";
import { aSystem, custodyOf, doneIn, lastOf, ofKey } from "../world/system.ts";
import type { System, SystemOptions } from "../world/system.ts";

/** Mondays to Thursdays, from nine to four. The simulation begins on Monday, 5 January 2026, at midnight UTC. */
const opensOn = [true, true, true, true, false, false, false];
const OFFICE = { text: "Mon-Thu 09:00-16:00 Europe/Berlin", opensOn, from: 540, to: 960, timeZone: "Europe/Berlin" };

const withWindow = async (options: SystemOptions = {}): Promise<System> =>
  aSystem({ ...options, profile: { policy: aPolicy({ window: OFFICE }) } });

const BERLIN = clockOf(OFFICE.timeZone);

/** What the clocks in Berlin show, in a word: "Mon 09". */
function berlin({ here }: System): string {
  const parts = Object.fromEntries(BERLIN.formatToParts(here.clock.now()).map(({ type, value }) => [type, value]));
  return `${parts["weekday"] ?? ""} ${parts["hour"] ?? ""}`;
}

const OPEN = /^(Mon|Tue|Wed|Thu) (09|1[0-5])$/;

describe("a rotation in a window", () => {
  test("hands over and takes away only while it is open, also over a change of the clocks, and nobody fails", async () => {
    // Due on Friday, 20 March: delivered on Monday the 23rd, quiet over the change of the 29th.
    const system = await withWindow({ ageMs: days(1) });
    const { here, first, worker, calls, work } = system;
    const acts: string[] = [];
    const limit = here.clock.now() + days(120);
    while (ofKey(here, first.keyId) !== "gone" && here.clock.now() < limit) {
      here.clock.advance(hours(1));
      work();
      const steps = doneIn(await here.sweep());
      acts.push(...steps.map((step) => `${step} ${berlin(system)}`));
    }
    const outside = acts.filter(
      (act) => /^(deliver|promote|deactivate)/.test(act) && !OPEN.test(act.replace(/^\S+ /, "")),
    );
    expect(outside).toEqual([]);
    expect(acts.map((act) => act.replace(/ .*/, ""))).toEqual([
      "create-replacement",
      "prove",
      "deliver",
      "promote",
      "deactivate",
      "delete",
    ]);
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(calls.failures()).toEqual([]);
  });

  test("says what it waits for, and the day before what will happen", async () => {
    const system = await withWindow({ ageMs: days(75) - hours(108) });
    const { here, work } = system;
    // Due on Friday at noon.
    const results = await here.pass(days(4) + hours(10), work);
    expect(lastOf(results.at(-1))).toBe("deliver hold WindowClosed held");
    const text = results.at(-1)?.users[0]?.decisions.at(-1)?.because ?? "";
    expect(text).toContain("waits for the window Mon-Thu 09:00-16:00 Europe/Berlin, until Mon 2026-01-12 09:00");
    expect(here.notices.filter(({ code }) => code === "DeliveryLate")).toEqual([]);
    await here.passUntil(() => custodyOf(here) !== null, days(3), work);
    const told = here.notices.filter(({ code, text: said }) => code === "WindowAhead" && said.includes("delivering"));
    expect(told.map(({ text: said }) => said.split(" if nothing")[0])).toEqual([
      "On Mon 2026-01-12 09:00 (Europe/Berlin),",
    ]);
    const [notice] = told;
    const opens = Date.parse("2026-01-12T08:00:00Z");
    expect(opens - (notice?.at ?? 0)).toBeLessThanOrEqual(days(1));
    expect(opens - (notice?.at ?? 0)).toBeGreaterThan(days(1) - hours(2));
  });

  test("is told the day before the key is due, and before the old one goes", async () => {
    const system = await withWindow({ ageMs: days(60) });
    const { here, first, work } = system;
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(60), work);
    const told = here.notices.filter(({ code }) => code === "WindowAhead").map(({ text }) => text);
    expect(told.map((text) => /is due|deactivat/.exec(text)?.[0])).toEqual(["is due", "deactivat"]);
  });

  test("gives back at any hour: rule 1 does not wait for it", async () => {
    const system = await withWindow();
    const { here, first, worker, work } = system;
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(30), work);
    await here.passUntil(() => berlin(system).endsWith("22"), days(1), work);
    worker.rollBackTo("v1");
    await here.pass(hours(2));
    expect([OPEN.test(berlin(system)), ofKey(here, first.keyId)]).toEqual([false, "Active"]);
  });
});
