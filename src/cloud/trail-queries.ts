import * as athena from "@aws-sdk/client-athena";
import * as insights from "@aws-sdk/client-cloudwatch-logs";
import { RotationError } from "../rotation/errors.ts";
import type { AccessKeyId } from "../rotation/keys.ts";
import { seconds, type Instant } from "../rotation/time.ts";
import type { Clock } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import { readPages } from "./pages.ts";
import { asking } from "./translate-error.ts";

const POLL_EVERY_MS = seconds(2);
/** Two queries of a hundred seconds end within the lease under which they may be asked. */
const POLLS_MAX = 50;

/** One row of a result, by the names of its columns in lower case. What is null has no value. */
export type Row = Readonly<Partial<Record<string, string>>>;

type Texts<Names extends string> = Readonly<Record<Names | "region", string>>;
export type LogGroup = { readonly kind: "logs-insights" } & Texts<"logGroup">;
export type AthenaTable = { readonly kind: "athena" } & Texts<"database" | "table" | "dayPartition" | "workgroup">;

/**
 * What is asked of a trail: how a key was used, each way with count and last time, the latest first; and for each day with
 * any event of anybody its first and last time. Both throw rather than give a part. `from` and `to` are in the window.
 */
export interface TrailQueries {
  readonly name: string;
  /** The id is text of a query: nothing but `\w`. */
  uses(keyId: AccessKeyId, from: Instant, to: Instant): Promise<readonly Row[]>;
  pulse(from: Instant, to: Instant): Promise<readonly Row[]>;
}

type Sleeper = Pick<Clock, "sleep">;

/** A query that is started, looked after, and stopped. `rows`: null while it runs; throws for any end but the good one. */
interface Query {
  start(): Promise<string | undefined>;
  rows(id: string): Promise<readonly Row[] | null>;
  stop(id: string): Promise<unknown>;
}

/** Waits for the rows by the clock of the run. Whatever it gives up is stopped first: it costs until it ends. */
async function run(clock: Sleeper, doing: string, query: Query): Promise<readonly Row[]> {
  const id = (await asking(doing, query.start())) ?? "";
  try {
    for (let polls = 0; polls < POLLS_MAX; polls += 1) {
      await clock.sleep(POLL_EVERY_MS);
      const rows = await asking(doing, query.rows(id));
      if (rows !== null) return rows;
    }
    throw new RotationError("Unreachable", `${doing}, no end within ${String((POLLS_MAX * POLL_EVERY_MS) / 1_000)} s`);
  } catch (thrown) {
    await query.stop(id).catch(() => undefined);
    throw thrown;
  }
}

/** A trail's log group. The fields are those of its records; a log event's own time is never before the call's. */
export function overLogs({ logGroup: logGroupName, region }: LogGroup, clients: Clients, clock: Sleeper): TrailQueries {
  const client = clients.make((options) => new insights.CloudWatchLogsClient({ ...options, region }));
  const name = `the log group ${logGroupName} in ${region}`;
  const ask = (queryString: string, from: Instant, to: Instant): Promise<readonly Row[]> => {
    const input = { logGroupName, queryString, startTime: Math.floor(from / 1_000), endTime: Math.ceil(to / 1_000) };
    return run(clock, `querying ${name}`, {
      start: async () => (await client.send(new insights.StartQueryCommand(input))).queryId,
      async rows(queryId) {
        const { status = "", results = [] } = await client.send(new insights.GetQueryResultsCommand({ queryId }));
        if (status === "Scheduled" || status === "Running") return null;
        if (status !== "Complete") throw new RotationError("Unreachable", `querying ${name}, it ended as "${status}"`);
        return results.map((row) => Object.fromEntries(row.map((it) => [it.field?.toLowerCase() ?? "", it.value])));
      },
      stop: (queryId) => client.send(new insights.StopQueryCommand({ queryId })),
    });
  };
  const by = "by eventSource, eventName, awsRegion, sourceIPAddress, userAgent | sort lastseen desc | limit 1000";
  const uses = `stats count(*) as uses, max(eventTime) as lastseen ${by}`;
  const pulse = "stats min(eventTime) as firstseen, max(eventTime) as lastseen by bin(1d) | limit 1000";
  return {
    name,
    uses: (keyId, from, to) => ask(`filter userIdentity.accessKeyId = "${keyId}" | ${uses}`, from, to),
    pulse: (from, to) => ask(pulse, from, to),
  };
}

/**
 * A table over a trail's bucket, with the columns that the Athena User Guide gives it. A file lies in the partition of the
 * day on which it was delivered, which is never before the call. Times are spelled as CloudTrail does, and compare as texts.
 */
export function overTable(options: AthenaTable, clients: Clients, clock: Sleeper): TrailQueries {
  const { database, table, dayPartition, workgroup: WorkGroup, region } = options;
  const client = clients.make((more) => new athena.AthenaClient({ ...more, region }));
  const name = `Athena's table ${database}.${table} in ${region}`;
  const ask = (QueryString: string, from: Instant, ...texts: readonly string[]): Promise<readonly Row[]> => {
    const second = `${new Date(from).toISOString().slice(0, 19)}Z`;
    const given = [second.slice(0, 10).replaceAll("-", "/"), second, ...texts];
    // A parameter stands in the query as it is given: a text has its quotes, or it is a sum or a column.
    const input = { QueryString, WorkGroup, ExecutionParameters: given.map((text) => `'${text}'`) };
    return run(clock, `querying ${name}`, {
      start: async () => (await client.send(new athena.StartQueryExecutionCommand(input))).QueryExecutionId,
      async rows(QueryExecutionId) {
        const { QueryExecution } = await client.send(new athena.GetQueryExecutionCommand({ QueryExecutionId }));
        const { State = "", StateChangeReason = "" } = QueryExecution?.Status ?? {};
        if (State === "QUEUED" || State === "RUNNING") return null;
        const why = `querying ${name}, it ended as "${State}" ${StateChangeReason}`;
        if (State !== "SUCCEEDED") throw new RotationError("Unreachable", why);
        const pages = await readPages(name, athena.paginateGetQueryResults({ client }, { QueryExecutionId }));
        const rows = pages.flatMap(({ ResultSet }) => ResultSet?.Rows ?? []);
        // The first row of a SELECT names the columns (Athena API, GetQueryResults).
        const [head = [], ...values] = rows.map(({ Data = [] }) => Data.map(({ VarCharValue }) => VarCharValue));
        return values.map((row) => Object.fromEntries(head.map((column = "", at) => [column, row[at]])));
      },
      stop: (QueryExecutionId) => client.send(new athena.StopQueryExecutionCommand({ QueryExecutionId })),
    });
  };
  const where = `FROM "${database}"."${table}" WHERE "${dayPartition}" >= ? AND eventtime >= ?`;
  const by = "eventsource, eventname, awsregion, sourceipaddress, useragent";
  const last = "max(eventtime) AS lastseen";
  const uses = `SELECT ${by}, count(*) AS uses, ${last} ${where} AND useridentity.accesskeyid = ? GROUP BY ${by}`;
  const pulse = `SELECT substr(eventtime, 1, 10) AS day, min(eventtime) AS firstseen, ${last} ${where} GROUP BY 1`;
  return {
    name,
    uses: (keyId, from) => ask(`${uses} ORDER BY lastseen DESC LIMIT 1000`, from, keyId),
    pulse: (from) => ask(pulse, from),
  };
}
