import type { ResultRow } from "./aggregate.ts";
import { ServiceError } from "./call.ts";
import type { CloudAnswer } from "./call.ts";
import type { Operations, Received } from "./caller.ts";
import { insightsQuery } from "./insights-query.ts";
import { optionalNumber, text } from "./input.ts";
import { uuid } from "./random.ts";
import type { SeededRandom } from "./random.ts";
import type { DeliveredEvent, Trail } from "./trail.ts";

const SCHEDULED_MS = 500;

interface Query {
  readonly region: string;
  readonly startedAtMs: number;
  readonly takesMs: number;
  readonly end: "Complete" | "Failed" | "Timeout" | "Unknown";
  readonly rows: readonly ResultRow[];
  readonly scanned: number;
  isCancelled: boolean;
}

/** CloudWatch Logs Insights over the one log group that the trail delivers to. A log event's time is that of its delivery. */
export class Logs {
  logGroup = "aws-cloudtrail-logs";
  /** Where the log group lies: a trail of all Regions delivers to one. */
  region = "us-east-1";
  /** How long each query that is started from now on takes, and how it ends. */
  takesMs = 3_000;
  end: Query["end"] = "Complete";
  /** Queries under way at once. The API says 100 today, and said 30 and 20 before. */
  queriesMax = 30;
  readonly operations: Operations;
  readonly #random: SeededRandom;
  readonly #trail: Trail;
  readonly #queries = new Map<string, Query>();

  constructor(random: SeededRandom, trail: Trail) {
    this.#random = random;
    this.#trail = trail;
    this.operations = {
      StartQuery: (received) => this.#startQuery(received),
      GetQueryResults: (received) => this.#getQueryResults(received),
      StopQuery: (received) => this.#stopQuery(received),
      // What consumers ask for: the application's own log groups, in which nothing stands.
      FilterLogEvents: () => ({ events: [] }),
      DescribeLogGroups: () => ({ logGroups: [{ logGroupName: this.logGroup }] }),
    };
  }

  /** How many queries have not ended. */
  underWay(nowMs: number): number {
    const states = [...this.#queries.values()].map((query) => statusOf(query, nowMs));
    return states.filter((status) => status === "Scheduled" || status === "Running").length;
  }

  #startQuery({ input, region, nowMs }: Received): CloudAnswer {
    if (text(input, "logGroupName") !== this.logGroup || region !== this.region) {
      throw new ServiceError("ResourceNotFoundException", "The specified log group does not exist.");
    }
    const from = (optionalNumber(input, "startTime") ?? Number.NaN) * 1_000;
    const to = (optionalNumber(input, "endTime") ?? Number.NaN) * 1_000;
    if (!(from <= to)) throw new ServiceError("InvalidParameterException", "End time should not be before start time");
    const run = insightsQuery(text(input, "queryString"));
    if (this.underWay(nowMs) >= this.queriesMax) {
      throw new ServiceError("LimitExceededException", "Account maximum query concurrency limit reached");
    }
    const isWithin = ({ deliveredAtMs }: DeliveredEvent): boolean => deliveredAtMs >= from && deliveredAtMs <= to;
    const events = this.#trail.deliveredBy(nowMs).filter(isWithin);
    const queryId = uuid(this.#random);
    this.#queries.set(queryId, {
      region,
      startedAtMs: nowMs,
      takesMs: this.takesMs,
      end: this.end,
      rows: run(events),
      scanned: events.length,
      isCancelled: false,
    });
    return { queryId };
  }

  #getQueryResults({ input, region, nowMs }: Received): CloudAnswer {
    const query = this.#query(input, region);
    const status = statusOf(query, nowMs);
    // While it runs the results are a part only (CloudWatch Logs API, GetQueryResults).
    const rows = status === "Complete" ? query.rows : query.rows.slice(0, status === "Running" ? 1 : 0);
    const { scanned } = query;
    return {
      results: rows.map((row) => Object.entries(row).map(([field, value]) => ({ field, value }))),
      statistics: { recordsMatched: rows.length, recordsScanned: scanned, bytesScanned: scanned * 1_000 },
      status,
    };
  }

  #stopQuery({ input, region, nowMs }: Received): CloudAnswer {
    const query = this.#query(input, region);
    const status = statusOf(query, nowMs);
    if (status !== "Scheduled" && status !== "Running") {
      throw new ServiceError("InvalidParameterException", "Query is not in a state to be cancelled");
    }
    query.isCancelled = true;
    return { success: true };
  }

  #query(input: Received["input"], region: string): Query {
    const query = this.#queries.get(text(input, "queryId"));
    if (query !== undefined && query.region === region) return query;
    throw new ServiceError("ResourceNotFoundException", "The specified query does not exist.");
  }
}

function statusOf({ startedAtMs, takesMs, end, isCancelled }: Query, nowMs: number): string {
  if (isCancelled) return "Cancelled";
  if (nowMs - startedAtMs >= takesMs) return end;
  return nowMs - startedAtMs < SCHEDULED_MS ? "Scheduled" : "Running";
}
