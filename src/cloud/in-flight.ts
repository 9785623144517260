import type { STSClient } from "@aws-sdk/client-sts";
import { translateError } from "./translate-error.ts";

/** What was sent, and what of it was refused as one too many. */
export interface Counter {
  calls: number;
  throttles: number;
}

/**
 * A plug-in for SDK clients: all that bear it together have so many requests under way, and others queue, first come.
 * Each attempt is counted.
 */
export function limitInFlight(max: number, counter: Counter): Parameters<STSClient["middlewareStack"]["use"]>[0] {
  let free = max;
  const queue: (() => void)[] = [];
  const take = async (): Promise<void> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => queue.push(resolve));
  };
  const giveBack = (): void => {
    const next = queue.shift();
    // A place that is handed on was never free, so that nobody can slip in between.
    if (next === undefined) free += 1;
    else next();
  };
  return {
    applyToStack(stack) {
      const waiting: Parameters<typeof stack.add>[0] = (next) => async (args) => {
        await take();
        counter.calls += 1;
        try {
          return await next(args);
        } catch (thrown) {
          if (translateError(thrown, "counting").code === "Throttled") counter.throttles += 1;
          throw thrown;
        } finally {
          giveBack();
        }
      };
      // The outermost place of this step is around one attempt and its answer, and inside of what waits between attempts.
      stack.add(waiting, { step: "deserialize", priority: "high", name: "inFlightLimit" });
    },
  };
}
