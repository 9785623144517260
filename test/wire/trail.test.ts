import { describe, expect, test } from "vitest";
import type { TrailOptions } from "../../src/observe/evidence/deepen.ts";
import { accessKeyId } from "../../src/rotation/keys.ts";
import { days, hours, instant, seconds } from "../../src/rotation/time.ts";
import { DEPLOY } from "../contracts/setup.ts";
import type { WorldSetup } from "../contracts/setup.ts";
import { trailContract } from "../contracts/trail-contract.ts";
import type { TrailKind } from "../contracts/trail-contract.ts";
import { SimulatedClock } from "../world/clock.ts";
import { createCloud } from "../world/cloud.ts";
import { wireWorld } from "../world/wire/wire-world.ts";
import type { WireWorldOptions } from "../world/wire/wire-world.ts";
import { startWire } from "../world/wire/wire.ts";

const LOG_GROUP = { kind: "logs-insights", logGroup: "aws-cloudtrail-logs", region: "us-east-1" } as const;
const TABLE = {
  kind: "athena",
  database: "audit",
  table: "cloudtrail_logs",
  dayPartition: "timestamp",
  workgroup: "primary",
  region: "us-east-1",
} as const;

const KINDS: readonly TrailKind[] = [
  {
    options: LOG_GROUP,
    service: "logs",
    start: "StartQuery",
    stop: "StopQuery",
    called: "the log group aws-cloudtrail-logs in us-east-1",
    slowDown: ({ logs }) => {
      logs.takesMs = hours(1);
    },
    fail: ({ logs }) => {
      logs.end = "Failed";
    },
    underWay: ({ logs, clock }) => logs.underWay(clock.now()),
  },
  {
    options: TABLE,
    service: "athena",
    start: "StartQueryExecution",
    stop: "StopQueryExecution",
    called: "Athena's table audit.cloudtrail_logs in us-east-1",
    slowDown: ({ athena }) => {
      athena.takesMs = hours(1);
    },
    fail: ({ athena }) => {
      athena.failure = "Insufficient permissions to execute the query";
    },
    underWay: ({ athena, clock }) => athena.underWay(clock.now()),
  },
];

async function setUp(trail: TrailOptions, options: WireWorldOptions = {}): Promise<WorldSetup> {
  const clock = new SimulatedClock(Date.UTC(2026, 10, 21, 9, 30, 15));
  const cloud = createCloud({ clock, regions: ["us-east-1", "eu-west-1"] });
  const wire = await startWire(cloud, { clock });
  const world = wireWorld(cloud, wire, { ...options, trail });
  return {
    world,
    cloud,
    clock,
    async close() {
      world.close();
      await wire.close();
    },
  };
}

describe.for(KINDS)("a trail asked through $options.kind, by contract", (kind) => {
  trailContract(kind, setUp);
});

describe("the deeper sources beyond their contract", () => {
  const askAfter = async ({ world, cloud, clock }: WorldSetup, halves: number, id = "AKIAEXAMPLE000000000") => {
    const from = instant(clock.now());
    cloud.trail.isOn = true;
    for (let half = 0; half < halves; half += 1) {
      cloud.callAs(cloud.role, { service: "sts", operation: "GetCallerIdentity" });
      clock.advance(days(1) / 2);
    }
    await world.identity.read();
    const question = { source: "cloudtrail", keyId: accessKeyId(id), from } as const;
    return world.evidence.answer({ ...question, handOversApart: false }, { user: DEPLOY, unaskedRegions: {} });
  };

  test("Athena's rows are read to the last page, and its first row is no row", async () => {
    const setup = await setUp(TABLE);
    setup.cloud.athena.pageSize = 3;
    expect(await askAfter(setup, 20)).toMatchObject({ use: { verdict: "unused" } });
    expect(setup.cloud.counts.get("athena.GetQueryResults")).toBeGreaterThan(4);
    await setup.close();
  });

  test("Athena's reason is told, such as a table that does not exist", async () => {
    const setup = await setUp({ ...TABLE, table: "elsewhere" });
    const because = expect.stringContaining("TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.audit.elsewhere'");
    expect(await askAfter(setup, 4)).toMatchObject({ use: { verdict: "unknown", because } });
    await setup.close();
  });

  test("a workgroup that has no place for results is unknown", async () => {
    const setup = await setUp(TABLE);
    setup.cloud.athena.workgroup = { name: "primary", outputLocation: null };
    expect(await askAfter(setup, 4)).toMatchObject({ use: { verdict: "unknown" } });
    await setup.close();
  });

  test.for([LOG_GROUP, TABLE])("a run whose time is over stops its query, $kind", async (trail) => {
    const setup = await setUp(trail, { deadlineMs: seconds(1) });
    setup.cloud.logs.takesMs = hours(1);
    setup.cloud.athena.takesMs = hours(1);
    const told = askAfter(setup, 4);
    setup.clock.run();
    const because = expect.stringContaining("the run's time is over");
    expect(await told).toMatchObject({ use: { verdict: "unknown", because } });
    expect(setup.cloud.counts.get(trail === TABLE ? "athena.StopQueryExecution" : "logs.StopQuery")).toBe(1);
    await setup.close();
  });

  test("many keys wait their turn: no more than a question in three seconds", async () => {
    const setup = await setUp(LOG_GROUP);
    const asks: number[] = [];
    setup.cloud.onCall(({ operation, input }) => {
      // A key's own query, and not that of the trail's pulse.
      if (operation === "StartQuery" && JSON.stringify(input).includes("AKIAEXAMPLE")) asks.push(setup.clock.now());
    });
    setup.clock.run();
    await Promise.all(["AKIAEXAMPLE000000001", "AKIAEXAMPLE000000002"].map((id) => askAfter(setup, 0, id)));
    expect(asks).toHaveLength(2);
    expect((asks[1] ?? 0) - (asks[0] ?? 0)).toBeGreaterThan(3_000);
    await setup.close();
  });

  test("a log group of another name or Region is unknown", async () => {
    const setup = await setUp({ ...LOG_GROUP, region: "eu-west-1" });
    const because = expect.stringContaining("ResourceNotFoundException");
    expect(await askAfter(setup, 4)).toMatchObject({ use: { verdict: "unknown", because } });
    await setup.close();
  });
});
