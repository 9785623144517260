import { describe, expect, test } from "vitest";
import { createAwsClock } from "../../src/cloud/clock.ts";
import type { AwsClock } from "../../src/cloud/clock.ts";
import { minutes, seconds } from "../../src/rotation/time.ts";

const START = Date.UTC(2027, 0, 1);
const httpDate = (epochMs: number): string => new Date(epochMs).toUTCString();

describe("AWS's clock", () => {
  /** A clock over a monotonic time that only the test moves. */
  const make = (): { clock: AwsClock; pass: (ms: number) => void } => {
    let monotonicMs = 5_000;
    const clock = createAwsClock(minutes(14), () => monotonicMs);
    return {
      clock,
      pass: (ms) => {
        monotonicMs += ms;
      },
    };
  };

  test("has no time before an answer was heard", () => {
    const { clock } = make();
    clock.hear(undefined);
    clock.hear("no date");
    expect(() => clock.now()).toThrow(expect.objectContaining({ code: "Unreachable" }));
  });

  test("goes on from the first answer's Date by monotonic time", () => {
    const { clock, pass } = make();
    clock.hear(httpDate(START));
    pass(90_500);
    expect(clock.now()).toBe(START + 90_500);
  });

  test("keeps its first offset when a later answer differs a little", () => {
    const { clock, pass } = make();
    clock.hear(httpDate(START));
    pass(seconds(10));
    clock.hear(httpDate(START + seconds(10) + minutes(2)));
    clock.hear(httpDate(START + seconds(10) - minutes(2)));
    expect(clock.now()).toBe(START + seconds(10));
  });

  test.for([
    ["later", minutes(2) + seconds(1)],
    ["earlier", -minutes(2) - seconds(1)],
  ] as const)("throws from then on once an answer is more than two minutes %s", ([, offMs]) => {
    const { clock } = make();
    clock.hear(httpDate(START));
    clock.hear(httpDate(START + offMs));
    clock.hear(httpDate(START));
    expect(() => clock.now()).toThrow(expect.objectContaining({ code: "Bug" }));
  });

  test("knows what is left of the run, and never less than nothing", () => {
    const { clock, pass } = make();
    pass(minutes(13));
    expect(clock.remainingMs()).toBe(minutes(1));
    pass(minutes(2));
    expect(clock.remainingMs()).toBe(0);
  });

  test("ends a sleep that the run's time does not cover by throwing", async () => {
    const { clock, pass } = make();
    await clock.sleep(1);
    pass(minutes(14));
    await expect(clock.sleep(seconds(30))).rejects.toMatchObject({ code: "Unreachable" });
  });
});
