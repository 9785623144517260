import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import { days } from "../../src/rotation/time.ts";
import { DEPLOY, credentialOf, failureOf, madeUp } from "./setup.ts";
import type { MakeSetup, WorldSetup } from "./setup.ts";

/** What `Identity`, `AccessKeys`, `Prover`, `Clock` and `Random` promise. */
export function keysContract(makeSetup: MakeSetup): void {
  let setup: WorldSetup;
  beforeEach(async () => {
    setup = await makeSetup();
    setup.cloud.iam.createUser({ name: DEPLOY });
  });
  afterEach(async () => setup.close());

  describe("identity and clock", () => {
    test("names the account and the role behind the session", async () => {
      const { world, cloud } = setup;
      expect(await world.identity.read()).toEqual({
        account: cloud.account,
        principalArn: cloud.role.roleArn,
      });
    });

    test("has no time before the first answer, and AWS's time after it", async () => {
      const { world, clock } = setup;
      expect(() => world.clock.now()).toThrow(expect.objectContaining({ code: "Unreachable" }));
      await world.identity.read();
      expect(Math.abs(world.clock.now() - clock.now())).toBeLessThan(2_000);
    });

    test("gives tokens of 32 hexadecimal digits that do not repeat", () => {
      const { random } = setup.world;
      const tokens = Array.from({ length: 50 }, () => random.token());
      expect(new Set(tokens).size).toBe(50);
      for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{32}$/);
      const fraction = random.fraction();
      expect(fraction >= 0 && fraction < 1).toBe(true);
    });
  });

  describe("access keys", () => {
    test("lists all keys of a user with status and age", async () => {
      const { world, cloud, clock } = setup;
      const old = cloud.iam.createKey(DEPLOY, { createdAtMs: clock.now() - days(80) });
      const young = cloud.iam.createKey(DEPLOY);
      young.status = "Inactive";
      const keys = await world.accessKeys.list(DEPLOY);
      expect(Object.fromEntries(keys.map(({ id, status }) => [id, status]))).toEqual({
        [old.id]: "active",
        [young.id]: "inactive",
      });
      const age = clock.now() - (keys.find(({ id }) => id === old.id)?.createdAt ?? 0);
      expect(Math.abs(age - days(80))).toBeLessThan(1_000);
    });

    test("lists the keys of every page", async () => {
      const { world, cloud } = setup;
      cloud.iam.createKey(DEPLOY);
      cloud.iam.createKey(DEPLOY);
      cloud.iam.pageSize = 1;
      expect(await world.accessKeys.list(DEPLOY)).toHaveLength(2);
    });

    test("tells a status it does not know from the known ones", async () => {
      const { world, cloud } = setup;
      cloud.iam.createKey(DEPLOY).status = "Expired";
      expect(await world.accessKeys.list(DEPLOY)).toMatchObject([{ status: "unrecognized" }]);
    });

    test("says NotFound for the keys of a user that is not there", async () => {
      expect(await failureOf(setup.world.accessKeys.list(userName("nobody")))).toBe("NotFound");
      expect(await failureOf(setup.world.accessKeys.create(userName("nobody")))).toBe("NotFound");
    });

    test("makes a key whose pair signs, and tells when", async () => {
      const { world, cloud } = setup;
      const made = await world.accessKeys.create(DEPLOY);
      expect(await world.accessKeys.list(DEPLOY)).toMatchObject([{ id: made.id, createdAt: made.createdAt }]);
      expect(cloud.iam.keysOf(DEPLOY).map(({ id, secret }) => [id, secret])).toEqual([[made.id, made.secret.reveal()]]);
    });

    test("says LimitReached for a third key", async () => {
      const { world, cloud } = setup;
      cloud.iam.createKey(DEPLOY);
      cloud.iam.createKey(DEPLOY);
      expect(await failureOf(world.accessKeys.create(DEPLOY))).toBe("LimitReached");
    });

    test("sends the creation once when its answer is lost, and says that a key may have been made", async () => {
      const { world, cloud } = setup;
      cloud.faults.add({
        service: "iam",
        operation: "CreateAccessKey",
        kind: "lost-after",
        times: 1,
      });
      await expect(world.accessKeys.create(DEPLOY)).rejects.toMatchObject({
        code: "Unreachable",
        outcomeUnknown: true,
      });
      expect(cloud.iam.keysOf(DEPLOY)).toHaveLength(1);
      expect(cloud.counts.get("iam.CreateAccessKey")).toBe(1);
    });

    test("sends the creation once when the service fails after it, and says so", async () => {
      const { world, cloud } = setup;
      cloud.faults.add({
        service: "iam",
        operation: "CreateAccessKey",
        kind: "error-after",
        times: 1,
      });
      await expect(world.accessKeys.create(DEPLOY)).rejects.toMatchObject({ outcomeUnknown: true });
      expect(cloud.counts.get("iam.CreateAccessKey")).toBe(1);
    });

    test("tries a throttled creation again, of which no key came", async () => {
      const { world, cloud } = setup;
      cloud.faults.add({ service: "iam", operation: "CreateAccessKey", kind: "throttle", times: 2 });
      const made = await world.accessKeys.create(DEPLOY);
      expect(cloud.iam.keysOf(DEPLOY).map(({ id }) => id)).toEqual([made.id]);
      expect(cloud.counts.get("iam.CreateAccessKey")).toBe(3);
    });

    test("gives up a creation that is throttled again and again", async () => {
      const { world, cloud } = setup;
      cloud.faults.add({ service: "iam", operation: "CreateAccessKey", kind: "throttle", times: "forever" });
      expect(await failureOf(world.accessKeys.create(DEPLOY))).toBe("Throttled");
      expect(cloud.iam.keysOf(DEPLOY)).toEqual([]);
      expect(cloud.counts.get("iam.CreateAccessKey")).toBeLessThan(10);
    });

    test("does not send a creation again that was throttled first and then lost", async () => {
      const { world, cloud } = setup;
      cloud.faults.add({ service: "iam", operation: "CreateAccessKey", kind: "throttle", times: 1 });
      cloud.faults.add({ service: "iam", operation: "CreateAccessKey", kind: "lost-after", times: 1 });
      await expect(world.accessKeys.create(DEPLOY)).rejects.toMatchObject({ outcomeUnknown: true });
      expect(cloud.iam.keysOf(DEPLOY)).toHaveLength(1);
    });

    test("says Denied for a refused creation, of which nothing came", async () => {
      const { world, cloud } = setup;
      cloud.faults.add({
        service: "iam",
        operation: "CreateAccessKey",
        kind: "error-before",
        code: "AccessDenied",
        status: 403,
        times: "forever",
      });
      await expect(world.accessKeys.create(DEPLOY)).rejects.toMatchObject({
        code: "Denied",
        outcomeUnknown: false,
      });
    });

    test("says Throttled for a service that is asked too often", async () => {
      const { world, cloud } = setup;
      cloud.faults.add({
        service: "iam",
        operation: "ListAccessKeys",
        kind: "throttle",
        times: "forever",
      });
      expect(await failureOf(world.accessKeys.list(DEPLOY))).toBe("Throttled");
    });

    test("sets a status twice as it does once, and says NotFound for a key that is gone", async () => {
      const { world, cloud } = setup;
      const key = cloud.iam.createKey(DEPLOY);
      const id = accessKeyId(key.id);
      await world.accessKeys.setStatus(DEPLOY, id, "inactive");
      await world.accessKeys.setStatus(DEPLOY, id, "inactive");
      expect(key.status).toBe("Inactive");
      await world.accessKeys.setStatus(DEPLOY, id, "active");
      expect(key.status).toBe("Active");
      await world.accessKeys.delete(DEPLOY, id);
      expect(await failureOf(world.accessKeys.setStatus(DEPLOY, id, "inactive"))).toBe("NotFound");
    });

    test("deletes a key, and the absent one as well", async () => {
      const { world, cloud } = setup;
      const id = accessKeyId(cloud.iam.createKey(DEPLOY).id);
      await world.accessKeys.delete(DEPLOY, id);
      expect(cloud.iam.keysOf(DEPLOY)).toEqual([]);
      await world.accessKeys.delete(DEPLOY, id);
    });
  });

  describe("descriptions of keys", () => {
    const tagsOf = (): Record<string, string> =>
      Object.fromEntries((setup.cloud.iam.users.get(DEPLOY)?.tags ?? []).map(({ Key, Value }) => [Key, Value]));

    test("are tags of the user whose key is the key's id; said twice they are as said once", async () => {
      const { world, cloud } = setup;
      const id = accessKeyId(cloud.iam.createKey(DEPLOY).id);
      await world.accessKeys.describe(DEPLOY, id, "Worker of the shop: eu-1 @ x=1");
      await world.accessKeys.describe(DEPLOY, id, "Worker of the shop");
      await world.accessKeys.describe(DEPLOY, id, "Worker of the shop");
      expect(tagsOf()).toEqual({ [id]: "Worker of the shop" });
      expect((await world.directory.read(DEPLOY))?.tags[id.toLowerCase()]).toBe("Worker of the shop");
    });

    test("are taken away alone, and where there is none nothing happens", async () => {
      const { world, cloud } = setup;
      const id = accessKeyId(cloud.iam.createKey(DEPLOY).id);
      cloud.callAs(cloud.role, {
        service: "iam",
        operation: "TagUser",
        input: {
          UserName: DEPLOY,
          Tags: [
            { Key: id, Value: "old" },
            { Key: "team", Value: "shop" },
          ],
        },
      });
      await world.accessKeys.describe(DEPLOY, id, null);
      await world.accessKeys.describe(DEPLOY, id, null);
      expect(tagsOf()).toEqual({ team: "shop" });
    });

    test("have no room beside 50 other tags, and what was there stays", async () => {
      const { world, cloud } = setup;
      const id = accessKeyId(cloud.iam.createKey(DEPLOY).id);
      const Tags = Array.from({ length: 50 }, (_, index) => ({ Key: `tag-${String(index)}`, Value: "" }));
      cloud.callAs(cloud.role, { service: "iam", operation: "TagUser", input: { UserName: DEPLOY, Tags } });
      expect(await failureOf(world.accessKeys.describe(DEPLOY, id, "no room"))).toBe("LimitReached");
      expect(Object.keys(tagsOf())).toHaveLength(50);
      await world.accessKeys.describe(DEPLOY, accessKeyId("tag-7"), "overwritten");
      expect(tagsOf()).toMatchObject({ "tag-7": "overwritten" });
    });

    test("say NotFound for a user that is not there, and Denied where IAM refuses", async () => {
      const { world, cloud } = setup;
      const id = accessKeyId(cloud.iam.createKey(DEPLOY).id);
      expect(await failureOf(world.accessKeys.describe(userName("nobody"), id, "x"))).toBe("NotFound");
      expect(await failureOf(world.accessKeys.describe(userName("nobody"), id, null))).toBe("NotFound");
      cloud.faults.add({
        service: "iam",
        operation: null,
        kind: "error-before",
        code: "AccessDenied",
        status: 403,
        times: 2,
      });
      expect(await failureOf(world.accessKeys.describe(DEPLOY, id, "x"))).toBe("Denied");
      expect(await failureOf(world.accessKeys.describe(DEPLOY, id, null))).toBe("Denied");
    });
  });

  describe("prover", () => {
    test("is refused for a fresh key until it is known, then names the user", async () => {
      const { world, cloud, clock } = setup;
      const made = await world.accessKeys.create(DEPLOY);
      expect(await world.prover.callerArn(made, "eu-west-1")).toMatchObject({ kind: "refused" });
      expect(cloud.counts.get("sts.GetCallerIdentity")).toBe(1);
      clock.advance(cloud.lags.propagationMs);
      expect(await world.prover.callerArn(made, "eu-west-1")).toEqual({
        kind: "answered",
        arn: cloud.iam.users.get(DEPLOY)?.arn,
      });
    });

    test("is refused for an inactive key and for a wrong secret", async () => {
      const { world, cloud, clock } = setup;
      const key = cloud.iam.createKey(DEPLOY);
      const wrong = { id: accessKeyId(key.id), secret: madeUp("wrong").secret };
      expect(await world.prover.callerArn(wrong, "us-east-1")).toMatchObject({ kind: "refused" });
      await world.accessKeys.setStatus(DEPLOY, accessKeyId(key.id), "inactive");
      clock.advance(cloud.lags.deactivationMs);
      expect(await world.prover.callerArn(credentialOf(key), "us-east-1")).toMatchObject({
        kind: "refused",
      });
    });

    test("throws what is no refusal, and is not sent again", async () => {
      const { world, cloud } = setup;
      const key = cloud.iam.createKey(DEPLOY);
      cloud.faults.add({
        service: "sts",
        operation: "GetCallerIdentity",
        kind: "lost-before",
        times: 1,
      });
      expect(await failureOf(world.prover.callerArn(credentialOf(key), "us-east-1"), [key.secret])).toBe("Unreachable");
      expect(cloud.counts.get("sts.GetCallerIdentity")).toBe(1);
    });
  });
}
