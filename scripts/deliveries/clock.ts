import { setTimeout as wait } from "node:timers/promises";
import { type AwsClock, createAwsClock as createRight } from "../../src/cloud/clock.ts";
import type { SimulatedClock } from "../../test/world/clock.ts";

/** Waits are shortened so: a minute's watch takes a second and a half, in which the cloud's time goes on by a minute. */
const FASTER = 40;

let cloudClock: SimulatedClock | null = null;

/** Whose time the next runs have. */
export function followClock(clock: SimulatedClock): void {
  cloudClock = clock;
}

/** The real clock of a run, but that its monotonic time is the simulated cloud's, and waiting takes a fortieth. */
export function createAwsClock(deadlineMs: number): AwsClock {
  const clock = cloudClock;
  if (clock === null) throw new Error("no cloud's time is followed");
  const right = createRight(deadlineMs, () => clock.now());
  return {
    ...right,
    async sleep(ms) {
      const sleepsMs = Math.min(ms, right.remainingMs());
      const tookMs = sleepsMs / FASTER;
      await wait(tookMs);
      clock.advance(sleepsMs - tookMs);
      // Throws where the run's time is over.
      await right.sleep(0);
    },
  };
}
