import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import { instant } from "../../src/rotation/time.ts";
import { DEPLOY, OWNER, failureOf, madeUp } from "./setup.ts";
import type { MakeSetup, WorldSetup } from "./setup.ts";

const FIRST = madeUp("FIRST");
const SECOND = madeUp("SECOND");
const NAME = "keyturn/deploy";

/** What `Custodian` promises, of the default stage. */
export function custodyContract(makeSetup: MakeSetup): void {
  let setup: WorldSetup;
  beforeEach(async () => {
    setup = await makeSetup();
  });
  afterEach(async () => setup.close());

  const present = async () => {
    const custody = await setup.world.custody.read(DEPLOY);
    if (custody.kind === "absent") throw new Error("custody is absent");
    return custody;
  };
  const open = async (): Promise<void> => setup.world.custody.ensure(DEPLOY, OWNER, []);
  const promoteFirst = async (): Promise<void> => {
    await open();
    await setup.world.custody.storePending(DEPLOY, FIRST);
    await setup.world.custody.promote(DEPLOY, FIRST.id);
  };
  const asRole = (operation: string, input: Readonly<Record<string, unknown>>): unknown =>
    setup.cloud.callAs(setup.cloud.role, { service: "secretsmanager", operation, input });

  describe("custody, opened", () => {
    test("is absent where there is no secret", async () => {
      expect(await setup.world.custody.read(DEPLOY)).toEqual({ kind: "absent" });
    });

    test("begins with a marker as the current version, for its owner", async () => {
      await open();
      const custody = await present();
      expect(custody.owner).toEqual(OWNER);
      expect(custody.current?.keyId).toBeNull();
      expect([custody.pending, custody.intent, custody.replicasBehind]).toEqual([null, null, []]);
      expect(custody.previous?.keyId ?? null).toBeNull();
      expect(setup.cloud.secretsManager.textOf(NAME, "AWSCURRENT")).toBe('{"Version":1}');
    });

    test("is opened twice as it is once", async () => {
      await promoteFirst();
      const before = await present();
      await open();
      expect(await present()).toEqual(before);
    });

    test("knows the pairs of the keys it is told without opening them", async () => {
      await promoteFirst();
      await setup.world.custody.storePending(DEPLOY, SECOND);
      const whole = await present();
      setup.cloud.counts.clear();
      expect(await setup.world.custody.read(DEPLOY, [FIRST.id, SECOND.id])).toEqual(whole);
      expect(setup.cloud.counts.get("secretsmanager.GetSecretValue") ?? 0).toBe(0);
    });

    test("opens the pair of a key that it is not told", async () => {
      await promoteFirst();
      const custody = await setup.world.custody.read(DEPLOY, [SECOND.id]);
      expect(custody).toMatchObject({ current: { keyId: FIRST.id } });
    });

    test("has no owner where the tags do not say", async () => {
      await open();
      asRole("UntagResource", { SecretId: NAME, TagKeys: ["keyturn:user-id"] });
      expect((await present()).owner).toBeNull();
    });

    test("lists its users over all pages, without those scheduled for deletion or of other stages", async () => {
      const { world, cloud } = setup;
      const names = ["a", "b", "c", "gone"].map(userName);
      for (const name of names) await world.custody.ensure(name, OWNER, []);
      asRole("CreateSecret", { Name: "keyturn-dev/other", SecretString: "{}" });
      asRole("CreateSecret", { Name: "unrelated", SecretString: "{}" });
      asRole("DeleteSecret", { SecretId: "keyturn/gone" });
      cloud.secretsManager.pageSize = 2;
      expect((await world.custody.users()).toSorted()).toEqual(["a", "b", "c"]);
    });
  });

  describe("custody of a replacement", () => {
    test("keeps an intent that can be read back while it holds no pair", async () => {
      await open();
      const intent = { at: instant(setup.clock.now()), before: [FIRST.id] };
      await setup.world.custody.writeIntent(DEPLOY, intent);
      const custody = await present();
      expect(custody.intent).toEqual(intent);
      expect(custody.current?.keyId).toBeNull();
    });

    test("takes a new intent each time", async () => {
      await open();
      const { custody } = setup.world;
      await custody.writeIntent(DEPLOY, { at: instant(1_000), before: [] });
      await custody.writeIntent(DEPLOY, { at: instant(2_000), before: [] });
      expect((await present()).intent?.at).toBe(2_000);
    });

    test("meets a key that refuses to encrypt before anything else happens", async () => {
      await open();
      const secret = setup.cloud.secretsManager.named(NAME);
      if (secret !== null) secret.kms = { read: null, write: "AccessDeniedException" };
      expect(await failureOf(setup.world.custody.writeIntent(DEPLOY, { at: instant(1), before: [] }))).toBe("Denied");
    });

    test("meets a key that refuses to decrypt by reading the intent back", async () => {
      await open();
      const secret = setup.cloud.secretsManager.named(NAME);
      if (secret !== null) secret.kms = { read: "AccessDeniedException", write: null };
      expect(await failureOf(setup.world.custody.writeIntent(DEPLOY, { at: instant(1), before: [] }))).toBe("Denied");
    });

    test("stores a pair as pending, in the format that credential_process reads", async () => {
      await open();
      await setup.world.custody.storePending(DEPLOY, FIRST);
      const custody = await present();
      expect(custody.pending?.keyId).toBe(FIRST.id);
      expect(custody.current?.keyId).toBeNull();
      const text = setup.cloud.secretsManager.textOf(NAME, "AWSPENDING");
      expect(JSON.parse(text ?? "")).toEqual({
        Version: 1,
        AccessKeyId: FIRST.id,
        SecretAccessKey: FIRST.secret.reveal(),
      });
    });

    test("stores a pair twice as it does once", async () => {
      await open();
      await setup.world.custody.storePending(DEPLOY, FIRST);
      const before = await present();
      await setup.world.custody.storePending(DEPLOY, FIRST);
      expect(await present()).toEqual(before);
    });

    test("gives out the pairs it holds, and says NotFound for others", async () => {
      const { custody } = setup.world;
      await promoteFirst();
      await custody.storePending(DEPLOY, SECOND);
      const given = await custody.credential(DEPLOY, FIRST.id);
      expect([given.id, given.secret.reveal()]).toEqual([FIRST.id, FIRST.secret.reveal()]);
      expect((await custody.credential(DEPLOY, SECOND.id)).id).toBe(SECOND.id);
      await custody.promote(DEPLOY, SECOND.id);
      expect((await custody.credential(DEPLOY, FIRST.id)).id).toBe(FIRST.id);
      expect(await failureOf(custody.credential(DEPLOY, accessKeyId("AKIANEVERSEEN")))).toBe("NotFound");
    });

    test("promotes: current moves, previous follows, pending is taken away", async () => {
      await promoteFirst();
      expect(await present()).toMatchObject({ current: { keyId: FIRST.id }, pending: null });
      await setup.world.custody.storePending(DEPLOY, SECOND);
      await setup.world.custody.promote(DEPLOY, SECOND.id);
      expect(await present()).toMatchObject({
        current: { keyId: SECOND.id },
        pending: null,
        previous: { keyId: FIRST.id },
      });
      expect(setup.cloud.secretsManager.textOf(NAME, "AWSPENDING")).toBeNull();
    });

    test("says Conflict and changes nothing when somebody moved the current version meanwhile", async () => {
      const { world, cloud } = setup;
      await promoteFirst();
      await world.custody.storePending(DEPLOY, SECOND);
      let isDone = false;
      const stop = cloud.onCall(({ operation }) => {
        if (operation !== "UpdateSecretVersionStage" || isDone) return;
        isDone = true;
        asRole("PutSecretValue", { SecretId: NAME, SecretString: '{"Version":1}' });
      });
      expect(await failureOf(world.custody.promote(DEPLOY, SECOND.id))).toBe("Conflict");
      stop();
      expect(await present()).toMatchObject({
        current: { keyId: null },
        pending: { keyId: SECOND.id },
      });
    });

    test("says Conflict when the key is no longer pending, and succeeds when it is current already", async () => {
      await promoteFirst();
      await setup.world.custody.promote(DEPLOY, FIRST.id);
      expect(await failureOf(setup.world.custody.promote(DEPLOY, SECOND.id))).toBe("Conflict");
      expect((await present()).current?.keyId).toBe(FIRST.id);
    });

    test("counts a pending label on the current version as none, and promoting again tidies it", async () => {
      const { world, cloud } = setup;
      await open();
      await world.custody.storePending(DEPLOY, FIRST);
      const removal = cloud.faults.add({
        service: "secretsmanager",
        operation: "UpdateSecretVersionStage",
        kind: "lost-before",
        times: "forever",
        when: ({ input }) => input["VersionStage"] === "AWSPENDING",
      });
      expect(await failureOf(world.custody.promote(DEPLOY, FIRST.id))).toBe("Unreachable");
      expect(await present()).toMatchObject({ current: { keyId: FIRST.id }, pending: null });
      removal();
      await world.custody.promote(DEPLOY, FIRST.id);
      expect(cloud.secretsManager.textOf(NAME, "AWSPENDING")).toBeNull();
    });

    test("withdraws what is pending, twice as once, and nothing else", async () => {
      const { custody } = setup.world;
      await open();
      await custody.storePending(DEPLOY, FIRST);
      await custody.withdrawPending(DEPLOY, SECOND.id);
      expect((await present()).pending?.keyId).toBe(FIRST.id);
      await custody.withdrawPending(DEPLOY, FIRST.id);
      await custody.withdrawPending(DEPLOY, FIRST.id);
      expect((await present()).pending).toBeNull();
    });

    test("names the replica Regions that do not show the current version yet", async () => {
      const { world, cloud, clock } = setup;
      await world.custody.ensure(DEPLOY, OWNER, ["eu-west-1"]);
      clock.advance(cloud.lags.replicaMs);
      await world.custody.storePending(DEPLOY, FIRST);
      await world.custody.promote(DEPLOY, FIRST.id);
      expect((await present()).replicasBehind).toEqual(["eu-west-1"]);
      clock.advance(cloud.lags.replicaMs);
      expect((await present()).replicasBehind).toEqual([]);
    });
  });

  describe("custody that cannot be read", () => {
    test("is not absent when the service refuses to describe it", async () => {
      await promoteFirst();
      setup.cloud.faults.add({
        service: "secretsmanager",
        operation: "DescribeSecret",
        kind: "error-before",
        code: "AccessDeniedException",
        times: "forever",
      });
      expect(await failureOf(setup.world.custody.read(DEPLOY))).toBe("Denied");
    });

    test.for(["AccessDeniedException", "DecryptionFailure"] as const)("throws when its key says %s", async (read) => {
      await promoteFirst();
      const secret = setup.cloud.secretsManager.named(NAME);
      if (secret !== null) secret.kms = { read, write: null };
      expect(await failureOf(setup.world.custody.read(DEPLOY), [FIRST.secret.reveal()])).toBe("Denied");
    });

    test("throws when it is scheduled for deletion", async () => {
      await promoteFirst();
      asRole("DeleteSecret", { SecretId: NAME });
      expect(await failureOf(setup.world.custody.read(DEPLOY))).toBe("Misconfigured");
    });

    test.for(["not json", "[]", '{"Version":2}', '{"Version":1,"AccessKeyId":"AKIAX"}'])(
      "throws when the current version is %s, without quoting it",
      async (text) => {
        await open();
        asRole("PutSecretValue", { SecretId: NAME, SecretString: text });
        expect(await failureOf(setup.world.custody.read(DEPLOY), [text])).toBe("Misconfigured");
      },
    );
  });
}
