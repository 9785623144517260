import { describe, expect, test } from "vitest";
import { type ConfigInput, defineConfig } from "../../src/config/define.ts";

const PROFILES = { p: { users: ["deploy"], destinations: [{ kind: "secrets-manager" }] } };
const define = (trail: object | undefined) => defineConfig({ profiles: PROFILES, trail } as ConfigInput);
const LOGS = { kind: "logs-insights", logGroup: "aws-cloudtrail/logs.main", region: "us-east-1" };
const ATHENA = {
  kind: "athena",
  database: "audit",
  table: "cloudtrail_logs",
  dayPartition: "timestamp",
  workgroup: "primary",
  region: "eu-central-1",
};

describe("a trail in the configuration", () => {
  test("is none where none is named", () => {
    expect(define(undefined)).not.toHaveProperty("trail");
  });

  test.for([LOGS, ATHENA])("is taken, $kind", (trail) => {
    expect(define(trail).trail).toEqual(trail);
    expect(Object.isFrozen(define(trail).trail)).toBe(true);
  });

  test.for<[string, object, string]>([
    ["a kind that does not exist", { ...LOGS, kind: "lake" }, "trail.kind: found"],
    ["a log group by its ARN", { ...LOGS, logGroup: "arn:aws:logs:us-east-1:1:log-group:x" }, "trail.logGroup: found"],
    ["no log group", { ...LOGS, logGroup: undefined }, "trail.logGroup: found nothing"],
    ["a Region that is none", { ...LOGS, region: "Virginia" }, 'trail.region: found "Virginia"'],
    ["a table that is more than a name", { ...ATHENA, table: 'x" UNION SELECT "' }, "trail.table: found"],
    ["a database with a dot", { ...ATHENA, database: "a.b" }, 'trail.database: found "a.b"'],
    ["no partition, which would read every year", { ...ATHENA, dayPartition: undefined }, "trail.dayPartition: found"],
    ["a workgroup with a space", { ...ATHENA, workgroup: "my group" }, 'trail.workgroup: found "my group"'],
    ["a misspelt setting", { ...LOGS, loggroup: "x" }, "trail.loggroup: found a setting that does not exist"],
  ])("is refused with %s, by the field's name", ([, trail, start]) => {
    expect(() => define(trail)).toThrow(`1 refused:\n- ${start}`);
    expect(() => define(trail)).toThrow("; allowed: ");
  });
});
