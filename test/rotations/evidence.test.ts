import { describe, expect, test } from "vitest";
import { SESSION_MAX_MS } from "../../src/rotation/policy.ts";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import type { World } from "../../src/rotation/world.ts";
import { explain } from "../../src/sweep.ts";
import { userName } from "../../src/rotation/keys.ts";
import { aPolicy } from "../builders.ts";
import type { CloudAnswer } from "../world/call.ts";
import { signerOf } from "../world/caller.ts";
import type { SigningPair } from "../world/caller.ts";
import type { DirectWorld } from "../world/direct/world.ts";
import { aCaller, aSystem, DEPLOY, doneIn, lastOf, ofKey, toldOf } from "../world/system.ts";
import type { System, SystemOptions } from "../world/system.ts";
import { consumer } from "../world/workloads.ts";

/** A copy of the old pair on somebody's machine, which lists log groups. */
const aLaptop = ({ here, first }: System, region = "eu-central-1") =>
  consumer(here.cloud, {
    name: "laptop",
    region,
    sourceAddress: "198.51.100.7",
    userAgent: "aws-cli/2.15.0 Python/3.11",
    pair: () => first,
    call: { service: "logs", operation: "DescribeLogGroups" },
  });

const lookups = ({ here }: System): number => here.cloud.counts.get("cloudtrail.LookupEvents") ?? 0;
const noticeOf = ({ here }: System, code: string) => here.notices.filter((notice) => notice.code === code);
const explained = async ({ here }: System) =>
  explain(here.run(), { profiles: here.profiles, enrolmentTag: "keyturn", user: userName(DEPLOY) });

describe("a key that is used after its replacement was delivered", () => {
  test("is told with who signs: call, Region, address, agent, how often and since when", async () => {
    const system = await aSystem();
    const { here, work } = system;
    const laptop = aLaptop(system);
    await here.pass(days(1), work);
    laptop.work();
    here.clock.advance(minutes(30));
    laptop.work();
    await here.pass(hours(6), work);
    const [notice] = noticeOf(system, "OldKeyStillUsed");
    const [because, who, ...more] = notice?.text.split("\n") ?? [];
    expect(because).toMatch(/is still used after its replacement was delivered: logs in eu-central-1/);
    expect(who).toMatch(/^logs DescribeLogGroups in eu-central-1, from 198\.51\.100\.7 by aws-cli\/2\.15\.0/);
    expect(who).toMatch(/: 2 times, first 4 h 30 min ago, last 4 h ago$/);
    expect(more).toEqual([]);
    const { decision } = await explained(system);
    expect(decision).toMatchObject({ reason: "OldKeyStillUsed", details: [expect.stringContaining("198.51.100.7")] });
  });

  test("is looked up once a day and not in every sweep, and told once a week", async () => {
    const system = await aSystem();
    const { here, work } = system;
    const laptop = aLaptop(system);
    await here.pass(hours(2), work);
    const before = lookups(system);
    await here.pass(days(10), () => {
      work();
      laptop.work();
    });
    const regions = here.cloud.regions.length;
    expect(lookups(system) - before).toBeLessThanOrEqual(11 * regions);
    expect(lookups(system) - before).toBeGreaterThanOrEqual(9 * regions);
    expect(noticeOf(system, "OldKeyStillUsed")).toHaveLength(2);
  });

  test("by data events alone is told as such", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    const cron = aCaller(here, () => first, "cron");
    await here.pass(days(1), work);
    cron.work();
    await here.pass(hours(6), work);
    const [notice] = noticeOf(system, "OldKeyStillUsed");
    expect(notice?.text).toMatch(/CloudTrail shows no call to lambda in us-east-1 since the delivery: .*Lambda Invoke/);
  });

  test("is told with the session that was made with it, its end, and who acts in it", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await here.pass(days(1), work);
    const input = { RoleArn: `arn:aws:iam::${here.cloud.account}:role/deployer`, RoleSessionName: "ci" };
    here.cloud.callAs(first, { service: "sts", operation: "AssumeRole", input: { ...input, DurationSeconds: 43_200 } });
    await here.pass(hours(6), work);
    const [notice] = noticeOf(system, "OldKeyStillUsed");
    expect(notice?.text).toMatch(/by AssumeRole as arn:aws:sts::\d+:assumed-role\/deployer\/ci goes on for 7 h/);
  });

  test.for([true, false])(
    "is judged the same whether or not CloudTrail can be asked who it is: %s",
    async (isAllowed) => {
      const system = await aSystem();
      const { here, work } = system;
      await here.pass(days(1), work);
      if (!isAllowed) {
        const fault = { service: "cloudtrail", operation: "LookupEvents", kind: "error-before" } as const;
        here.cloud.faults.add({ ...fault, code: "AccessDeniedException", times: "forever" });
      }
      aLaptop(system).work();
      const results = await here.pass(hours(6), work);
      expect(lastOf(results.at(-1))).toBe("retire hold OldKeyStillUsed held");
      const text = noticeOf(system, "OldKeyStillUsed")[0]?.text ?? "";
      expect(/Not all is known: .*AccessDenied/.test(text)).toBe(!isAllowed);
    },
  );
});

