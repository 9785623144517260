import { expect, test } from "vitest";
import { days, hours } from "../../src/rotation/time.ts";
import type { World } from "../../src/rotation/world.ts";
import { say } from "../world/operator.ts";
import { aSystem, custodyOf } from "../world/system.ts";
import type { System } from "../world/system.ts";

/** When people were reminded of the pause, in hours after the start of what is watched. */
async function remindedAt({ here, work }: System, ms: number): Promise<number[]> {
  const [start, before] = [here.clock.now(), here.ofService.length];
  await here.pass(ms, work);
  const told = here.ofService.slice(before).filter(({ code }) => code === "Paused");
  return told.map(({ at }) => Math.round((at - start) / hours(1)));
}

test("a pause stops every act, is shown with its reason, and is told after a day and then each week", async () => {
  const system = await aSystem();
  const { here, work } = system;
  await say(here, { command: "pause", reason: "a freeze" });
  expect(await remindedAt(system, days(16))).toEqual([24, 24 + 7 * 24, 24 + 14 * 24]);
  const [result] = await here.pass(hours(1), work);
  expect(result).toMatchObject({ isPaused: true, pause: { since: "2026-01-05T05:00:00.000Z", reason: "a freeze" } });
  expect(here.ofService.findLast(({ code }) => code === "Paused")?.text).toBe("Keyturn is paused for 15 d: a freeze");
  expect(custodyOf(here)).toBeNull();
  await say(here, { command: "resume" });
  await here.pass(hours(1), work);
  expect(custodyOf(here)).not.toBeNull();
  expect(await remindedAt(system, days(3))).toEqual([]);
});

test("the pause of a new table is told, a day after a sweep first saw it", async () => {
  const system = await aSystem();
  const { here } = system;
  here.journal.wipe();
  expect(await remindedAt(system, days(3))).toEqual([25]);
  expect(here.ofService.findLast(({ code }) => code === "Paused")?.text).toContain("nobody has said resume");
});

test("a reminder that nobody was told is repeated by the next sweep", async () => {
  const system = await aSystem();
  const { here } = system;
  await say(here, { command: "pause", reason: "a freeze" });
  await here.pass(days(1) - hours(1));
  const failing = { name: "failing", notify: async () => Promise.reject(new Error("down")) };
  here.bend = (world): World => ({ ...world, notifiers: [failing] });
  const [silent] = await here.pass(hours(1));
  expect(silent).toMatchObject({ status: "failed", failedNotifiers: ["failing"] });
  here.bend = null;
  expect(await remindedAt(system, days(1))).toEqual([1]);
});

test("a resume in the middle of a paused sweep that reminds of it stays", async () => {
  const system = await aSystem();
  const { here } = system;
  await say(here, { command: "pause", reason: "a freeze" });
  await here.pass(days(1) - hours(1));
  here.bend = (world): World => {
    const [notifier] = world.notifiers;
    const notify: World["notifiers"][number]["notify"] = async (notices) => {
      await notifier?.notify(notices);
      await say(here, { command: "resume" });
    };
    return { ...world, notifiers: [{ name: "resuming", notify }] };
  };
  await here.pass(hours(1));
  here.bend = null;
  expect((await here.journal.sweepState()).runningSince).not.toBeNull();
  const [result] = await here.pass(hours(1));
  expect(result?.isPaused).toBe(false);
});
