import { expect, test } from "vitest";
import { obey } from "../../src/handlers/obey.ts";
import { days, type Instant, instant, plus } from "../../src/rotation/time.ts";
import type { Pause, World } from "../../src/rotation/world.ts";

/** A journal that keeps the sweeps' state, and a clock that knows the time only after AWS has answered. */
function world(runningSince: Instant | null) {
  let since = runningSince;
  let pause: Pause | null = null;
  let passedMs = 0;
  let hasAnswered = false;
  const parts: Partial<World> = {
    identity: {
      read: () => {
        hasAnswered = true;
        return Promise.resolve({ account: "123456789012", principalArn: "arn:aws:iam::1:role/k" });
      },
    },
    clock: {
      now: () => {
        if (!hasAnswered) throw new Error("AWS has not answered yet");
        return plus(instant(Date.UTC(2026, 0, 2)), passedMs);
      },
      sleep: () => Promise.resolve(),
      remainingMs: () => 1_000,
    },
    journal: {
      sweepState: () => Promise.resolve({ runningSince: since, pause, left: [] }),
      setPause: (known: Pause) => {
        [since, pause] = [null, known];
        return Promise.resolve();
      },
      setRunning: (at: Instant | null) => {
        since = at;
        return Promise.resolve();
      },
    } as unknown as World["journal"],
  };
  return { world: parts as World, since: () => since, pass: (ms: number) => (passedMs += ms) };
}
const serving = { profiles: {}, enrolmentTag: "keyturn" };

test("resume lets a paused installation run, from now on", async () => {
  const paused = world(null);
  expect(await obey(paused.world, { command: "resume" }, serving)).toEqual({
    done: "running since 2026-01-02T00:00:00.000Z",
    running: true,
    since: "2026-01-02T00:00:00.000Z",
  });
  expect(paused.since()).toBe(Date.UTC(2026, 0, 2));
});

test("resume, said twice, leaves the time of the first", async () => {
  const first = instant(Date.UTC(2026, 0, 1));
  const running = world(first);
  expect(await obey(running.world, { command: "resume" }, serving)).toMatchObject({ running: true });
  expect(running.since()).toBe(first);
});

test("pause stops the sweeps from acting, for a reason, and said twice keeps the time of the first", async () => {
  const running = world(instant(Date.UTC(2026, 0, 1)));
  const pause = (reason: string) => obey(running.world, { command: "pause", reason }, serving);
  const done = "paused since 2026-01-02T00:00:00.000Z: a freeze";
  expect(await pause("a freeze")).toEqual({ done, running: false });
  expect(running.since()).toBeNull();
  running.pass(days(1));
  expect(await pause("a long freeze")).toMatchObject({ done: "paused since 2026-01-02T00:00:00.000Z: a long freeze" });
});
