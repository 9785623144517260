import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NO_NOTES, spellGuard } from "../../src/rotation/exposure.ts";
import type { Exposure } from "../../src/rotation/exposure.ts";
import { accessKeyId } from "../../src/rotation/keys.ts";
import { hours, minutes, instant } from "../../src/rotation/time.ts";
import { credentialOf, DEPLOY, failureOf, OWNER } from "./setup.ts";
import type { MakeSetup, WorldSetup } from "./setup.ts";

const NAME = "keyturn/deploy";
const PLACE = { owner: OWNER, replicaRegions: [] };
const LEAKED = accessKeyId("AKIALEAKEDLEAKEDLEAK");
const mark = (by: Exposure["by"], atMs = 1_000): Exposure => ({ keyId: LEAKED, at: instant(atMs), by });
const V2 = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV2";
const V3 = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3";
const CONTEXT = { user: DEPLOY, unaskedRegions: {} };

/** What the world promises of leaked keys: marks, custody's resource policy, owners, and who read custody. */
export function exposureContract(makeSetup: MakeSetup): void {
  let setup: WorldSetup;
  beforeEach(async () => {
    setup = await makeSetup();
    setup.cloud.cloudTrail.isThrottling = false;
    setup.cloud.lags.cloudTrailMs = 0;
    setup.cloud.iam.createUser({ name: DEPLOY, tags: { keyturn: "ci" } });
  });
  afterEach(async () => setup.close());
  const marking = (...exposures: readonly Exposure[]) =>
    setup.world.custody.mark(DEPLOY, { exposures, quarantine: null }, PLACE);

  describe("a mark", () => {
    test("makes custody where there is none, for its owner, with neither a pair nor an intent", async () => {
      expect(await setup.world.custody.notes(DEPLOY)).toEqual(NO_NOTES);
      await marking(mark("health"));
      const custody = await setup.world.custody.read(DEPLOY);
      expect(custody).toMatchObject({ owner: OWNER, intent: null, notes: { exposures: [mark("health")] } });
    });

    test("stays the first one, so that a second report puts nothing off; but revoke is another word", async () => {
      await marking(mark("health"));
      await marking(mark("quarantine", 2_000));
      expect((await setup.world.custody.notes(DEPLOY)).exposures).toEqual([mark("health")]);
      await marking(mark("revoke", 3_000));
      await marking(mark("health", 4_000));
      expect((await setup.world.custody.notes(DEPLOY)).exposures).toEqual([mark("revoke", 3_000)]);
    });

    test("of a quarantine keeps when it was attached, and that it is over", async () => {
      const policies = "AWSCompromisedKeyQuarantineV2 AWSCompromisedKeyQuarantineV3";
      for (const quarantine of [
        { at: instant(5_000), policies },
        { at: instant(6_000), policies: "" },
      ]) {
        await setup.world.custody.mark(DEPLOY, { exposures: [], quarantine }, PLACE);
        expect((await setup.world.custody.notes(DEPLOY)).quarantine).toEqual(quarantine);
      }
    });

    test("can be read, and not written, of a secret that is scheduled for deletion", async () => {
      await marking(mark("health"));
      const input = { SecretId: NAME };
      setup.cloud.callAs(setup.cloud.role, { service: "secretsmanager", operation: "DeleteSecret", input });
      expect((await setup.world.custody.notes(DEPLOY)).exposures).toEqual([mark("health")]);
      expect(await failureOf(marking(mark("revoke")))).toBe("Misconfigured");
    });

    test("can be read and written where KMS refuses the pairs", async () => {
      await marking(mark("health"));
      const secret = setup.cloud.secretsManager.named(NAME);
      if (secret !== null) secret.kms = { read: "AccessDeniedException", write: "AccessDeniedException" };
      await marking(mark("revoke"));
      expect((await setup.world.custody.notes(DEPLOY)).exposures).toEqual([mark("revoke")]);
    });
  });

  describe("custody's resource policy", () => {
    const pairOf = () => setup.cloud.iam.createKey(DEPLOY);
    /** Who reads what, as one word each. */
    const readAs = (pair: { keyId: string; secret: string }, input: object = {}): string => {
      try {
        const call = { service: "secretsmanager", operation: "GetSecretValue", input: { SecretId: NAME, ...input } };
        setup.cloud.callAs(pair, call);
        return "read";
      } catch {
        return "refused";
      }
    };
    const sessionOf = (pair: { keyId: string; secret: string }, operation: string, input = {}) => {
      const answer = setup.cloud.callAs(pair, { service: "sts", operation, input });
      const made = answer["Credentials"] as Readonly<Record<string, string>>;
      return { keyId: made["AccessKeyId"] ?? "", secret: made["SecretAccessKey"] ?? "" };
    };

    test.for([true, false])("of a user that is a reader: %s", async (isReader) => {
      const key = pairOf();
      const pair = { keyId: key.id, secret: key.secret };
      const guard = { userArn: key.caller.arn, isReader };
      await marking();
      await setup.world.custody.storePending(DEPLOY, credentialOf(key));
      await setup.world.custody.guard(DEPLOY, guard);
      await setup.world.custody.guard(DEPLOY, guard);
      expect((await setup.world.custody.notes(DEPLOY)).guard).toBe(spellGuard(guard));
      const federated = sessionOf(pair, "GetFederationToken", { Name: "somebody" });
      const may = isReader ? "read" : "refused";
      expect({
        current: readAs(pair),
        named: readAs(pair, { VersionStage: "AWSCURRENT" }),
        pending: readAs(pair, { VersionStage: "AWSPENDING" }),
        session: readAs(sessionOf(pair, "GetSessionToken")),
        federated: readAs(federated),
        us: readAs(setup.cloud.role, { VersionStage: "AWSPENDING" }),
      }).toEqual({
        current: may,
        named: may,
        pending: "refused",
        session: "refused",
        federated: "refused",
        us: "read",
      });
    });
  });

  test("a key has an owner, or nobody", async () => {
    const key = setup.cloud.iam.createKey(DEPLOY);
    expect(await setup.world.accessKeys.ownerOf(accessKeyId(key.id))).toBe(DEPLOY);
    expect(await setup.world.accessKeys.ownerOf(LEAKED)).toBeNull();
    const fault = {
      service: "iam",
      operation: "GetAccessKeyLastUsed",
      kind: "error-before",
      times: "forever",
    } as const;
    setup.cloud.faults.add({ ...fault, code: "AccessDenied", status: 403 });
    expect(await failureOf(setup.world.accessKeys.ownerOf(LEAKED))).toBe("Denied");
  });

  test("the listing names the quarantine policies of a user", async () => {
    const user = setup.cloud.iam.users.get(DEPLOY);
    const quarantines = async () => (await setup.world.directory.tagged())[0]?.quarantines;
    expect(await quarantines()).toEqual([]);
    user?.attached.push(V3, "arn:aws:iam::aws:policy/IAMFullAccess", `arn:aws:iam::${setup.cloud.account}:policy/mine`);
    expect(await quarantines()).toEqual(["AWSCompromisedKeyQuarantineV3"]);
  });

  describe("the evidence", () => {
    const asked = async (fromMs: number, keyId: string) => {
      await setup.world.identity.read();
      const question = { source: "reads", keyId: accessKeyId(keyId), from: instant(fromMs) } as const;
      const answer = await setup.world.evidence.answer(question, CONTEXT);
      return answer.source === "reads" ? answer.reads.verdict : answer.source;
    };
    const reading = (SecretId: string) => ({
      service: "secretsmanager",
      operation: "GetSecretValue",
      input: { SecretId },
    });

    test("tells of a read of custody by the key since then, and of no other secret's, nor an earlier one", async () => {
      const { cloud, clock } = setup;
      const key = cloud.iam.createKey(DEPLOY);
      const pair = { keyId: key.id, secret: key.secret };
      for (const Name of [NAME, "other"]) {
        const input = { Name, SecretString: "{}" };
        cloud.callAs(cloud.role, { service: "secretsmanager", operation: "CreateSecret", input });
      }
      cloud.callAs(pair, reading(NAME));
      clock.advance(hours(1));
      cloud.callAs(pair, reading("other"));
      expect(await asked(clock.now() - hours(0.5), key.id)).toBe("none");
      expect(await asked(clock.now() - hours(2), key.id)).toBe("read");
    });

    test("tells when a quarantine policy was attached to the user, or that nothing tells", async () => {
      const { cloud, clock } = setup;
      const attachedAt = async (...policies: readonly string[]) => {
        await setup.world.identity.read();
        const from = instant(clock.now() - hours(24));
        return setup.world.evidence.answer({ source: "quarantine", policies, from }, CONTEXT);
      };
      const both = [V2, V3].map((arn) => arn.slice(arn.lastIndexOf("/") + 1));
      const [v2 = ""] = both;
      expect(await attachedAt(...both)).toEqual({ source: "quarantine", attachedAt: null });
      cloud.iam.createUser({ name: "another" });
      const change = (operation: "AttachUserPolicy" | "DetachUserPolicy", UserName: string, PolicyArn: string) =>
        cloud.callAs(cloud.role, { service: "iam", operation, input: { UserName, PolicyArn } });
      const second = (): number => Math.floor(clock.now() / 1_000) * 1_000;
      const [first] = [second(), change("AttachUserPolicy", DEPLOY, V2)];
      clock.advance(minutes(1));
      for (const user of [DEPLOY, "another"]) change("AttachUserPolicy", user, V3);
      const last = second();
      expect(await attachedAt(...both)).toEqual({ source: "quarantine", attachedAt: last });
      expect(await attachedAt(v2)).toEqual({ source: "quarantine", attachedAt: first });

      clock.advance(minutes(1));
      change("DetachUserPolicy", "another", V3);
      change("DetachUserPolicy", DEPLOY, V2);
      expect(await attachedAt(...both)).toEqual({ source: "quarantine", attachedAt: last });
      change("DetachUserPolicy", DEPLOY, V3);
      expect(await attachedAt(...both)).toEqual({ source: "quarantine", attachedAt: null });
    });
  });
}
