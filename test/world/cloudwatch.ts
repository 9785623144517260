/** One number of a metric. */
interface Datapoint {
  readonly metric: string;
  readonly atMs: number;
  readonly value: number;
}

type State = "OK" | "ALARM" | "INSUFFICIENT_DATA";

/** An alarm as CloudFormation's template has it, as far as it is evaluated here. */
interface Alarm {
  readonly AlarmName: string;
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Statistic: "Sum" | "Maximum";
  readonly Period: number;
  readonly EvaluationPeriods: number;
  readonly Threshold: number;
  readonly ComparisonOperator: "GreaterThanOrEqualToThreshold" | "LessThanThreshold";
  readonly TreatMissingData: "breaching" | "notBreaching" | "ignore";
  readonly AlarmActions?: readonly unknown[];
  readonly OKActions?: readonly unknown[];
}

interface Filter {
  readonly FilterPattern: string;
  readonly MetricTransformations: readonly {
    readonly MetricNamespace: string;
    readonly MetricName: string;
    readonly MetricValue: string;
  }[];
}

/** An alarm that changed, and whom it told of that. */
export interface Change {
  readonly alarm: string;
  readonly to: State;
  readonly atMs: number;
  readonly told: readonly unknown[];
}

type Resources = Readonly<Record<string, { readonly Type: string; readonly Properties: unknown }>>;
type Line = Readonly<Record<string, unknown>>;

const MINUTE_MS = 60_000;

/**
 * CloudWatch as a stack's template sets it up: it reads a log's lines by metric filters and as embedded metrics, and
 * evaluates each alarm every minute over the last periods that have ended (CloudWatch User Guide, evaluating an alarm,
 * and how alarms treat missing data).
 */
export class CloudWatch {
  readonly changes: Change[] = [];
  readonly #alarms: readonly Alarm[];
  readonly #filters: readonly Filter[];
  readonly #states = new Map<string, State>();
  #data: Datapoint[] = [];
  #evaluatedAtMs: number;

  constructor(resources: Resources, atMs: number) {
    const ofType = <T>(type: string): T[] =>
      Object.values(resources).flatMap(({ Type, Properties }) => (Type === type ? [Properties as T] : []));
    this.#alarms = ofType<Alarm>("AWS::CloudWatch::Alarm");
    this.#filters = ofType<Filter>("AWS::Logs::MetricFilter");
    this.#evaluatedAtMs = atMs;
  }

  /** What a function wrote to its log. A line that is no JSON object is text, and counts nowhere. */
  log(text: string, atMs: number): void {
    const line = parse(text);
    if (line === null) return;
    for (const { FilterPattern, MetricTransformations } of this.#filters) {
      if (!matches(FilterPattern, line)) continue;
      for (const { MetricNamespace, MetricName, MetricValue } of MetricTransformations) {
        this.put(MetricNamespace, MetricName, Number(MetricValue), atMs);
      }
    }
    for (const { namespace, name, value, at } of embeddedIn(line)) this.put(namespace, name, value, at);
  }

  /** A number of a service's own metric. */
  put(namespace: string, name: string, value: number, atMs: number): void {
    this.#data.push({ metric: `${namespace} ${name}`, atMs, value });
  }

  /** Evaluates minute by minute up to this time. */
  evaluateTo(atMs: number): void {
    for (let at = this.#evaluatedAtMs + MINUTE_MS; at <= atMs; at += MINUTE_MS) {
      for (const alarm of this.#alarms) this.#evaluate(alarm, at);
      this.#evaluatedAtMs = at;
    }
  }

  stateOf(name: string): State {
    return this.#states.get(name) ?? "INSUFFICIENT_DATA";
  }

  #evaluate(alarm: Alarm, atMs: number): void {
    const before = this.stateOf(alarm.AlarmName);
    const to = this.#judge(alarm, atMs) ?? before;
    if (to === before) return;
    this.#states.set(alarm.AlarmName, to);
    const told = (to === "ALARM" ? alarm.AlarmActions : alarm.OKActions) ?? [];
    this.changes.push({ alarm: alarm.AlarmName, to, atMs, told });
  }

  /** Null: there is nothing to change the state by. */
  #judge(alarm: Alarm, atMs: number): State | null {
    const periodMs = alarm.Period * 1_000;
    const end = Math.floor(atMs / periodMs) * periodMs;
    const periods = Array.from({ length: alarm.EvaluationPeriods }, (_, index) => end - (index + 1) * periodMs);
    const values = periods.map((from) => this.#statistic(alarm, from, from + periodMs));
    if (alarm.TreatMissingData === "ignore" && values.every((value) => value === null)) return null;
    const isBreaching = values.map((value) =>
      value === null ? alarm.TreatMissingData === "breaching" : breaches(alarm, value),
    );
    return isBreaching.every(Boolean) ? "ALARM" : "OK";
  }

  #statistic({ Namespace, MetricName, Statistic }: Alarm, fromMs: number, toMs: number): number | null {
    const metric = `${Namespace} ${MetricName}`;
    const found = this.#data.filter((point) => point.metric === metric && point.atMs >= fromMs && point.atMs < toMs);
    const values = found.map(({ value }) => value);
    if (values.length === 0) return null;
    return Statistic === "Sum" ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values);
  }
}

function breaches({ ComparisonOperator, Threshold }: Alarm, value: number): boolean {
  switch (ComparisonOperator) {
    case "GreaterThanOrEqualToThreshold":
      return value >= Threshold;
    case "LessThanThreshold":
      return value < Threshold;
  }
}

function parse(text: string): Line | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Line) : null;
  } catch {
    return null;
  }
}

/** Of the patterns for JSON, only texts that are equal, all of them. Anything else is not understood here. */
function matches(pattern: string, line: Line): boolean {
  const [, terms] = /^\{ (.+) \}$/.exec(pattern) ?? [];
  return (terms ?? "").split(" && ").every((term) => {
    const [, member, text] = /^\$\.(\w+) = "([^"]*)"$/.exec(term) ?? [];
    if (member === undefined) throw new Error(`the pattern ${pattern} is not understood here`);
    return line[member] === text;
  });
}

interface Directive {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string; readonly Unit?: string }[];
}

/** Source: CloudWatch User Guide, embedded metric format specification. What does not keep to it is no metric. */
function embeddedIn(line: Line): { namespace: string; name: string; value: number; at: number }[] {
  const { Timestamp: at, CloudWatchMetrics: directives = [] } = (line["_aws"] ?? {}) as {
    readonly Timestamp?: number;
    readonly CloudWatchMetrics?: readonly Directive[];
  };
  if (at === undefined) return [];
  return directives.flatMap(({ Namespace: namespace, Dimensions, Metrics }) =>
    Metrics.flatMap(({ Name: name }) => {
      const value = line[name];
      const isGood = typeof value === "number" && Dimensions.length > 0 && Metrics.length <= 100;
      return isGood ? [{ namespace, name, value, at }] : [];
    }),
  );
}
