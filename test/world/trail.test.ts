import { beforeEach, describe, expect, test } from "vitest";
import type { CloudAnswer } from "./call.ts";
import { SimulatedClock } from "./clock.ts";
import { createCloud } from "./cloud.ts";
import type { Cloud } from "./cloud.ts";

const MINUTE_MS = 60_000;

let clock: SimulatedClock;
let cloud: Cloud;
beforeEach(() => {
  clock = new SimulatedClock(Date.UTC(2026, 10, 21));
  cloud = createCloud({ clock });
  cloud.trail.isOn = true;
  call("lambda", "Invoke");
  call("sts", "GetCallerIdentity");
  clock.advance(cloud.lags.cloudTrailMs);
});

const call = (service: string, operation: string, input: Readonly<Record<string, unknown>> = {}): CloudAnswer =>
  cloud.callAs(cloud.role, { service, operation, input });
const code = (attempt: () => unknown): unknown => {
  try {
    attempt();
    return "it did not fail";
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? (thrown as Error).name;
  }
};

describe("a trail", () => {
  test("delivers management and data events of all Regions, late", () => {
    cloud.callAs(cloud.role, { service: "s3", operation: "GetObject", region: "eu-west-1" });
    clock.advance(cloud.lags.cloudTrailMs - 1);
    const names = (): unknown[] => cloud.trail.deliveredBy(clock.now()).map(({ fields }) => fields["eventName"]);
    expect(names()).toEqual(["Invoke", "GetCallerIdentity"]);
    clock.advance(1);
    expect(names()).toEqual(["Invoke", "GetCallerIdentity", "GetObject"]);
  });

  test("has no data events where it selects none, and nothing while it is off", () => {
    cloud.trail.hasDataEvents = false;
    call("lambda", "Invoke");
    call("kms", "Decrypt");
    cloud.trail.isOn = false;
    call("kms", "Decrypt");
    clock.advance(cloud.lags.cloudTrailMs);
    expect(cloud.trail.deliveredBy(clock.now())).toHaveLength(3);
  });
});

describe("CloudWatch Logs Insights", () => {
  const seconds = (ms: number): number => Math.floor(ms / 1_000);
  const start = (queryString: string, more: object = {}): CloudAnswer =>
    call("logs", "StartQuery", {
      logGroupName: "aws-cloudtrail-logs",
      startTime: seconds(clock.now() - 60 * MINUTE_MS),
      endTime: seconds(clock.now()),
      queryString,
      ...more,
    });
  const results = ({ queryId }: CloudAnswer): CloudAnswer => call("logs", "GetQueryResults", { queryId });
  const COUNT = "stats count(*) as calls by eventName | sort eventName desc | limit 1";

  test("is scheduled, runs with a part of its results, and is complete", () => {
    const query = start(COUNT);
    expect(results(query)).toMatchObject({ status: "Scheduled", results: [] });
    clock.advance(1_000);
    expect(results(query)["status"]).toBe("Running");
    clock.advance(2_000);
    expect(results(query)).toMatchObject({
      status: "Complete",
      results: [
        [
          { field: "eventName", value: "Invoke" },
          { field: "calls", value: "1" },
        ],
      ],
      statistics: { recordsScanned: 2 },
    });
  });

  test("may time out, or be stopped, once", () => {
    cloud.logs.end = "Timeout";
    const timedOut = start(COUNT);
    const stopped = start(COUNT);
    expect(call("logs", "StopQuery", stopped)).toEqual({ success: true });
    expect(code(() => call("logs", "StopQuery", stopped))).toBe("InvalidParameterException");
    clock.advance(5_000);
    expect([timedOut, stopped].map((query) => results(query)["status"])).toEqual(["Timeout", "Cancelled"]);
  });

  test("refuses what the real one refuses, by its names", () => {
    expect(code(() => start("fields nothing | shuffle"))).toBe("MalformedQueryException");
    expect(code(() => start(COUNT, { logGroupName: "other" }))).toBe("ResourceNotFoundException");
    expect(code(() => start(COUNT, { endTime: 1 }))).toBe("InvalidParameterException");
    expect(code(() => results({ queryId: "none" }))).toBe("ResourceNotFoundException");
    cloud.logs.queriesMax = 1;
    start(COUNT);
    expect(code(() => start(COUNT))).toBe("LimitExceededException");
  });
});