describe("a client that trades the old key for sessions of 36 hours, and a quiet of six", () => {
  const SHORT = { profile: { policy: aPolicy({ quietForMs: hours(6) }) } };

  /** Works in a session, and makes the next one with the key when it ends. Tells each error. */
  function aSessionClient({ here, first }: System) {
    let session: SigningPair | null = null;
    let endsAtMs = 0;
    const errors: string[] = [];
    const call = (pair: SigningPair, operation: string, service: string): CloudAnswer =>
      here.cloud.call({
        service,
        operation,
        region: "eu-central-1",
        input: operation === "GetSessionToken" ? { DurationSeconds: SESSION_MAX_MS / 1_000 } : {},
        signer: signerOf(pair),
        sourceAddress: "198.51.100.7",
        userAgent: "python",
      });
    const renew = (): SigningPair => {
      const made = call(first, "GetSessionToken", "sts")["Credentials"] as Readonly<Record<string, unknown>>;
      endsAtMs = (made["Expiration"] as Date).getTime();
      return { keyId: String(made["AccessKeyId"]), secret: String(made["SecretAccessKey"]) };
    };
    return {
      errors,
      work: (): void => {
        try {
          if (session === null || here.clock.now() >= endsAtMs - minutes(5)) session = renew();
          call(session, "DescribeLogGroups", "logs");
        } catch (thrown) {
          errors.push(String(thrown));
        }
      },
    };
  }

  async function aMonth(options: SystemOptions) {
    const system = await aSystem(options);
    const client = aSessionClient(system);
    client.work();
    const results = await system.here.pass(days(12), () => {
      system.work();
      client.work();
    });
    return { system, client, results };
  }

  test("is never cut: the silence is counted from the end of its session", async () => {
    const { system, client } = await aMonth(SHORT);
    expect(client.errors).toEqual([]);
    expect(ofKey(system.here, system.first.keyId)).toBe("Active");
    expect(toldOf(system.here)).toContain("OldKeyStillUsed");
  });

  test("the twin that knows nothing of sessions cuts it off", async () => {
    const bend = (world: DirectWorld): World => ({
      ...world,
      evidence: {
        answer: async (question, context) => {
          const answer = await world.evidence.answer(question, context);
          return answer.source === "cloudtrail" ? { ...answer, sessions: [] } : answer;
        },
      },
    });
    const { client } = await aMonth({ ...SHORT, bend });
    expect(client.errors.length).toBeGreaterThan(0);
  });

  test("a session made just before the delivery delays the deactivation to its end, and no further", async () => {
    const system = await aSystem(SHORT);
    const { here, first, work } = system;
    here.cloud.callAs(first, { service: "sts", operation: "GetSessionToken", input: { DurationSeconds: 129_600 } });
    const endsAt = here.clock.now() + SESSION_MAX_MS;
    const results = await here.pass(days(3), work);
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    const at = results.findIndex((result) => doneIn(result).includes("deactivate"));
    expect(Date.parse(results[at]?.startedAt ?? "") - endsAt).toBeGreaterThanOrEqual(hours(10) - minutes(1));
    expect(Date.parse(results[at]?.startedAt ?? "") - endsAt).toBeLessThan(hours(12));
    const held = results[at - 1]?.users[0]?.decisions.at(-1)?.because;
    expect(held).toMatch(/counted from the end of a session/);
  });
});

test("a rotation without sessions asks each Region twice for the deactivation, and twice for the deletion", async () => {
  const system = await aSystem();
  const { here, first, work } = system;
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(40), work);
  expect(lookups(system)).toBe(4 * here.cloud.regions.length);
});

describe("adoption that nobody proved", () => {
  test("is said with the deactivation, where the profile does not ask for it", async () => {
    const system = await aSystem({ profile: { policy: aPolicy({ adoption: "optional" }) } });
    await system.here.pass(days(12));
    const [notice] = noticeOf(system, "KeyDeactivated");
    expect(notice?.text).toMatch(
      /it is not proved that anybody uses AKIA\w+: the profile says that adoption is optional/,
    );
  });

  test("is not said where somebody was seen to use the replacement", async () => {
    const system = await aSystem();
    await system.here.pass(days(12), system.work);
    expect(noticeOf(system, "KeyDeactivated")[0]?.text).not.toMatch(/not proved/);
  });
});
