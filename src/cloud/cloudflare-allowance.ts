import { RotationError } from "../rotation/errors.ts";
import { minutes } from "../rotation/time.ts";
import type { Clock } from "../rotation/world.ts";

/**
 * Cloudflare takes 1,200 requests in five minutes with one user's tokens, the dashboard's included, and then refuses all
 * for the next five. Source: Cloudflare API, rate limits. So many at once, and then one each half second, are 1,000 at most.
 */
const AT_ONCE_MAX = 400;
const INTERVAL_MS = 500;
const REFUSED_FOR_MS = minutes(5);

/** What all that use one token may still ask in this run. */
export interface Allowance {
  /** Waits for the next request's turn. `Throttled`, and nothing is sent, while Cloudflare refuses. */
  readonly take: (doing: string) => Promise<void>;
  /** Cloudflare refuses, for so long; five minutes where it did not say. */
  readonly close: (forMs: number | null) => void;
}

export function createAllowance(clock: Pick<Clock, "sleep">): Allowance {
  let spentUntilMs = 0;
  let closedUntilMs = 0;
  return {
    async take(doing) {
      const nowMs = performance.now();
      if (nowMs < closedUntilMs) {
        const said = `${doing}, nothing was sent: Cloudflare refuses this token for too many requests, and lifts it in minutes`;
        throw new RotationError("Throttled", said, { retryAfterMs: closedUntilMs - nowMs });
      }
      spentUntilMs = Math.max(spentUntilMs, nowMs) + INTERVAL_MS;
      const waitMs = spentUntilMs - nowMs - AT_ONCE_MAX * INTERVAL_MS;
      if (waitMs > 0) await clock.sleep(waitMs);
    },
    close(forMs) {
      closedUntilMs = Math.max(closedUntilMs, performance.now() + (forMs ?? REFUSED_FOR_MS));
    },
  };
}

/** One allowance for each token, by the name of the secret that holds it. */
export function createAllowances(clock: Pick<Clock, "sleep">): (apiToken: string) => Allowance {
  const known = new Map<string, Allowance>();
  return (apiToken) => {
    const allowance = known.get(apiToken) ?? createAllowance(clock);
    known.set(apiToken, allowance);
    return allowance;
  };
}
