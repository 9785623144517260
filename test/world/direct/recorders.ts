import type { Decision, Outcome } from "../../../src/rotation/decision.ts";
import type { UserName } from "../../../src/rotation/keys.ts";
import type { Notice } from "../../../src/rotation/notice.ts";
import type { Log, Notifier, Random } from "../../../src/rotation/world.ts";
import { seededRandom } from "../random.ts";

/** A log that keeps what it was told. */
export interface RecordingLog extends Log {
  readonly decisions: { readonly user: UserName; readonly decision: Decision }[];
  readonly outcomes: { readonly user: UserName; readonly outcome: Outcome }[];
  readonly events: {
    readonly level: string;
    readonly message: string;
    readonly fields: Readonly<Record<string, unknown>>;
  }[];
}

export function recordingLog(): RecordingLog {
  const log: RecordingLog = {
    decisions: [],
    outcomes: [],
    events: [],
    decision: (user, decision) => {
      log.decisions.push({ user, decision });
    },
    outcome: (user, outcome) => {
      log.outcomes.push({ user, outcome });
    },
    event: (level, message, fields) => {
      log.events.push({ level, message, fields });
    },
  };
  return log;
}

/** A notifier that keeps what it was given, or throws while `failure` says so. */
export interface RecordingNotifier extends Notifier {
  readonly notices: Notice[];
  failure: Error | null;
}

export function recordingNotifier(name = "recorder"): RecordingNotifier {
  const notifier: RecordingNotifier = {
    name,
    notices: [],
    failure: null,
    notify: async (notices) => {
      await Promise.resolve();
      if (notifier.failure !== null) throw notifier.failure;
      notifier.notices.push(...notices);
    },
  };
  return notifier;
}

/** The World's randomness from a seed. */
export function directRandom(seed: number): Random {
  const random = seededRandom(seed);
  return { fraction: random.fraction, token: () => random.text("0123456789abcdef", 32) };
}
