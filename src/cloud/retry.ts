import { RotationError } from "../rotation/errors.ts";
import type { Clock, Random } from "../rotation/world.ts";

const TRIES_MAX = 6;
/** Doubled after each try: six tries take six seconds at most. */
const FIRST_WAIT_MS = 200;

/** What waiting takes. */
export interface Waiting {
  readonly clock: Pick<Clock, "sleep">;
  readonly random: Pick<Random, "fraction">;
}

/** Asks again, a few times, only where the service has said that it did nothing because it was asked too much. */
export async function retryThrottled<T>({ clock, random }: Waiting, ask: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await ask();
    } catch (thrown) {
      const isRefused = thrown instanceof RotationError && thrown.code === "Throttled" && !thrown.outcomeUnknown;
      if (!isRefused || tried === TRIES_MAX) throw thrown;
      await clock.sleep(FIRST_WAIT_MS * 2 ** (tried - 1) * (0.5 + random.fraction() / 2));
    }
  }
}
