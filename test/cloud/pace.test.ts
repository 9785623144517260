import { expect, test } from "vitest";
import { createPace } from "../../src/cloud/pace.ts";

test("lets one request go at once, and the others after it at even intervals", async () => {
  const waits: number[] = [];
  const clock = {
    sleep: async (ms: number) => {
      await Promise.resolve();
      waits.push(ms);
    },
  };
  const pace = createPace(clock, 1.5);
  await Promise.all([pace(), pace(), pace()]);
  expect(waits.map((ms) => Math.round(ms / 10))).toEqual([67, 133]);
});

test("fails with the clock, when the run's time is over", async () => {
  const pace = createPace({ sleep: async () => Promise.reject(new Error("over")) }, 1);
  await pace();
  await expect(pace()).rejects.toThrow("over");
});
