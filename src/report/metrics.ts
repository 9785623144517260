import type { Notice } from "../rotation/notice.ts";
import { days, type Instant } from "../rotation/time.ts";
import type { Usage } from "../rotation/world.ts";

/** What a whole sweep has to show. */
export interface Sweep {
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  /** The rule that ruled last, for each user that was looked at; null where nothing could be decided. */
  readonly rules: readonly (string | null)[];
  readonly resting: number;
  /** Whether every user who is not at rest was looked at. */
  readonly isComplete: boolean;
  /** When each active key was made, as far as it is known. */
  readonly keysMadeAt: readonly Instant[];
  /** What lasts: of the users, and of the service itself. */
  readonly open: readonly Pick<Notice, "code">[];
  readonly usage: Usage;
}

/** How far a rotation is, by the rule that it waits for. Any other rule holds the user. */
const PHASES = {
  Delivering: ["create", "prove", "deliver", "promote"],
  Quieting: ["deliver-again", "retire"],
  Soaking: ["delete"],
  Settled: ["nothing-due"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/**
 * The sweep in CloudWatch's embedded metric format: its log line is its metrics. The namespace is the deployment's name.
 * Source: CloudWatch User Guide, embedded metric format specification.
 */
export function metricsOf(
  namespace: string,
  { rules, resting, open, isComplete, ...sweep }: Sweep,
): Record<string, unknown> {
  const ruledBy = (ruled: readonly (string | null)[]) => rules.filter((rule) => ruled.includes(rule)).length;
  const inMotion = {
    Delivering: ruledBy(PHASES.Delivering),
    Quieting: ruledBy(PHASES.Quieting),
    Soaking: ruledBy(PHASES.Soaking),
  };
  const settled = ruledBy(PHASES.Settled);
  const openOf = (...codes: readonly Notice["code"][]) => open.filter(({ code }) => codes.includes(code)).length;
  const found = {
    KeysOverdue: openOf("KeyOverdue"),
    RotationsBlocked: openOf("DeliveryLate", "EvidenceLate"),
    EvidenceUnknown: openOf("UseUnknown"),
  };
  // An alarm must not end because nobody looked: no number leaves it as it is.
  const sure = isComplete ? found : Object.fromEntries(Object.entries(found).filter(([, count]) => count > 0));
  const counts = {
    ...inMotion,
    Settled: settled + resting,
    Held: rules.length - settled - inMotion.Delivering - inMotion.Quieting - inMotion.Soaking,
    OldestKeyDays: (sweep.endedAt - Math.min(sweep.endedAt, ...sweep.keysMadeAt)) / days(1),
    ...sure,
    NotifierFailures: openOf("NotifierFailing"),
    TopicsUnheard: openOf("NobodyListens"),
    ApiCalls: sweep.usage.calls,
    Throttles: sweep.usage.throttles,
    SweepSeconds: (sweep.endedAt - sweep.startedAt) / 1_000,
  };
  const Metrics = Object.keys(counts).map((Name) => ({ Name, Unit: Name === "SweepSeconds" ? "Seconds" : "Count" }));
  const CloudWatchMetrics = [{ Namespace: namespace, Dimensions: [[]], Metrics }];
  return { _aws: { Timestamp: sweep.endedAt, CloudWatchMetrics }, ...counts };
}
