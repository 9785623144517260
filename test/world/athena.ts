import { athenaQuery } from "./athena-query.ts";
import type { AthenaTable, Queried } from "./athena-query.ts";
import { ServiceError } from "./call.ts";
import type { CloudAnswer } from "./call.ts";
import type { Operations, Received } from "./caller.ts";
import { optionalNumber, optionalText, page, text, texts } from "./input.ts";
import { uuid } from "./random.ts";
import type { SeededRandom } from "./random.ts";
import type { Trail } from "./trail.ts";

const QUEUED_MS = 500;
const ROWS_A_PAGE_MAX = 1_000;

interface Execution {
  readonly startedAtMs: number;
  readonly takesMs: number;
  readonly queried: Queried;
  readonly bytes: number;
  isCancelled: boolean;
}

/** Athena over the trail's bucket: one table, and one workgroup. */
export class Athena {
  table: AthenaTable = { database: "audit", table: "cloudtrail_logs", dayPartition: "timestamp" };
  workgroup: { readonly name: string; readonly outputLocation: string | null } = {
    name: "primary",
    outputLocation: "s3://athena-results/",
  };
  /** How long each query that is started from now on takes. */
  takesMs = 3_000;
  /** Why each query that is started from now on fails; null where it does not. */
  failure: string | null = null;
  /** Queries under way at once; the quota is each account's own, and 20 the smallest that was published. */
  queriesMax = 20;
  /** Rows on one page of results; lower it to make pages. */
  pageSize = ROWS_A_PAGE_MAX;
  readonly operations: Operations;
  readonly #random: SeededRandom;
  readonly #trail: Trail;
  readonly #executions = new Map<string, Execution>();

  constructor(random: SeededRandom, trail: Trail) {
    this.#random = random;
    this.#trail = trail;
    this.operations = {
      StartQueryExecution: (received) => this.#start(received),
      GetQueryExecution: (received) => this.#execution(received),
      GetQueryResults: (received) => this.#results(received),
      StopQueryExecution: ({ input }) => {
        this.#find(input).isCancelled = true;
        return {};
      },
    };
  }

  /** How many queries have not ended. */
  underWay(nowMs: number): number {
    const states = [...this.#executions.values()].map((execution) => stateOf(execution, nowMs));
    return states.filter((state) => state === "QUEUED" || state === "RUNNING").length;
  }

  #start({ input, nowMs }: Received): CloudAnswer {
    if (text(input, "WorkGroup") !== this.workgroup.name) throw invalid("WorkGroup is not found.");
    const { OutputLocation } = (input["ResultConfiguration"] ?? {}) as { readonly OutputLocation?: string };
    if (OutputLocation === undefined && this.workgroup.outputLocation === null) {
      throw invalid("No output location provided. An output location is required");
    }
    if (this.underWay(nowMs) >= this.queriesMax) {
      throw new ServiceError("TooManyRequestsException", "You have exceeded the limit for the number of queries");
    }
    const events = this.#trail.deliveredBy(nowMs);
    const parameters = texts(input, "ExecutionParameters");
    const queried = athenaQuery(text(input, "QueryString"), parameters, { table: this.table, events });
    const QueryExecutionId = uuid(this.#random);
    this.#executions.set(QueryExecutionId, {
      startedAtMs: nowMs,
      takesMs: this.takesMs,
      queried: this.failure ?? queried,
      bytes: events.length * 1_000,
      isCancelled: false,
    });
    return { QueryExecutionId };
  }

  #execution({ input, nowMs }: Received): CloudAnswer {
    const execution = this.#find(input);
    const State = stateOf(execution, nowMs);
    const reason = State === "FAILED" ? { StateChangeReason: execution.queried } : {};
    const Statistics = { DataScannedInBytes: State === "SUCCEEDED" ? execution.bytes : 0 };
    return {
      QueryExecution: { QueryExecutionId: input["QueryExecutionId"], Status: { State, ...reason }, Statistics },
    };
  }

  /** The first row of the first page names the columns (Athena API, GetQueryResults). */
  #results({ input, nowMs }: Received): CloudAnswer {
    const { queried, ...execution } = this.#find(input);
    const state = stateOf({ queried, ...execution }, nowMs);
    if (typeof queried === "string" || state !== "SUCCEEDED") {
      throw invalid(`Query has not yet finished. Current state: ${state}`);
    }
    const { columns, rows } = queried;
    const head = columns.map((name) => ({ VarCharValue: name }));
    // What is null has no value.
    const values = rows.map((row) =>
      columns.map((name) => (row[name] === undefined ? {} : { VarCharValue: row[name] })),
    );
    const size = Math.min(optionalNumber(input, "MaxResults") ?? ROWS_A_PAGE_MAX, this.pageSize);
    const [found, next] = page([head, ...values], optionalText(input, "NextToken"), size);
    return {
      ResultSet: {
        Rows: found.map((Data) => ({ Data })),
        ResultSetMetadata: { ColumnInfo: columns.map((Name) => ({ Name, Type: "varchar" })) },
      },
      ...(next === null ? {} : { NextToken: next }),
    };
  }

  #find(input: Received["input"]): Execution {
    const id = text(input, "QueryExecutionId");
    const execution = this.#executions.get(id);
    if (execution === undefined) throw invalid(`QueryExecution ${id} was not found`);
    return execution;
  }
}

const invalid = (message: string): ServiceError => new ServiceError("InvalidRequestException", message);

function stateOf({ startedAtMs, takesMs, queried, isCancelled }: Execution, nowMs: number): string {
  if (isCancelled) return "CANCELLED";
  if (nowMs - startedAtMs < QUEUED_MS) return "QUEUED";
  if (nowMs - startedAtMs < takesMs) return "RUNNING";
  return typeof queried === "string" ? "FAILED" : "SUCCEEDED";
}
