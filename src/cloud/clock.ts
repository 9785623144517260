import { setTimeout as wait } from "node:timers/promises";
import type { STSClient } from "@aws-sdk/client-sts";
import { RotationError } from "../rotation/errors.ts";
import { instant, minutes } from "../rotation/time.ts";
import type { Clock } from "../rotation/world.ts";

/** How far a later answer's Date may lie from the first one's time, either way. */
const DRIFT_MAX_MS = minutes(2);

/** AWS's clock, and the plug-in by which every SDK client lets it hear the `Date` of each answer. */
export interface AwsClock extends Clock {
  readonly plugin: Parameters<STSClient["middlewareStack"]["use"]>[0];
  /** Hears one `Date` header, as the plug-in does for each answer. A header that is missing or no date is not heard. */
  hear(dateHeader: string | undefined): void;
}

/**
 * A clock by the first AWS answer's `Date` and monotonic time, up to a second late and never early; the run ends in
 * `deadlineMs`. The machine's time is never read: a function thawed with a wrong clock must not believe a soak over.
 */
export function createAwsClock(deadlineMs: number, monotonicMs = () => performance.now()): AwsClock {
  const endsAt = monotonicMs() + deadlineMs;
  const remainingMs = (): number => Math.max(0, endsAt - monotonicMs());
  let offsetMs: number | null = null;
  let driftMs: number | null = null;

  const hear = (dateHeader: string | undefined): void => {
    const saidMs = Date.parse(dateHeader ?? "");
    if (Number.isNaN(saidMs)) return;
    const heardMs = monotonicMs();
    offsetMs ??= saidMs - heardMs;
    const differsMs = saidMs - heardMs - offsetMs;
    if (Math.abs(differsMs) > DRIFT_MAX_MS) driftMs ??= differsMs;
  };

  return {
    plugin: {
      applyToStack(stack) {
        // The innermost place of this step sees each raw answer, those of refused and of repeated attempts too.
        const hearing: Parameters<typeof stack.add>[0] = (next) => async (args) => {
          const result = await next(args);
          hear((result.response as { readonly headers?: Readonly<Record<string, string>> }).headers?.["date"]);
          return result;
        };
        stack.add(hearing, { step: "deserialize", priority: "low", name: "awsClockListener" });
      },
    },
    hear,
    remainingMs,
    now() {
      if (driftMs !== null) {
        const said = `an AWS answer differed from AWS's clock by ${String(Math.round(driftMs / 1_000))} s`;
        throw new RotationError("Bug", `telling the time, ${said}; the run ends before its next act`);
      }
      if (offsetMs === null) throw new RotationError("Unreachable", "telling the time, AWS has not answered yet");
      return instant(Math.round(offsetMs + monotonicMs()));
    },
    async sleep(ms) {
      const leftMs = remainingMs();
      await wait(Math.min(ms, leftMs));
      if (ms >= leftMs) throw new RotationError("Unreachable", "waiting, the run's time is over");
    },
  };
}
