import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TrailOptions } from "../../src/observe/evidence/deepen.ts";
import { accessKeyId } from "../../src/rotation/keys.ts";
import { days, hours, instant, minutes } from "../../src/rotation/time.ts";
import type { Cloud } from "../world/cloud.ts";
import type { SimulatedKey } from "../world/iam-state.ts";
import { anEnrolledKey, DEPLOY } from "./setup.ts";
import type { WorldSetup } from "./setup.ts";

/** One kind of deeper source, and what can be done to the service behind it. */
export interface TrailKind {
  readonly options: TrailOptions;
  readonly service: string;
  readonly start: string;
  readonly stop: string;
  /** How it is called in sightings and errors. */
  readonly called: string;
  readonly slowDown: (cloud: Cloud) => void;
  readonly fail: (cloud: Cloud) => void;
  readonly underWay: (cloud: Cloud) => number;
}

/** What a deeper source promises. Time is moved before the world is asked: a run's clock knows no leaps. */
export function trailContract(kind: TrailKind, makeSetup: (trail: TrailOptions) => Promise<WorldSetup>): void {
  let setup: WorldSetup;
  let key: SimulatedKey;
  beforeEach(async () => {
    setup = await makeSetup(kind.options);
    setup.cloud.trail.isOn = true;
    key = anEnrolledKey(setup);
  });
  afterEach(async () => setup.close());

  const use = (service: string, operation: string, region = "us-east-1"): void => {
    setup.cloud.callAs({ keyId: key.id, secret: key.secret }, { service, operation, region });
  };
  /** So many days in which the account is alive, though nobody uses the key. */
  const pass = (count: number): void => {
    for (let half = 0; half < count * 2; half += 1) {
      setup.cloud.callAs(setup.cloud.role, { service: "sts", operation: "GetCallerIdentity" });
      setup.clock.advance(hours(12));
    }
  };
  const answer = async (fromMs: number, { id = key.id, handOversApart = false } = {}) => {
    await setup.world.identity.read();
    const question = { source: "cloudtrail", keyId: accessKeyId(id), from: instant(fromMs), handOversApart } as const;
    const told = await setup.world.evidence.answer(question, { user: DEPLOY, unaskedRegions: {}, readers: ["laptop"] });
    if (told.source !== "cloudtrail") throw new Error("another answer");
    return told;
  };
  const asked = (operation: string): number => setup.cloud.counts.get(`${kind.service}.${operation}`) ?? 0;

  test("a data event, which Event history never shows, is a use, and says who and how often", async () => {
    const { clock } = setup;
    const from = clock.now();
    pass(1);
    use("s3", "GetObject", "us-west-2");
    pass(3);
    use("lambda", "Invoke", "eu-west-1");
    clock.advance(minutes(1));
    const usedAt = clock.now();
    use("lambda", "Invoke", "eu-west-1");
    pass(1);
    expect(await answer(from)).toMatchObject({
      deeper: kind.options.kind,
      use: {
        verdict: "used",
        latest: {
          at: usedAt,
          service: "lambda",
          region: "eu-west-1",
          detail: `Invoke from 192.0.2.10 by aws-sdk-js/3, 2 times, seen in ${kind.called}`,
        },
      },
    });
  });

  test("is unused up to an hour ago, when the trail has delivered on every day of the window", async () => {
    const from = setup.clock.now();
    pass(10);
    const told = await answer(from);
    expect(told).toMatchObject({ deeper: kind.options.kind, use: { verdict: "unused", from } });
    if (told.use.verdict !== "unused") throw new Error("another verdict");
    expect(setup.clock.now() - told.use.to).toBeGreaterThanOrEqual(hours(1));
  });

  test("is not asked where Event history has seen a use already", async () => {
    const from = setup.clock.now();
    use("logs", "DescribeLogGroups");
    pass(1);
    const told = await answer(from);
    expect(told).toMatchObject({ use: { verdict: "used", latest: { service: "logs" } } });
    expect(told).not.toHaveProperty("deeper");
    expect(asked(kind.start)).toBe(0);
  });

  test("what another key did, and what lies before the window, is no use", async () => {
    const { cloud, clock } = setup;
    use("lambda", "Invoke");
    clock.advance(minutes(1));
    const from = clock.now();
    const other = cloud.iam.createKey(DEPLOY);
    clock.advance(minutes(1));
    cloud.callAs({ keyId: other.id, secret: other.secret }, { service: "lambda", operation: "Invoke" });
    pass(1);
    expect(await answer(from)).toMatchObject({ use: { verdict: "unused" } });
  });

  describe("a trail that is not alive", () => {
    test("a trail that delivered nothing at all is unknown", async () => {
      setup.cloud.trail.isOn = false;
      const from = setup.clock.now();
      pass(10);
      expect(await answer(from)).toMatchObject({
        deeper: kind.options.kind,
        use: {
          verdict: "unknown",
          because: expect.stringContaining(`${kind.called}, it shows nothing of anybody for a day from`),
        },
      });
    });

    test.for([
      ["before the window's end", 8, 2],
      ["in its middle", 4, 5],
    ] as const)("a trail that was switched off for days, %s, is unknown", async ([, before, off]) => {
      const { cloud, clock } = setup;
      const from = clock.now();
      pass(before);
      cloud.trail.isOn = false;
      pass(off);
      cloud.trail.isOn = before + off < 10;
      pass(10 - before - off);
      expect(await answer(from)).toMatchObject({ use: { verdict: "unknown" } });
    });

    test("a use that it did deliver is a use all the same", async () => {
      const { cloud, clock } = setup;
      const from = clock.now();
      clock.advance(minutes(1));
      use("lambda", "Invoke");
      pass(1);
      cloud.trail.isOn = false;
      pass(5);
      expect(await answer(from)).toMatchObject({ use: { verdict: "used", latest: { service: "lambda" } } });
    });
  });

  describe("a query that does not end well", () => {
    const deny = (operation: string): void => {
      setup.cloud.faults.add({
        service: kind.service,
        operation,
        kind: "error-before",
        code: "AccessDeniedException",
        message: `User: keyturn is not authorized to perform: ${kind.service}:${operation}`,
        times: "forever",
      });
    };

    test("is unknown, and names the permission that is missing", async () => {
      const from = setup.clock.now();
      pass(2);
      deny(kind.start);
      expect(await answer(from)).toMatchObject({
        deeper: kind.options.kind,
        use: { verdict: "unknown", because: expect.stringContaining(`perform: ${kind.service}:${kind.start}`) },
      });
    });

    test("is unknown, and stopped, when it takes too long", async () => {
      const from = setup.clock.now();
      pass(2);
      kind.slowDown(setup.cloud);
      expect(await answer(from)).toMatchObject({
        use: { verdict: "unknown", because: expect.stringContaining("no end within 100 s") },
      });
      expect(asked(kind.stop)).toBe(1);
      expect(kind.underWay(setup.cloud)).toBe(0);
    });

    test("is unknown, and stopped, when its rows may not be read", async () => {
      const from = setup.clock.now();
      pass(2);
      deny("GetQueryResults");
      const { use: told } = await answer(from);
      expect(told).toMatchObject({ verdict: "unknown", because: expect.stringContaining("GetQueryResults") });
      expect(kind.underWay(setup.cloud)).toBe(0);
    });

    test("is unknown when the service says that it failed", async () => {
      const from = setup.clock.now();
      pass(2);
      kind.fail(setup.cloud);
      expect(await answer(from)).toMatchObject({
        use: { verdict: "unknown", because: expect.stringContaining("it ended as") },
      });
    });

    test("is not begun for what is no access key id", async () => {
      const from = setup.clock.now();
      pass(2);
      expect(await answer(from, { id: 'AKIA" | limit 0 #' })).toMatchObject({
        use: { verdict: "unknown", because: expect.stringContaining("is an access key id") },
      });
      expect(asked(kind.start)).toBe(0);
    });
  });

  test("leaves reads of secrets to Event history, where hand-overs are told apart", async () => {
    const { cloud, clock } = setup;
    const from = clock.now();
    const secret = { Name: "keyturn/deploy", SecretString: "{}" };
    cloud.callAs(cloud.role, { service: "secretsmanager", operation: "CreateSecret", input: secret });
    const reader = { keyId: key.id, secret: key.secret };
    const input = { SecretId: "keyturn/deploy" };
    const userAgent = "aws-sdk-js/3 app/keyturn-laptop";
    cloud.callAs(reader, { service: "secretsmanager", operation: "GetSecretValue", input, userAgent });
    pass(2);
    const told = await answer(from, { handOversApart: true });
    expect(told).toMatchObject({
      deeper: kind.options.kind,
      use: { verdict: "unused" },
      handOverAt: expect.any(Number),
    });
  });

  test("a window of months is no harder than one of days", async () => {
    const from = setup.clock.now();
    pass(80);
    expect(await answer(from - days(1) + hours(13))).toMatchObject({ use: { verdict: "unused" } });
  });
}
