import { describe, expect, test } from "vitest";
import { forget, release } from "../../src/act/operator/release.ts";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import type { Installation } from "../world/installation.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import { aCaller, aSystem, custodyOf, DEPLOY, handMade, lastOf, ofKey, person, toldOf } from "../world/system.ts";
import type { System } from "../world/system.ts";

const SECRET = `keyturn/${DEPLOY}`;

/** A person with rights on custody moves AWSCURRENT to the version that is previous. */
function moveBack({ cloud }: Installation): void {
  const ask = (operation: string, input: object) =>
    cloud.callAs(cloud.role, { service: "secretsmanager", operation, input: { SecretId: SECRET, ...input } });
  const versions = Object.entries(ask("DescribeSecret", {})["VersionIdsToStages"] as Record<string, string[]>);
  const holder = (label: string) => versions.find(([, labels]) => labels.includes(label))?.[0];
  ask("UpdateSecretVersionStage", {
    VersionStage: "AWSCURRENT",
    MoveToVersionId: holder("AWSPREVIOUS"),
    RemoveFromVersionId: holder("AWSCURRENT"),
  });
}

const untilInactive = async ({ here, first, work }: System): Promise<void> =>
  here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(13), work);

describe("a key that a destination visibly holds", () => {
  test("is not deleted in a second soak, when rule 1 has had its turn", async () => {
    const system = await aSystem();
    const { here, first, worker, work } = system;
    await untilInactive(system);
    worker.rollBackTo("v1");
    await here.passUntil(() => ofKey(here, first.keyId) === "Active", days(1));
    worker.rollBackTo("v2");
    await here.pass(days(2), work);
    await release(here.run(), { user: userName(DEPLOY), keyId: accessKeyId(first.keyId) });
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(20), work);
    worker.rollBackTo("v1");
    worker.blockedBecause = "the newest version is not the live one";
    const results = await here.pass(days(10));
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    expect(lastOf(results.at(-1))).toBe("delete hold DestinationHoldsOldKey held");
  });

  test("is not deleted because a person disabled it", async () => {
    const { here, first, worker, work } = await aSystem();
    await here.pass(days(2), work);
    worker.rollBackTo("v1");
    worker.blockedBecause = "the newest version is not the live one";
    person(here).setStatus(first.keyId, "Inactive");
    const results = await here.pass(days(9));
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    expect(lastOf(results.at(-1))).toBe("delete hold DestinationHoldsOldKey held");
  });

  test("is not deleted although the destination left the profile in the soak", async () => {
    const system = await aSystem();
    const { here, first } = system;
    await untilInactive(system);
    here.destinations = { ci: [] };
    const results = await here.pass(days(9));
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    expect(lastOf(results.at(-1))).toBe("delete hold FormerDestination held");
  });
});

describe("two hand-made keys", () => {
  test("the idle one makes room, although no delivery to the Worker is on record to compare with", async () => {
    const { here, first, work } = await aSystem();
    const idle = handMade(here, days(400));
    await here.passUntil(() => ofKey(here, idle.keyId) === "gone", days(40), work);
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(25), work);
    expect(here.keysOf(DEPLOY)).toHaveLength(1);
  });

  test("a key that Keyturn once delivered is none of them, though custody was lost", async () => {
    const { here, first, calls } = await aSystem();
    const cron = aCaller(here, () => first, "cron");
    await here.sweep();
    const second = custodyOf(here) ?? "";
    let hour = 0;
    const daily = (): void => {
      hour += 1;
      if (hour % 24 === 0) cron.work();
    };
    await here.pass(days(93), daily);
    const input = { SecretId: SECRET, ForceDeleteWithoutRecovery: true };
    here.cloud.callAs(here.cloud.role, { service: "secretsmanager", operation: "DeleteSecret", input });
    const results = await here.pass(days(3), daily);
    expect(ofKey(here, second)).toBe("Active");
    expect(lastOf(results.at(-1))).toBe("make-room hold TwoHandMadeKeys held");
    calls.work();
    expect(calls.failures()).toEqual([]);
  });
});

describe("custody whose label a person moved back", () => {
  /** Second rotation: the third pair is current, and nobody called for ten days. */
  const rotatedTwice = async () => {
    const system = await aSystem();
    const { here } = system;
    here.destinations = {};
    let held = system.first;
    const app = aCaller(here, () => held, "app");
    const read = (): void => {
      const text = here.cloud.secretsManager.textOf(SECRET, "AWSCURRENT") ?? "{}";
      const { AccessKeyId, SecretAccessKey } = JSON.parse(text) as Record<string, string | undefined>;
      if (AccessKeyId !== undefined) held = { keyId: AccessKeyId, secret: SecretAccessKey ?? "" };
    };
    const work = (): void => {
      read();
      app.work();
    };
    await here.passUntil(() => custodyOf(here) !== null, days(2), work);
    const second = custodyOf(here) ?? "";
    await here.passUntil(() => custodyOf(here) !== second, days(90), work);
    return { here, second, third: custodyOf(here) ?? "", read, app };
  };

  test("starts the silence of the other key anew: who took that pair has ten days", async () => {
    const { here, third, read, app } = await rotatedTwice();
    await here.pass(days(10) + hours(2));
    read();
    here.clock.advance(minutes(10));
    moveBack(here);
    await here.pass(days(9));
    app.work();
    expect(ofKey(here, third)).toBe("Active");
    expect(app.failures()).toEqual([]);
  });

  test("gives back the key that readers are sent to, when Keyturn had deactivated it", async () => {
    const { here, second, read, app } = await rotatedTwice();
    await here.passUntil(
      () => ofKey(here, second) === "Inactive",
      days(15),
      () => {
        read();
        app.work();
      },
    );
    moveBack(here);
    await here.pass(hours(1));
    expect(ofKey(here, second)).toBe("Active");
    expect(toldOf(here)).toContain("KeyReactivated");
  });
});

