import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AccessKeyId } from "../../src/rotation/keys.ts";
import { accessKeyId } from "../../src/rotation/keys.ts";
import type { Question } from "../../src/rotation/observation.ts";
import { days, hours, instant, minutes, seconds } from "../../src/rotation/time.ts";
import type { SimulatedKey } from "../world/iam-state.ts";
import type { EvidenceContext } from "../../src/rotation/world.ts";
import { anEnrolledKey, DEPLOY } from "./setup.ts";
import type { MakeSetup, WorldSetup } from "./setup.ts";

const CONTEXT = { user: DEPLOY, unaskedRegions: {}, readers: ["laptop", "ci.runner"] };
/** As the SDK for Python spells it. */
const LAPTOP = "Boto3/1.42 md/Botocore#1.42 ua/2.1 os/linux cfg/retry-mode#standard app/keyturn-laptop";

const TRAIL_REFUSED = {
  service: "cloudtrail",
  operation: "LookupEvents",
  kind: "error-before",
  code: "AccessDeniedException",
  times: "forever",
} as const;

/** What `EvidenceSources` promises. Time is moved before the world is asked: a run's clock knows no leaps. */
export function evidenceContract(makeSetup: MakeSetup): void {
  let setup: WorldSetup;
  let key: SimulatedKey;
  let id: AccessKeyId;
  beforeEach(async () => {
    setup = await makeSetup();
    key = anEnrolledKey(setup);
    id = accessKeyId(key.id);
  });
  afterEach(async () => setup.close());

  const use = (service: string, operation: string, region = "us-east-1", input = {}): void => {
    setup.cloud.callAs({ keyId: key.id, secret: key.secret }, { service, operation, region, input });
  };
  const read = (SecretId: unknown, userAgent: string): void => {
    const call = { service: "secretsmanager", operation: "GetSecretValue", input: { SecretId }, userAgent };
    setup.cloud.callAs({ keyId: key.id, secret: key.secret }, call);
  };
  const makeSecret = (Name: string): void => {
    const call = { service: "secretsmanager", operation: "CreateSecret", input: { Name, SecretString: "{}" } };
    setup.cloud.callAs(setup.cloud.role, call);
  };
  /** Every run asks who it is first, and so learns the time. */
  const answer = async (question: Exclude<Question, { destination: string }>, context: EvidenceContext = CONTEXT) => {
    await setup.world.identity.read();
    return setup.world.evidence.answer(question, context);
  };
  const trail = (fromMs: number, handOversApart = false) =>
    ({ source: "cloudtrail", keyId: id, from: instant(fromMs), handOversApart }) as const;
  const second = (epochMs: number): number => Math.floor(epochMs / 1_000) * 1_000;

  describe("last used", () => {
    test("is unused for a key that never signed", async () => {
      expect(await answer({ source: "last-used", keyId: id })).toMatchObject({
        source: "last-used",
        keyId: id,
        use: { verdict: "unused" },
      });
    });

    test("names time, service and Region of a use, data events too, once it shows", async () => {
      const { cloud, clock } = setup;
      const usedAt = clock.now();
      use("lambda", "Invoke", "eu-west-1");
      clock.advance(cloud.lags.lastUsedMs);
      expect(await answer({ source: "last-used", keyId: id })).toMatchObject({
        use: {
          verdict: "used",
          latest: { at: second(usedAt), service: "lambda", region: "eu-west-1" },
        },
      });
    });

    test("does not show a use before its lag is over", async () => {
      const { cloud, clock } = setup;
      use("lambda", "Invoke");
      clock.advance(cloud.lags.lastUsedMs - seconds(60));
      expect(await answer({ source: "last-used", keyId: id })).toMatchObject({
        use: { verdict: "unused" },
      });
    });

    test("has no Region where AWS says N/A", async () => {
      use("s3", "GetObject", "us-west-2");
      setup.clock.advance(setup.cloud.lags.lastUsedMs);
      expect(await answer({ source: "last-used", keyId: id })).toMatchObject({
        use: { verdict: "used", latest: { service: "s3", region: null } },
      });
    });

    test("is unknown, with the reason, when IAM refuses or the key is gone", async () => {
      setup.cloud.faults.add({
        service: "iam",
        operation: "GetAccessKeyLastUsed",
        kind: "error-before",
        code: "AccessDenied",
        status: 403,
        times: 1,
      });
      const refused = await answer({ source: "last-used", keyId: id });
      expect(refused).toMatchObject({
        use: { verdict: "unknown", because: expect.stringMatching(/./) },
      });
      const gone = await answer({ source: "last-used", keyId: accessKeyId("AKIANEVERMADE") });
      expect(gone).toMatchObject({ use: { verdict: "unknown" } });
    });
  });

  describe("CloudTrail", () => {
    test("is unused over the whole window once every enabled Region was asked", async () => {
      const { cloud, clock } = setup;
      const from = clock.now() - days(10);
      cloud.accountRegions.pageSize = 5;
      const told = await answer(trail(from));
      expect(told).toMatchObject({ from, handOverAt: null, use: { verdict: "unused", from } });
      if (told.source !== "cloudtrail") throw new Error("another answer");
      expect(told.regionsAsked.toSorted()).toEqual([...cloud.regions].toSorted());
      expect(told.regionsUnasked).toEqual({});
    });

    test("names the latest use in whatever Region, with who did it", async () => {
      const { cloud, clock } = setup;
      const from = clock.now();
      use("dynamodb", "ListTables", "eu-north-1");
      clock.advance(hours(1));
      const latestAt = clock.now();
      use("logs", "DescribeLogGroups", "sa-east-1");
      clock.advance(cloud.lags.cloudTrailMs + hours(1));
      expect(await answer(trail(from))).toMatchObject({
        use: {
          verdict: "used",
          latest: {
            at: second(latestAt),
            service: "logs",
            region: "sa-east-1",
            detail: expect.stringContaining("DescribeLogGroups"),
          },
        },
      });
    });

    test("never shows data events", async () => {
      const { cloud, clock } = setup;
      const from = clock.now();
      use("lambda", "Invoke");
      use("s3", "GetObject");
      use("dynamodb", "GetItem");
      clock.advance(cloud.lags.cloudTrailMs + hours(1));
      expect(await answer(trail(from))).toMatchObject({ use: { verdict: "unused" } });
    });

    test("leaves out what lies before the window", async () => {
      const { cloud, clock } = setup;
      use("logs", "DescribeLogGroups");
      clock.advance(cloud.lags.cloudTrailMs + hours(1));
      expect(await answer(trail(clock.now() - minutes(30)))).toMatchObject({
        use: { verdict: "unused" },
      });
    });

    test("follows an empty page with a token to the event behind it", async () => {
      const { cloud, clock } = setup;
      const from = clock.now();
      use("logs", "DescribeLogGroups");
      clock.advance(cloud.lags.cloudTrailMs + hours(1));
      cloud.cloudTrail.hasEmptyPages = true;
      expect(await answer(trail(from))).toMatchObject({ use: { verdict: "used" } });
    });

    test("reads past a page of hand-overs to the use before them", async () => {
      const { cloud, clock } = setup;
      const from = clock.now();
      makeSecret("keyturn/deploy");
      use("logs", "DescribeLogGroups");
      clock.advance(minutes(1));
      for (let reads = 0; reads < 60; reads += 1) {
        read("keyturn/deploy", LAPTOP);
      }
      clock.advance(cloud.lags.cloudTrailMs + hours(1));
      expect(await answer(trail(from, true))).toMatchObject({
        use: { verdict: "used", latest: { service: "logs" } },
      });
    });

    test.for(["name", "arn"] as const)(
      "tells a read of the user's own custody by %s apart only where asked to",
      async (by) => {
        const { cloud, clock } = setup;
        const from = clock.now();
        makeSecret("keyturn/deploy");
        const SecretId = by === "name" ? "keyturn/deploy" : cloud.secretsManager.named("keyturn/deploy")?.arn;
        const readAt = clock.now();
        read(SecretId, LAPTOP);
        clock.advance(cloud.lags.cloudTrailMs + hours(1));
        expect(await answer(trail(from, true))).toMatchObject({
          use: { verdict: "unused" },
          handOverAt: second(readAt),
        });
        expect(await answer(trail(from, false))).toMatchObject({
          use: { verdict: "used", latest: { service: "secretsmanager" } },
          handOverAt: null,
        });
      },
    );

    test("counts a read of the user's own custody by an unknown reader as a use", async () => {
      const { cloud, clock } = setup;
      const from = clock.now();
      makeSecret("keyturn/deploy");
      read("keyturn/deploy", "app/keyturn-old-laptop");
      clock.advance(cloud.lags.cloudTrailMs + hours(1));
      expect(await answer(trail(from, true))).toMatchObject({ use: { verdict: "used" }, handOverAt: null });
    });

    test("counts a read of another secret as a use", async () => {
      const { cloud, clock } = setup;
      const from = clock.now();
      makeSecret("keyturn/deploy-two");
      use("secretsmanager", "GetSecretValue", "us-east-1", { SecretId: "keyturn/deploy-two" });
      clock.advance(cloud.lags.cloudTrailMs + hours(1));
      expect(await answer(trail(from, true))).toMatchObject({
        use: { verdict: "used" },
        handOverAt: null,
      });
    });

    test("is unknown when one Region refuses, and not when that Region is left unasked", async () => {
      const { cloud, clock } = setup;
      cloud.faults.add({ ...TRAIL_REFUSED, when: ({ region }) => region === "sa-east-1" });
      const from = clock.now() - days(1);
      expect(await answer(trail(from))).toMatchObject({
        use: { verdict: "unknown", because: expect.stringMatching(/./) },
      });
      const unaskedRegions = { "sa-east-1": "denied by the organization" };
      const told = await answer(trail(from), { user: DEPLOY, unaskedRegions });
      expect(told).toMatchObject({ use: { verdict: "unused" }, regionsUnasked: unaskedRegions });
      if (told.source !== "cloudtrail") throw new Error("another answer");
      expect(told.regionsAsked).not.toContain("sa-east-1");
    });

    test("is unknown when the Regions cannot be listed", async () => {
      setup.cloud.faults.add({
        service: "account",
        operation: "ListRegions",
        kind: "error-before",
        code: "AccessDeniedException",
        status: 403,
        times: "forever",
      });
      expect(await answer(trail(setup.clock.now() - days(1)))).toMatchObject({
        use: { verdict: "unknown" },
      });
    });
  });

  describe("readers", () => {
    const readers = (fromMs: number, context = CONTEXT) =>
      answer({ source: "readers", keyId: id, from: instant(fromMs) }, context);
    const who = (region: string, userAgent: string): void => {
      const call = { service: "sts", operation: "GetCallerIdentity", region, userAgent };
      setup.cloud.callAs({ keyId: key.id, secret: key.secret }, call);
    };

    test("are those of the profile that CloudTrail shows to have signed with the key, each when it last did", async () => {
      const { cloud, clock } = setup;
      const from = clock.now();
      who("us-east-1", LAPTOP);
      clock.advance(minutes(5));
      const lastAt = clock.now();
      who("sa-east-1", LAPTOP);
      clock.advance(minutes(1));
      who("us-east-1", "app/keyturn-someone-else");
      who("us-east-1", "app/ci.runner");
      who("us-east-1", "my-app/keyturn-ci.runner");
      clock.advance(cloud.lags.cloudTrailMs + hours(1));
      expect(await readers(from)).toMatchObject({ keyId: id, seen: { at: { laptop: second(lastAt) } } });
      expect(await readers(from)).not.toHaveProperty("seen.at.ci.runner");
      who("us-east-1", "aws-sdk-js/3.1 app/keyturn-ci.runner lang/js");
      const ciAt = second(clock.now());
      clock.advance(cloud.lags.cloudTrailMs + hours(1));
      expect(await readers(from)).toMatchObject({
        seen: { at: { laptop: second(lastAt), "ci.runner": ciAt }, readUntil: expect.any(Number) },
      });
    });

    test("are none of before the window, nor of a Region that is left out", async () => {
      const { cloud, clock } = setup;
      who("us-east-1", LAPTOP);
      clock.advance(hours(1));
      const from = clock.now();
      who("sa-east-1", LAPTOP);
      clock.advance(cloud.lags.cloudTrailMs + hours(1));
      const unaskedRegions = { "sa-east-1": "denied by the organization" };
      expect(await readers(from, { ...CONTEXT, unaskedRegions })).toMatchObject({ seen: { at: {} } });
    });

    test("are told as far as they were seen when a Region refuses, and that not all was read", async () => {
      const { cloud, clock } = setup;
      const from = clock.now();
      who("us-east-1", LAPTOP);
      clock.advance(cloud.lags.cloudTrailMs + hours(1));
      cloud.faults.add({ ...TRAIL_REFUSED, when: ({ region }) => region === "sa-east-1" });
      expect(await readers(from)).toMatchObject({ seen: { readUntil: null } });
    });
  });

  describe("authorship", () => {
    const authorOf = async (keyId: AccessKeyId, event: "CreateAccessKey" | "UpdateAccessKey", fromMs: number) =>
      answer({ source: "authorship", keyId, event, from: instant(fromMs) });

    test("says ours for a key that our role made, and for a status it set", async () => {
      const { world, cloud, clock } = setup;
      cloud.lags.cloudTrailMs = 0;
      await world.identity.read();
      const made = await world.accessKeys.create(DEPLOY);
      await world.accessKeys.setStatus(DEPLOY, made.id, "inactive");
      const ours = { author: { kind: "ours", at: second(clock.now()) } };
      expect(await authorOf(made.id, "CreateAccessKey", clock.now())).toMatchObject(ours);
      expect(await authorOf(made.id, "UpdateAccessKey", clock.now())).toMatchObject(ours);
    });

    test("is unknown for the status of a key that the newest call made active", async () => {
      const { world, cloud, clock } = setup;
      cloud.lags.cloudTrailMs = 0;
      await world.identity.read();
      const made = await world.accessKeys.create(DEPLOY);
      const from = clock.now();
      await world.accessKeys.setStatus(DEPLOY, made.id, "inactive");
      clock.advance(2_000);
      await world.accessKeys.setStatus(DEPLOY, made.id, "active");
      expect(await authorOf(made.id, "UpdateAccessKey", from)).toMatchObject({ author: { kind: "unknown" } });
    });

    test("finds an event of the very second in which the window begins", async () => {
      const { world, cloud, clock } = setup;
      cloud.lags.cloudTrailMs = 0;
      cloud.cloudTrail.hasExactStart = true;
      clock.advance(1_500 - (clock.now() % 1_000));
      const from = clock.now();
      await world.identity.read();
      const made = await world.accessKeys.create(DEPLOY);
      expect(await authorOf(made.id, "CreateAccessKey", from)).toMatchObject({
        author: { kind: "ours" },
      });
    });

    test("names another who made it", async () => {
      const { cloud, clock } = setup;
      cloud.lags.cloudTrailMs = 0;
      const admin = cloud.iam.createUser({ name: "admin" });
      const pair = cloud.iam.createKey("admin");
      const made = cloud.callAs(
        { keyId: pair.id, secret: pair.secret },
        { service: "iam", operation: "CreateAccessKey", input: { UserName: DEPLOY } },
      )["AccessKey"] as Record<string, string>;
      expect(await authorOf(accessKeyId(made["AccessKeyId"] ?? ""), "CreateAccessKey", clock.now())).toMatchObject({
        author: { kind: "other", who: admin.arn },
      });
    });

    test("is unknown when no event is found, or CloudTrail refuses", async () => {
      const { cloud, clock } = setup;
      expect(await authorOf(id, "CreateAccessKey", clock.now() - days(1))).toMatchObject({
        author: { kind: "unknown" },
      });
      cloud.faults.add(TRAIL_REFUSED);
      expect(await authorOf(id, "UpdateAccessKey", clock.now() - days(1))).toMatchObject({
        author: { kind: "unknown", because: expect.stringMatching(/./) },
      });
    });
  });
}
