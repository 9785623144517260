import type { Clock } from "../rotation/world.ts";

/** Waits until the next request may go. */
export type Pace = () => Promise<void>;

/** Lets at most `perSecond` requests go, evenly, whoever asks. Throws `Unreachable` when the run's time is over. */
export function createPace(clock: Pick<Clock, "sleep">, perSecond: number): Pace {
  const intervalMs = 1_000 / perSecond;
  let nextAtMs = 0;
  return async () => {
    const nowMs = performance.now();
    const goesAtMs = Math.max(nowMs, nextAtMs);
    nextAtMs = goesAtMs + intervalMs;
    if (goesAtMs > nowMs) await clock.sleep(goesAtMs - nowMs);
  };
}
