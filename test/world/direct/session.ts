import type { RotationErrorCode } from "../../../src/rotation/errors.ts";
import { RotationError } from "../../../src/rotation/errors.ts";
import { instant } from "../../../src/rotation/time.ts";
import type { Clock } from "../../../src/rotation/world.ts";
import { ServiceError } from "../call.ts";
import type { CloudAnswer, CloudCall } from "../call.ts";
import { signerOf } from "../caller.ts";
import type { SigningPair } from "../caller.ts";
import type { Cloud } from "../cloud.ts";
import { translated } from "./translate.ts";

/** One request of Keyturn's. */
export interface Ask {
  readonly service: string;
  readonly operation: string;
  readonly input?: Readonly<Record<string, unknown>>;
  /** The home Region where it is not said. */
  readonly region?: string;
  /** The role where it is not said. */
  readonly pair?: SigningPair;
  /** What codes mean in this request, where that differs from what they mean elsewhere. */
  readonly meanings?: Readonly<Record<string, RotationErrorCode>>;
}

/** What every part of the in-process World has of the cloud: one run's way to ask it, and its time. */
export interface Session {
  readonly cloud: Cloud;
  readonly homeRegion: string;
  /** `doing` begins the error's message: "listing the keys of deploy". */
  readonly ask: (doing: string, ask: Ask) => Promise<CloudAnswer>;
  readonly clock: Clock;
}

interface SessionOptions {
  readonly cloud: Cloud;
  readonly homeRegion: string;
  readonly remainingMs: () => number;
  /** Whether the run begins as one that has had an answer from AWS already. */
  readonly hasHeardAws: boolean;
  /** How a request reaches the cloud, and what may happen to it on its way; straight there where it is not said. */
  readonly send?: (request: CloudCall) => Promise<CloudAnswer>;
}

/** Opens a session. Its clock is the cloud's, and speaks once the cloud has answered anything. */
export function openSession(options: SessionOptions): Session {
  const { cloud, homeRegion } = options;
  const send = options.send ?? (async (request: CloudCall): Promise<CloudAnswer> => cloud.call(request));
  let hasHeard = options.hasHeardAws;

  const ask = async (doing: string, request: Ask): Promise<CloudAnswer> => {
    // Others get their turn at every request, as they would over a network.
    await Promise.resolve();
    try {
      const answer = await send({
        service: request.service,
        operation: request.operation,
        region: request.region ?? homeRegion,
        input: request.input ?? {},
        signer: signerOf(request.pair ?? cloud.role),
        sourceAddress: "192.0.2.10",
        userAgent: "keyturn",
      });
      hasHeard = true;
      return answer;
    } catch (thrown) {
      // An error answer carries a Date as well.
      if (thrown instanceof ServiceError) hasHeard = true;
      throw translated(thrown, doing, request.meanings);
    }
  };

  const clock: Clock = {
    now: () => {
      if (!hasHeard) {
        throw new RotationError("Unreachable", "reading the clock, AWS has not answered yet");
      }
      return instant(cloud.clock.now());
    },
    sleep: async (ms) => {
      const left = options.remainingMs();
      cloud.clock.advance(Math.max(0, Math.min(ms, left)));
      await Promise.resolve();
      if (ms > left) throw new RotationError("Unreachable", "waiting, the run's time is over");
    },
    remainingMs: options.remainingMs,
  };
  return { cloud, homeRegion, ask, clock };
}
