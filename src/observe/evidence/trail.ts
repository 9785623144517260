import type { Clients } from "../../cloud/clients.ts";
import { createPace } from "../../cloud/pace.ts";
import { overLogs, overTable, type Row } from "../../cloud/trail-queries.ts";
import { must } from "../../rotation/errors.ts";
import type { AccessKeyId } from "../../rotation/keys.ts";
import type { Use } from "../../rotation/observation.ts";
import { hours, type Instant, instant, plus } from "../../rotation/time.ts";
import type { Clock } from "../../rotation/world.ts";
import type { TrailOptions } from "./deepen.ts";

/** Trails deliver about 5 minutes after the call, seldom more than 15, and promise nothing. Source: CloudTrail User Guide. */
const DELIVERED_WITHIN_MS = hours(1);
/** Our own hourly calls alone make events: a trail that is silent for longer is switched off, or shows no management events. */
const SILENT_FOR_MAX_MS = hours(24);
/** Even slow queries are then no more under way than an account may have: 30 and more (CloudWatch Logs API, StartQuery). */
const QUESTIONS_PER_SECOND = 0.3;

/** With `handOversApart`, reads of secrets are left to Event history, which tells whose secret it was. */
type Question = { readonly keyId: AccessKeyId; readonly from: Instant; readonly handOversApart: boolean };

/** Asks the configured trail. `unused` only where it has delivered on every day of the window; throws where it cannot tell. */
export function createTrail(options: TrailOptions, clients: Clients, clock: Clock) {
  const queries = options.kind === "athena" ? overTable(options, clients, clock) : overLogs(options, clients, clock);
  const pace = createPace(clock, QUESTIONS_PER_SECOND);
  return async ({ keyId, from, handOversApart }: Question): Promise<Use> => {
    // It stands in the text of a query. Source: IAM API, accessKeyIdType.
    must(/^\w{16,128}$/.test(keyId), `${keyId} is an access key id`);
    await pace.turn();
    const to = clock.now();
    const isUse = (row: Row): boolean => !handOversApart || row["eventname"] !== "GetSecretValue";
    const uses = await queries.uses(keyId, from, to);
    const use = uses.find((row) => timeIn(row, "lastseen") > from && isUse(row));
    if (use !== undefined) return usedAs(use, queries.name);
    return silenceOf(await queries.pulse(from, to), queries.name, from, to);
  };
}

/** Throws for what is no time, so that an answer of another kind is unknown. */
const timeIn = (row: Row, column: string): Instant => instant(Date.parse(row[column] ?? ""));

function usedAs(row: Row, name: string): Use {
  const { eventsource = "", eventname = "", awsregion = null, sourceipaddress = "", useragent = "", uses = "" } = row;
  const agent = useragent.replace(/ .*/, "").slice(0, 60);
  const detail = `${eventname} from ${sourceipaddress} by ${agent}, ${uses} times, seen in ${name}`;
  const service = eventsource.replace(/\..*/, "");
  return { verdict: "used", latest: { at: timeIn(row, "lastseen"), service, region: awsregion, detail } };
}

/** Silence is a key's only where the trail itself was never silent. */
function silenceOf(days: readonly Row[], name: string, from: Instant, to: Instant): Use {
  const pulse = days.flatMap((day) => [timeIn(day, "firstseen"), timeIn(day, "lastseen")]);
  const times = [from, ...pulse, to].toSorted((one, other) => one - other);
  const dead = times.find((at, index) => (times[index + 1] ?? at) - at > SILENT_FOR_MAX_MS);
  if (dead === undefined) return { verdict: "unused", from, to: plus(to, -DELIVERED_WITHIN_MS) };
  const since = new Date(dead).toISOString();
  return { verdict: "unknown", because: `asking ${name}, it shows nothing of anybody for a day from ${since}` };
}
