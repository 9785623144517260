import { expect, test } from "vitest";
import { createPace } from "../../src/cloud/pace.ts";

/** A clock whose waits end at once, and are kept, in milliseconds to the next ten. */
function waits() {
  const kept: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    await Promise.resolve();
    kept.push(Math.round(ms / 10) * 10);
  };
  return { kept, clock: { sleep } };
}

test("lets one request go at once, and the others after it at even intervals, whoever asks", async () => {
  const { kept, clock } = waits();
  const pace = createPace(clock, 1.25);
  await Promise.all([pace.turn(), pace.turn(), pace.turn()]);
  // Each waits after the one before it; nothing here really waits, so that the waits add up.
  expect(kept).toEqual([800, 1_600]);
});

test("goes at twice the interval for each refusal in a row, four seconds at the most, and then as before", async () => {
  const { kept, clock } = waits();
  const pace = createPace(clock, 1);
  await pace.turn();
  for (let refused = 0; refused < 4; refused += 1) {
    pace.slower();
    await pace.turn();
  }
  pace.asBefore();
  await pace.turn();
  expect(kept.map((ms, index) => ms - (kept[index - 1] ?? 0))).toEqual([2_000, 4_000, 4_000, 4_000, 1_000]);
});

test("never goes faster for being refused, where it is slower than that by itself", async () => {
  const { kept, clock } = waits();
  const pace = createPace(clock, 0.2);
  await pace.turn();
  pace.slower();
  await pace.turn();
  expect(kept).toEqual([5_000]);
});

test("counts from when a request really went, so that a timer that rings late brings no two nearer", async () => {
  const asked: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    asked.push(ms);
    const until = performance.now() + ms + 30;
    while (performance.now() < until) await Promise.resolve();
  };
  const pace = createPace({ sleep }, 20);
  await Promise.all([pace.turn(), pace.turn(), pace.turn()]);
  expect(asked.map((ms) => ms > 45)).toEqual([true, true]);
});

test("fails with the clock, when the run's time is over, and whoever waits behind fails by itself", async () => {
  const pace = createPace({ sleep: async () => Promise.reject(new Error("over")) }, 1);
  await pace.turn();
  const two = await Promise.allSettled([pace.turn(), pace.turn()]);
  expect(two.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});
