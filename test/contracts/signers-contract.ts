import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accessKeyId } from "../../src/rotation/keys.ts";
import type { AccessKeyId } from "../../src/rotation/keys.ts";
import { hours, instant, minutes } from "../../src/rotation/time.ts";
import { signerOf } from "../world/caller.ts";
import type { SimulatedKey } from "../world/iam-state.ts";
import { anEnrolledKey, DEPLOY } from "./setup.ts";
import type { MakeSetup, WorldSetup } from "./setup.ts";
import { denied } from "../world/faults.ts";

/** What `EvidenceSources` promises of who signs with a key, and of the sessions made with it. */
export function signersContract(makeSetup: MakeSetup): void {
  let setup: WorldSetup;
  let key: SimulatedKey;
  let id: AccessKeyId;
  beforeEach(async () => {
    setup = await makeSetup();
    key = anEnrolledKey(setup);
    id = accessKeyId(key.id);
  });
  afterEach(async () => setup.close());

  const second = (epochMs: number): number => Math.floor(epochMs / 1_000) * 1_000;
  const call = (service: string, operation: string, more: { region?: string; input?: object } = {}): void => {
    setup.cloud.call({
      service,
      operation,
      region: more.region ?? "us-east-1",
      input: { ...more.input },
      signer: signerOf({ keyId: key.id, secret: key.secret }),
      sourceAddress: "198.51.100.7",
      userAgent: "aws-cli/2.15.0 Python/3.11",
    });
  };
  const settle = (): void => setup.clock.advance(setup.cloud.lags.cloudTrailMs + minutes(5));
  const CONTEXT = { user: DEPLOY, unaskedRegions: {} };

  describe("sessions", () => {
    const sessionsOf = async (fromMs: number, sessionsFromMs: number) => {
      const [from, sessionsFrom] = [instant(fromMs), instant(sessionsFromMs)];
      await setup.world.identity.read();
      const question = { source: "cloudtrail", keyId: id, from, handOversApart: false, sessionsFrom } as const;
      return setup.world.evidence.answer(question, CONTEXT);
    };

    test.for([
      ["GetSessionToken", { DurationSeconds: 129_600 }, hours(36), null],
      ["GetSessionToken", {}, hours(12), null],
      ["GetFederationToken", { Name: "guest" }, hours(12), "arn:aws:sts::123456789012:federated-user/guest"],
      [
        "AssumeRole",
        { RoleArn: "arn:aws:iam::123456789012:role/deployer", RoleSessionName: "ci" },
        hours(1),
        "arn:aws:sts::123456789012:assumed-role/deployer/ci",
      ],
    ] as const)(
      "are told with their end and who acts in them, of %s %j",
      async ([event, input, lastsMs, principal]) => {
        const { clock } = setup;
        const madeAt = second(clock.now());
        call("sts", event, { input, region: "eu-west-1" });
        settle();
        call("logs", "DescribeLogGroups");
        settle();
        const from = clock.now();
        expect(await sessionsOf(from, from - hours(36))).toMatchObject({
          use: { verdict: "unused" },
          sessions: [{ event, at: madeAt, endsAt: madeAt + lastsMs, principal }],
          sessionsFrom: from - hours(36),
        });
      },
    );

    test("are none of a request that was refused, nor of what another key made", async () => {
      const { cloud, clock } = setup;
      const other = cloud.iam.createKey(DEPLOY);
      cloud.callAs({ keyId: other.id, secret: other.secret }, { service: "sts", operation: "GetSessionToken" });
      expect(() => {
        call("sts", "GetSessionToken", { input: { DurationSeconds: 5 } });
      }).toThrow(/DurationSeconds/);
      settle();
      expect(await sessionsOf(clock.now(), clock.now() - hours(36))).toMatchObject({ sessions: [] });
    });

    test("before the window are no use within it", async () => {
      const { clock } = setup;
      call("sts", "GetSessionToken");
      settle();
      const answer = await sessionsOf(clock.now(), clock.now() - hours(36));
      expect(answer).toMatchObject({ use: { verdict: "unused" }, sessions: [{ event: "GetSessionToken" }] });
    });
  });

  describe("attribution", () => {
    const attributionOf = async (fromMs: number) => {
      await setup.world.identity.read();
      const question = { source: "attribution", keyId: id, from: instant(fromMs) } as const;
      const answer = await setup.world.evidence.answer(question, CONTEXT);
      if (answer.source !== "attribution") throw new Error("another answer");
      return answer.attribution;
    };

    test("says who signs, in every Region, and the sessions that were made", async () => {
      const { clock } = setup;
      const from = clock.now();
      call("logs", "DescribeLogGroups", { region: "sa-east-1" });
      clock.advance(minutes(1));
      const madeAt = second(clock.now());
      call("sts", "GetSessionToken", { region: "eu-north-1" });
      settle();
      const { signers, sessions, because } = await attributionOf(from);
      expect(because).toBeNull();
      expect(signers).toMatchObject([
        { service: "sts", action: "GetSessionToken", region: "eu-north-1", address: "198.51.100.7", last: madeAt },
        { service: "logs", action: "DescribeLogGroups", region: "sa-east-1", count: 1 },
      ]);
      expect(signers[0]?.agent).toContain("aws-cli/2.15.0");
      expect(sessions).toMatchObject([{ event: "GetSessionToken", endsAt: madeAt + hours(12) }]);
    });

    test("knows nobody where there were data events alone", async () => {
      const from = setup.clock.now();
      call("lambda", "Invoke");
      settle();
      expect(await attributionOf(from)).toMatchObject({ signers: [], sessions: [], because: null });
    });

    test("says why it does not know", async () => {
      setup.cloud.faults.add(denied("cloudtrail", "LookupEvents"));
      const { because } = await attributionOf(setup.clock.now() - hours(1));
      expect(because).toMatch(/AccessDenied/);
    });
  });
}
