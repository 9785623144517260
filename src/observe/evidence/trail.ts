import type { Clients } from "../../cloud/clients.ts";
import type { Row } from "../../cloud/run-query.ts";
import { asRotationError, RotationError } from "../../rotation/errors.ts";
import type { AccessKeyId } from "../../rotation/keys.ts";
import type { Sighting, Use } from "../../rotation/observation.ts";
import { hours, instant, minutes, plus, type Instant } from "../../rotation/time.ts";
import type { Clock } from "../../rotation/world.ts";
import { athenaQueries } from "./athena.ts";
import type { TrailOptions } from "./deepen.ts";
import { insightsQueries } from "./logs-insights.ts";

/** Trails deliver about 5 minutes after the call, seldom more than 15, and promise nothing. Source: CloudTrail User Guide. */
const DELIVERED_WITHIN_MS = hours(1);
/** Our own hourly calls alone make events: a trail that is silent for longer is switched off, or shows no management events. */
const SILENT_FOR_MAX_MS = hours(24);
/** Far below the queries that an account may have under way: 30 and more (CloudWatch Logs API, StartQuery), 20 and more (Athena). */
const QUESTIONS_AT_ONCE = 8;
/** A question is two queries; one that could not end within the run is not begun. */
const TIME_FOR_A_QUESTION_MS = minutes(1);
const USER_AGENT_LENGTH_MAX = 60;

export type Window = { readonly from: Instant; readonly to: Instant };

/** What is asked of a trail. Rows name their columns in lower case. */
export interface TrailQueries {
  /** How a key was used, each way with its count and last time, the latest first: all that was delivered in the window. */
  uses(keyId: AccessKeyId, window: Window): Promise<readonly Row[]>;
  /** For each day with any event of anybody, the first and the last of its times. */
  pulse(window: Window): Promise<readonly Row[]>;
}

interface TrailQuestion {
  readonly keyId: AccessKeyId;
  readonly from: Instant;
  /** Reads of secrets are left to Event history, which tells hand-overs apart. */
  readonly handOversApart: boolean;
}

/** A trail's answer: never throws, and `unused` only when the trail has delivered on every day of the window. */
export type AskTrail = (question: TrailQuestion) => Promise<Use>;

/** The configured trail. A few questions are under way at once, and others wait their turn. */
export function createTrail(
  options: TrailOptions,
  clients: Clients,
  { clock, name }: { readonly clock: Clock; readonly name: string },
): AskTrail {
  const queries =
    options.kind === "athena" ? athenaQueries(options, clients, clock) : insightsQueries(options, clients, clock);
  const lanes: Promise<unknown>[] = [];
  let asked = 0;
  return (question) => {
    const lane = asked++ % QUESTIONS_AT_ONCE;
    const answer = Promise.resolve(lanes[lane]).then(() => ask(queries, clock, { ...question, name }));
    lanes[lane] = answer;
    return answer;
  };
}

async function ask(
  queries: TrailQueries,
  clock: Clock,
  { keyId, from, handOversApart, name }: TrailQuestion & { readonly name: string },
): Promise<Use> {
  const doing = `asking ${name}`;
  try {
    // It stands in the text of a query. Source: IAM API, accessKeyIdType.
    if (!/^\w{16,128}$/.test(keyId)) throw new RotationError("Misconfigured", `${doing}, ${keyId} is no access key id`);
    if (clock.remainingMs() < TIME_FOR_A_QUESTION_MS) {
      throw new RotationError("Unreachable", `${doing}, the run's time is almost over`);
    }
    const window = { from, to: clock.now() };
    const rows = await queries.uses(keyId, window);
    const seen = rows.filter((row) => timeIn(row, "lastseen") > from && !(handOversApart && isSecretRead(row)));
    if (seen.length > 0) return { verdict: "used", latest: sighting(seen, name) };
    const silence = silenceIn(await queries.pulse(window), window);
    if (silence === null) return { verdict: "unused", from, to: plus(window.to, -DELIVERED_WITHIN_MS) };
    const [since, until] = silence.map((at) => new Date(at).toISOString());
    return { verdict: "unknown", because: `${doing}, it shows no event at all from ${since ?? ""} to ${until ?? ""}` };
  } catch (thrown) {
    return { verdict: "unknown", because: asRotationError(thrown, doing).message };
  }
}

const isSecretRead = ({ eventsource, eventname }: Row): boolean =>
  eventsource === "secretsmanager.amazonaws.com" && eventname === "GetSecretValue";

/** Throws for what is no time, so that an answer of another kind is unknown. */
const timeIn = (row: Row, column: string): Instant => instant(Date.parse(row[column] ?? ""));

function sighting(rows: readonly Row[], name: string): Sighting {
  const [row = {}] = rows.toSorted((one, other) => timeIn(other, "lastseen") - timeIn(one, "lastseen"));
  const [service = "unknown"] = (row["eventsource"] ?? "unknown").split(".", 1);
  const [agent = ""] = (row["useragent"] ?? "an unknown agent").split(" ", 1);
  const who = `from ${row["sourceipaddress"] ?? "an unknown address"} by ${agent.slice(0, USER_AGENT_LENGTH_MAX)}`;
  const ways = rows.length > 1 ? `, one of ${String(rows.length)} ways` : "";
  const detail = `${row["eventname"] ?? "a call"} ${who}, ${row["uses"] ?? "?"} times${ways}, seen in ${name}`;
  return { at: timeIn(row, "lastseen"), service, region: row["awsregion"] ?? null, detail };
}

/** The first time of more than a day in which the trail shows nothing of anybody; null when there is none. */
function silenceIn(days: readonly Row[], { from, to }: Window): readonly [Instant, Instant] | null {
  const times = days.flatMap((day) => [timeIn(day, "firstseen"), timeIn(day, "lastseen")]).toSorted((a, b) => a - b);
  let since = from;
  for (const at of [...times, to]) {
    if (at - since > SILENT_FOR_MAX_MS) return [since, at];
    if (at > since) since = at;
  }
  return null;
}