describe("a key that a person disabled", () => {
  test("is not given back, though Keyturn had deactivated it before and somebody undone that", async () => {
    const system = await aSystem();
    const { here, first, worker } = system;
    await untilInactive(system);
    here.clock.advance(minutes(10));
    person(here).setStatus(first.keyId, "Active");
    here.clock.advance(minutes(5));
    person(here).setStatus(first.keyId, "Inactive");
    worker.rollBackTo("v1");
    here.clock.advance(minutes(20));
    await here.pass(days(1));
    expect(ofKey(here, first.keyId)).toBe("Inactive");
  });

  test("is not deleted while nobody was seen to use the replacement", async () => {
    const { here, first } = await aSystem();
    await here.pass(days(1));
    person(here).setStatus(first.keyId, "Inactive");
    const results = await here.pass(days(9));
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    expect(lastOf(results.at(-1))).toBe("delete hold NotAdopted held");
  });
});

test("a destination that is blocked does not keep the next one from its pair", async () => {
  const { here, first, worker, work } = await aSystem();
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(30), work);
  const blocked = memoryDestination("cloudflare-worker:b", first);
  blocked.blockedBecause = "a gradual deployment is under way";
  const next = memoryDestination("cloudflare-worker:c", first);
  here.destinations = { ci: [worker, blocked, next] };
  await here.pass(hours(3), work);
  expect(next.deliveries).toHaveLength(1);
  expect(toldOf(here)).toContain("DestinationBlocked");
});

test("a user that moves out of the profile's path in the middle of a sweep is left alone", async () => {
  const { here } = await aSystem({ profile: { users: ["/svc/"] } });
  const user = here.cloud.iam.users.get(DEPLOY) as { path: string } | undefined;
  if (user !== undefined) user.path = "/svc/";
  here.bend = (world) => ({
    ...world,
    directory: {
      ...world.directory,
      tagged: async () => {
        const users = await world.directory.tagged();
        here.clock.advance(minutes(2));
        if (user !== undefined) user.path = "/other/";
        return users;
      },
    },
  });
  await here.sweep();
  expect(here.keysOf(DEPLOY)).toHaveLength(1);
});

test("a deactivation whose process died right after is told by the next sweep, once", async () => {
  let isDying = true;
  const system = await aSystem({
    bend: (world) => ({
      ...world,
      accessKeys: {
        ...world.accessKeys,
        setStatus: async (user, id, status) => {
          await world.accessKeys.setStatus(user, id, status);
          if (!isDying) return;
          isDying = false;
          throw new Error("the process died");
        },
      },
    }),
  });
  await untilInactive(system);
  await system.here.pass(days(6), system.work);
  expect(system.here.notices.filter(({ code }) => code === "KeyDeactivated")).toHaveLength(1);
});

test("a destination that is gone for good is forgotten by an operator's word, and only then", async () => {
  const { here, first, worker, work } = await aSystem();
  const old = memoryDestination("cloudflare-worker:b", first);
  here.destinations = { ci: [worker, old] };
  await here.pass(days(2), work);
  const word = { user: userName(DEPLOY), destination: old.name };
  const run = () => forget(here.run(), { ...word, configured: here.destinations["ci"]?.map(({ name }) => name) ?? [] });
  await expect(run()).rejects.toThrow("forgetting cloudflare-worker:b of deploy, the profile still delivers to it");
  here.destinations = { ci: [worker] };
  const results = await here.pass(days(20), work);
  expect(lastOf(results.at(-1))).toBe("retire hold FormerDestination held");
  const misspelt = forget(here.run(), { ...word, destination: "cloudflare-worker:bb", configured: [] });
  await expect(misspelt).rejects.toThrow(
    `forgetting cloudflare-worker:bb of deploy, nothing was ever delivered there: only to ${worker.name}, ${old.name}`,
  );
  const stranger = forget(here.run(), { ...word, user: userName("nobody"), configured: [] });
  await expect(stranger).rejects.toThrow(
    `forgetting ${old.name} of nobody, nothing was ever done for a user of that name: see status`,
  );
  await run();
  await here.pass(hours(1), work);
  expect(ofKey(here, first.keyId)).toBe("Inactive");
});

test("a deactivation that IAM refuses leaves nothing behind: the next sweep tries again", async () => {
  const { here, first, work } = await aSystem();
  here.cloud.faults.add({
    service: "iam",
    operation: "UpdateAccessKey",
    kind: "error-before",
    code: "AccessDenied",
    times: 1,
  });
  await here.passUntil(() => here.cloud.counts.get("iam.UpdateAccessKey") === 1, days(13), work);
  expect(ofKey(here, first.keyId)).toBe("Active");
  await here.pass(hours(1), work);
  expect(ofKey(here, first.keyId)).toBe("Inactive");
});
