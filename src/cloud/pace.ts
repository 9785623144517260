import { seconds } from "../rotation/time.ts";
import type { Clock } from "../rotation/world.ts";

/** A service that goes on refusing is asked this seldom, and no seldomer. */
const INTERVAL_MAX_MS = seconds(4);

/** Lets requests go at even intervals, one after the other, whoever asks. */
export interface Pace {
  /** Waits until the next request may go. Throws `Unreachable` when the run's time is over. */
  turn(): Promise<void>;
  /** The service refused the last request as one too many: the next ones go at twice the interval each time. */
  slower(): void;
  /** The service answered: the pace is as it was. */
  asBefore(): void;
}

/**
 * Lets at most `perSecond` requests go. The interval counts from when a request really went, not from when it should
 * have: a timer that rings late would else bring two requests nearer to each other than the service allows.
 */
export function createPace(clock: Pick<Clock, "sleep">, perSecond: number): Pace {
  const atBestMs = 1_000 / perSecond;
  let intervalMs = atBestMs;
  let wentAtMs = Number.NEGATIVE_INFINITY;
  let last: Promise<void> = Promise.resolve();
  const go = async (): Promise<void> => {
    const goesAtMs = wentAtMs + intervalMs;
    const waitMs = goesAtMs - performance.now();
    // Until then nobody else goes: each waits for the one before it.
    if (waitMs > 0) await clock.sleep(waitMs);
    wentAtMs = Math.max(goesAtMs, performance.now());
  };
  return {
    turn() {
      last = last.then(go, go);
      return last;
    },
    slower() {
      intervalMs = Math.max(atBestMs, Math.min(intervalMs * 2, INTERVAL_MAX_MS));
    },
    asBefore() {
      intervalMs = atBestMs;
    },
  };
}
