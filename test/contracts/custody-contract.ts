import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import type { CustodyVersion } from "../../src/rotation/observation.ts";
import { instant } from "../../src/rotation/time.ts";
import { DEPLOY, OWNER, failureOf, madeUp } from "./setup.ts";
import type { MakeSetup, WorldSetup } from "./setup.ts";
import { denied } from "../world/faults.ts";

const FIRST = madeUp("FIRST");
const SECOND = madeUp("SECOND");
const NAME = "keyturn/deploy";
const INTENT = { at: instant(Date.UTC(2026, 10, 20)), before: [accessKeyId("AKIABEFORE")] };
const THERE = { owner: OWNER, replicaRegions: [], isAbsent: false };

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
  const open = async (user = DEPLOY, replicaRegions: readonly string[] = []): Promise<CustodyVersion | null> =>
    setup.world.custody.writeIntent(user, INTENT, { owner: OWNER, replicaRegions, isAbsent: true });
  const intend = async (at: number): Promise<CustodyVersion | null> =>
    setup.world.custody.writeIntent(DEPLOY, { at: instant(at), before: [] }, THERE);
  const promoteFirst = async (): Promise<CustodyVersion> => {
    const marker = await open();
    const first = await setup.world.custody.storePending(DEPLOY, FIRST);
    await setup.world.custody.promote(DEPLOY, first, marker);
    return first;
  };
  const asRole = (operation: string, input: Readonly<Record<string, unknown>>): unknown =>
    setup.cloud.callAs(setup.cloud.role, { service: "secretsmanager", operation, input });

  describe("custody, opened", () => {
    test("is absent where there is no secret", async () => {
      expect(await setup.world.custody.read(DEPLOY)).toEqual({ kind: "absent" });
    });

    test("begins with a marker that holds the intent, as the current version, for its owner", async () => {
      const marker = await open();
      const custody = await present();
      expect(custody).toMatchObject({ owner: OWNER, current: marker, intent: INTENT });
      expect(marker?.keyId).toBeNull();
      expect([custody.pending, custody.replicasBehind]).toEqual([null, []]);
      expect(custody.previous?.keyId ?? null).toBeNull();
      expect(setup.cloud.counts.get("secretsmanager.PutSecretValue") ?? 0).toBe(0);
    });

    test("is not opened anew where it is there after all: the intent goes into what is there", async () => {
      await promoteFirst();
      const before = await present();
      expect(await open()).toBeNull();
      expect(await present()).toEqual(before);
      expect(setup.cloud.secretsManager.textOf(NAME, "KEYTURN_INTENT")).toContain("AKIABEFORE");
    });

    test("reads a marker of old, which holds no intent", async () => {
      asRole("CreateSecret", { Name: NAME, SecretString: '{"Version":1}' });
      expect(await present()).toMatchObject({ current: { keyId: null }, intent: null });
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
      for (const name of names) await open(name);
      asRole("CreateSecret", { Name: "keyturn-dev/other", SecretString: "{}" });
      asRole("CreateSecret", { Name: "unrelated", SecretString: "{}" });
      asRole("DeleteSecret", { SecretId: "keyturn/gone" });
      cloud.secretsManager.pageSize = 2;
      expect((await world.custody.users()).toSorted()).toEqual(["a", "b", "c"]);
    });
  });

  describe("custody of a replacement", () => {
    test("takes a new intent each time, and shows it while it holds no pair", async () => {
      await open();
      expect(await intend(1_000)).toBeNull();
      expect(await intend(2_000)).toBeNull();
      expect(await present()).toMatchObject({ current: { keyId: null }, intent: { at: 2_000, before: [] } });
      await setup.world.custody.storePending(DEPLOY, FIRST);
      expect((await present()).intent).toBeNull();
    });

    test("says NotFound for the intent of a secret that vanished meanwhile", async () => {
      expect(await failureOf(intend(1_000))).toBe("NotFound");
      expect(await setup.world.custody.read(DEPLOY)).toEqual({ kind: "absent" });
    });

    test("meets a key that refuses to encrypt before anything else happens", async () => {
      await open();
      const secret = setup.cloud.secretsManager.named(NAME);
      if (secret !== null) secret.kms = { read: null, write: "AccessDeniedException" };
      expect(await failureOf(intend(1_000))).toBe("Denied");
    });

    test("stores a pair as pending, in the format that credential_process reads", async () => {
      await open();
      const stored = await setup.world.custody.storePending(DEPLOY, FIRST);
      const custody = await present();
      expect(stored.keyId).toBe(FIRST.id);
      expect(custody.pending).toEqual(stored);
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
      const stored = await setup.world.custody.storePending(DEPLOY, FIRST);
      const before = await present();
      expect(await setup.world.custody.storePending(DEPLOY, FIRST)).toEqual(stored);
      expect(await present()).toEqual(before);
    });

    test("gives out the pairs it holds, and says NotFound for others", async () => {
      const { custody } = setup.world;
      const first = await promoteFirst();
      const second = await custody.storePending(DEPLOY, SECOND);
      const given = await custody.credential(DEPLOY, FIRST.id);
      expect([given.id, given.secret.reveal()]).toEqual([FIRST.id, FIRST.secret.reveal()]);
      expect((await custody.credential(DEPLOY, SECOND.id)).id).toBe(SECOND.id);
      await custody.promote(DEPLOY, second, first);
      expect((await custody.credential(DEPLOY, FIRST.id)).id).toBe(FIRST.id);
      expect(await failureOf(custody.credential(DEPLOY, accessKeyId("AKIANEVERSEEN")))).toBe("NotFound");
    });

    test("promotes: current moves, previous follows, pending is taken away", async () => {
      const first = await promoteFirst();
      expect(await present()).toMatchObject({ current: first, pending: null });
      const second = await setup.world.custody.storePending(DEPLOY, SECOND);
      await setup.world.custody.promote(DEPLOY, second, first);
      expect(await present()).toMatchObject({
        current: { keyId: SECOND.id },
        pending: null,
        previous: { keyId: FIRST.id },
      });
      expect(setup.cloud.secretsManager.textOf(NAME, "AWSPENDING")).toBeNull();
    });

    test("says Conflict and changes nothing when somebody moved the current version meanwhile", async () => {
      const { world } = setup;
      const first = await promoteFirst();
      const second = await world.custody.storePending(DEPLOY, SECOND);
      asRole("PutSecretValue", { SecretId: NAME, SecretString: '{"Version":1}' });
      expect(await failureOf(world.custody.promote(DEPLOY, second, first))).toBe("Conflict");
      expect(await present()).toMatchObject({ current: { keyId: null }, pending: second });
    });

    test("says Conflict when the pending label went to another version meanwhile", async () => {
      const { custody } = setup.world;
      const first = await promoteFirst();
      const second = await custody.storePending(DEPLOY, SECOND);
      const third = await custody.storePending(DEPLOY, madeUp("THIRD"));
      expect(await failureOf(custody.promote(DEPLOY, second, first))).toBe("Conflict");
      expect((await present()).pending).toEqual(third);
    });

    test("is promoted twice as it is once", async () => {
      const { custody } = setup.world;
      const first = await promoteFirst();
      const second = await custody.storePending(DEPLOY, SECOND);
      await custody.promote(DEPLOY, second, first);
      const before = await present();
      await custody.promote(DEPLOY, second, first);
      await custody.promote(DEPLOY, second, second);
      expect(await present()).toEqual(before);
    });

    test("moves the current label back to the pair that it replaced, which stays the previous one's", async () => {
      const { custody } = setup.world;
      const first = await promoteFirst();
      const second = await custody.storePending(DEPLOY, SECOND);
      await custody.promote(DEPLOY, second, first);
      await custody.promote(DEPLOY, first, second);
      const back = { current: first, pending: null, previous: second, isHalfPromoted: false };
      expect(await present()).toMatchObject(back);
      await custody.promote(DEPLOY, first, first);
      expect(await present()).toMatchObject(back);
    });

    test("is emptied by a marker that becomes current, and keeps the pair as the previous one's", async () => {
      const { custody } = setup.world;
      const first = await promoteFirst();
      await custody.vacate(DEPLOY, first, INTENT);
      expect(await present()).toMatchObject({ current: { keyId: null }, pending: null, intent: INTENT });
      expect(await failureOf(custody.vacate(DEPLOY, first, INTENT))).toBe("Conflict");
      expect((await custody.credential(DEPLOY, FIRST.id)).id).toBe(FIRST.id);
    });

    test("counts a pending label on the current version as none, and promoting again tidies it", async () => {
      const { world, cloud } = setup;
      const marker = await open();
      const first = await world.custody.storePending(DEPLOY, FIRST);
      const removal = cloud.faults.add({
        service: "secretsmanager",
        operation: "UpdateSecretVersionStage",
        kind: "lost-before",
        times: "forever",
        when: ({ input }) => input["VersionStage"] === "AWSPENDING",
      });
      expect(await failureOf(world.custody.promote(DEPLOY, first, marker))).toBe("Unreachable");
      expect(await present()).toMatchObject({ current: first, pending: null, isHalfPromoted: true });
      removal();
      await world.custody.promote(DEPLOY, first, marker);
      expect(await present()).toMatchObject({ isHalfPromoted: false });
      expect(cloud.secretsManager.textOf(NAME, "AWSPENDING")).toBeNull();
    });

    test("is promoted although no answer was heard, and leaves no pending label", async () => {
      const { world, cloud } = setup;
      const marker = await open();
      const first = await world.custody.storePending(DEPLOY, FIRST);
      const operation = "UpdateSecretVersionStage";
      cloud.faults.add({ service: "secretsmanager", operation, kind: "lost-after", times: "forever" });
      await world.custody.promote(DEPLOY, first, marker);
      expect(await present()).toMatchObject({ current: first, pending: null });
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
      const marker = await open(DEPLOY, ["eu-west-1"]);
      clock.advance(cloud.lags.replicaMs);
      const first = await world.custody.storePending(DEPLOY, FIRST);
      await world.custody.promote(DEPLOY, first, marker);
      expect((await present()).replicasBehind).toEqual(["eu-west-1"]);
      clock.advance(cloud.lags.replicaMs);
      expect((await present()).replicasBehind).toEqual([]);
    });
  });

  describe("custody that cannot be read", () => {
    test("is not absent when the service refuses to describe it", async () => {
      await promoteFirst();
      setup.cloud.faults.add(denied("secretsmanager", "DescribeSecret"));
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