describe("Athena", () => {
  const SQL = `SELECT eventname, count(*) AS calls FROM "audit"."cloudtrail_logs" WHERE eventtime >= ? GROUP BY 1`;
  const start = (QueryString: string, ExecutionParameters: readonly string[], more: object = {}): CloudAnswer =>
    call("athena", "StartQueryExecution", {
      QueryString,
      ExecutionParameters,
      WorkGroup: "primary",
      ...more,
    });
  const statusOf = (query: CloudAnswer): unknown =>
    (call("athena", "GetQueryExecution", query)["QueryExecution"] as CloudAnswer)["Status"];
  const rows = (query: CloudAnswer, more: object = {}): CloudAnswer =>
    call("athena", "GetQueryResults", { ...query, ...more });

  test("is queued, runs and has succeeded; the first of its rows names the columns, page after page", () => {
    const query = start(SQL, ["'2026-11-21'"]);
    expect(statusOf(query)).toEqual({ State: "QUEUED" });
    expect(code(() => rows(query))).toBe("InvalidRequestException");
    clock.advance(1_000);
    expect(statusOf(query)).toEqual({ State: "RUNNING" });
    clock.advance(2_000);
    expect(statusOf(query)).toEqual({ State: "SUCCEEDED" });
    const first = rows(query, { MaxResults: 2 });
    const valuesOf = (page: CloudAnswer): unknown => (page["ResultSet"] as CloudAnswer)["Rows"];
    expect(valuesOf(first)).toEqual([
      { Data: [{ VarCharValue: "eventname" }, { VarCharValue: "calls" }] },
      { Data: [{ VarCharValue: "Invoke" }, { VarCharValue: "1" }] },
    ]);
    const second = rows(query, { NextToken: first["NextToken"] });
    expect(valuesOf(second)).toEqual([{ Data: [{ VarCharValue: "GetCallerIdentity" }, { VarCharValue: "1" }] }]);
    expect(second).not.toHaveProperty("NextToken");
  });

  test.for<[string, string, readonly string[], string]>([
    ["an unknown table", SQL.replace("audit", "other"), ["'x'"], "TABLE_NOT_FOUND"],
    ["a text without its quotes", SQL, ["2026-11-21"], "COLUMN_NOT_FOUND"],
    ["too few parameters", SQL, [], "INVALID_PARAMETER_USAGE"],
    ["what is no SQL", "SELEC 1", [], "SYNTAX_ERROR"],
  ])("fails for %s, with the reason", ([, sql, parameters, reason]) => {
    const query = start(sql, parameters);
    clock.advance(5_000);
    const StateChangeReason = expect.stringContaining(reason);
    expect(statusOf(query)).toMatchObject({ State: "FAILED", StateChangeReason });
  });

  test("refuses an unknown workgroup, one without a place for results, and too many at once", () => {
    expect(code(() => start(SQL, ["'x'"], { WorkGroup: "other" }))).toBe("InvalidRequestException");
    cloud.athena.workgroup = { name: "primary", outputLocation: null };
    expect(code(() => start(SQL, ["'x'"]))).toBe("InvalidRequestException");
    const ResultConfiguration = { OutputLocation: "s3://results/" };
    expect(start(SQL, ["'x'"], { ResultConfiguration })).toHaveProperty("QueryExecutionId");
    cloud.athena.workgroup = { name: "primary", outputLocation: "s3://results/" };
    clock.advance(5_000);
    cloud.athena.queriesMax = 1;
    const query = start(SQL, ["'x'"]);
    expect(code(() => start(SQL, ["'x'"]))).toBe("TooManyRequestsException");
    call("athena", "StopQueryExecution", query);
    expect(statusOf(query)).toEqual({ State: "CANCELLED" });
  });
});
