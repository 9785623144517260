import { describe, expect, test } from "vitest";
import { days, hours, minutes, seconds } from "../../src/rotation/time.ts";
import type { World } from "../../src/rotation/world.ts";
import type { CloudCall } from "../world/call.ts";
import type { DirectWorld } from "../world/direct/world.ts";
import {
  aSystem,
  custodyOf,
  DEPLOY,
  doneIn,
  dyingWorld,
  handMade,
  lastOf,
  ofKey,
  person,
  toldOf,
} from "../world/system.ts";
import type { System } from "../world/system.ts";
import { denied } from "../world/faults.ts";

const isPendingPut = ({ input }: CloudCall): boolean => JSON.stringify(input["VersionStages"]) === '["AWSPENDING"]';

/** The keys of the user beside the first: those that a failed creation left, or a good one made. */
const others = ({ here, first }: System): string[] =>
  here.cloud.iam
    .keysOf(DEPLOY)
    .map(({ id }) => id)
    .filter((id) => id !== first.keyId);

/** Passes until the orphan was deleted, and tells after how long. */
async function untilGone(system: System, orphan: string): Promise<number> {
  const { here, work } = system;
  const from = here.clock.now();
  await here.passUntil(() => ofKey(here, orphan) === "gone", days(2), work);
  return here.clock.now() - from;
}

describe("a creation of which the answer is lost", () => {
  test("leaves an orphan that CloudTrail proves ours: it is removed, and the rotation succeeds", async () => {
    const system = await aSystem();
    const { here, first, worker, calls, work } = system;
    here.cloud.faults.add({
      service: "iam",
      operation: "CreateAccessKey",
      kind: "lost-after",
      times: 1,
    });
    const failed = await here.sweep();
    expect(lastOf(failed)).toBe("create create-replacement KeyDue failed");
    const [orphan = ""] = others(system);
    expect(await untilGone(system, orphan)).toBe(hours(5));
    await here.passUntil(() => custodyOf(here) !== null, hours(3), work);
    expect(others(system)).toEqual([custodyOf(here)]);
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(ofKey(here, first.keyId)).toBe("Active");
    expect(calls.failures()).toEqual([]);
  });

  test("and had no effect is simply tried again at the next sweep", async () => {
    const { here, work } = await aSystem();
    here.cloud.faults.add({
      service: "iam",
      operation: "CreateAccessKey",
      kind: "lost-before",
      times: 1,
    });
    const [failed, next] = await here.pass(hours(2), work);
    expect(lastOf(failed)).toBe("create create-replacement KeyDue failed");
    expect(doneIn(next)).toEqual(["create-replacement", "prove", "deliver", "promote"]);
    expect(here.cloud.counts.get("iam.CreateAccessKey")).toBe(2);
  });
});

describe("a process that dies between CreateAccessKey and PutSecretValue", () => {
  test("leaves an orphan: it is removed after 4 h 15 min, an hour later the rotation succeeds", async () => {
    let isDead = false;
    const dies = (world: DirectWorld): World => {
      const mortal = dyingWorld(world, () => isDead);
      const create: World["accessKeys"]["create"] = async (user) => {
        const made = await world.accessKeys.create(user);
        isDead = true;
        return made;
      };
      return { ...mortal, accessKeys: { ...world.accessKeys, create } };
    };
    const system = await aSystem({ bend: dies });
    const { here, work, calls, worker } = system;
    await here.sweep();
    here.bend = null;
    const [orphan = ""] = others(system);
    expect(ofKey(here, orphan)).toBe("Active");
    expect(custodyOf(here, "AWSPENDING")).toBeNull();
    const [afterOne] = await here.pass(hours(1), work);
    expect(lastOf(afterOne)).toBe("orphan hold OrphanTooYoung held");
    const [, , , afterFive] = await here.pass(hours(4), work);
    expect(doneIn(afterFive)).toEqual(["delete"]);
    expect(lastOf(afterFive)).toBe("create hold WaitingAfterOrphan held");
    const [afterSix] = await here.pass(hours(1), work);
    expect(doneIn(afterSix)).toEqual(["create-replacement", "prove", "deliver", "promote"]);
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(calls.failures()).toEqual([]);
  });
});

test("an orphan made in the very second in which the journal was begun is removed: IAM's dates have no milliseconds", async () => {
  const system = await aSystem();
  const { here } = system;
  here.clock.advance(700);
  here.cloud.faults.add({ service: "iam", operation: "CreateAccessKey", kind: "lost-after", times: 1 });
  await here.sweep();
  const [orphan = ""] = others(system);
  await untilGone(system, orphan);
  await here.passUntil(() => custodyOf(here) !== null, hours(3));
  expect(others(system)).toEqual([custodyOf(here)]);
});

test("an intent whose promotion was not written down is over all the same, and the user comes to rest", async () => {
  const system = await aSystem();
  const { here, first, work } = system;
  let isDead = false;
  here.bend = (world) => dyingWorld(world, () => isDead);
  const stop = here.cloud.onCall(({ operation, input }) => {
    isDead = isDead || (operation === "UpdateSecretVersionStage" && input["VersionStage"] === "AWSPENDING");
  });
  await here.sweep();
  stop();
  here.bend = null;
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
  const results = await here.pass(days(1), work);
  expect(results.at(-1)?.resting).toBe(1);
});

describe("a PutSecretValue that is refused", () => {
  const refuse = ({ here }: System): (() => void) =>
    here.cloud.faults.add({ ...denied("secretsmanager", "PutSecretValue"), when: isPendingPut });

  test("S8: creates, loses and deletes with waits of 1 h, 4 h and 1 d between, and says so", async () => {
    const system = await aSystem();
    const { here, work } = system;
    const mend = refuse(system);
    const madeAt: number[] = [];
    here.cloud.onCall(({ operation }) => {
      if (operation === "CreateAccessKey") madeAt.push(here.clock.now());
    });
    await here.pass(days(5), work);
    const gaps = madeAt.slice(1).map((at, index) => Math.round((at - (madeAt[index] ?? 0)) / hours(1)));
    // Each orphan lives for 5 hours, until the first sweep after 4 h 15 min.
    expect(gaps.slice(0, 4)).toEqual([6, 9, 29, 29]);
    expect(toldOf(here)).toContain("WaitingAfterOrphan");
    mend();
    await here.passUntil(() => custodyOf(here) !== null, days(2), work);
    expect(others(system)).toEqual([custodyOf(here)]);
    expect(system.calls.failures()).toEqual([]);
  });

  test("is recognised by the journal's answer, when CloudTrail knows nothing", async () => {
    const system = await aSystem();
    const { here, work } = system;
    here.cloud.lags.cloudTrailMs = days(80);
    const mend = refuse(system);
    await here.sweep();
    mend();
    const [orphan = ""] = others(system);
    expect(await untilGone(system, orphan)).toBe(hours(5));
    await here.passUntil(() => custodyOf(here) !== null, hours(3), work);
  });

  test("of a used key is held and named: somebody has its secret after all", async () => {
    const system = await aSystem();
    const { here, work } = system;
    const mend = refuse(system);
    await here.sweep();
    mend();
    const [orphan = ""] = others(system);
    here.clock.advance(minutes(1));
    const { secret } = here.cloud.iam.keys.get(orphan) ?? { secret: "" };
    here.cloud.callAs({ keyId: orphan, secret }, { service: "lambda", operation: "Invoke" });
    const results = await here.pass(days(2), work);
    expect(lastOf(results.at(-1))).toBe("orphan hold OrphanUnproved held");
    expect(ofKey(here, orphan)).toBe("Active");
  });

  test("stays held when last-used forgets the use that it once showed", async () => {
    const system = await aSystem();
    const { here, work } = system;
    const mend = refuse(system);
    await here.sweep();
    mend();
    const [orphan = ""] = others(system);
    here.clock.advance(minutes(1));
    const { secret } = here.cloud.iam.keys.get(orphan) ?? { secret: "" };
    here.cloud.callAs({ keyId: orphan, secret }, { service: "lambda", operation: "Invoke" });
    await here.pass(hours(6), work);
    const key = here.cloud.iam.keys.get(orphan);
    if (key !== undefined) key.uses = [];
    const results = await here.pass(hours(6), work);
    expect(lastOf(results.at(-1))).toBe("orphan hold OrphanUnproved held");
  });
});

test("S8: a KMS key that does not encrypt is met before any key exists", async () => {
  const { here, work } = await aSystem({ ageMs: days(70) });
  // Custody is made by hand, with a KMS key that allows Decrypt and no GenerateDataKey.
  here.cloud.callAs(here.cloud.role, {
    service: "secretsmanager",
    operation: "CreateSecret",
    input: { Name: `keyturn/${DEPLOY}`, SecretString: '{"Version":1}' },
  });
  const secret = here.cloud.secretsManager.named(`keyturn/${DEPLOY}`);
  if (secret !== null) secret.kms = { read: null, write: "AccessDeniedException" };
  const results = await here.pass(days(8), work);
  expect(lastOf(results.at(-1))).toBe("create create-replacement KeyDue failed");
  expect(here.cloud.counts.get("iam.CreateAccessKey")).toBeUndefined();
  expect(toldOf(here)).toContain("StepFailed");
});

describe("B2: a key that a person makes about when ours was to be made", () => {
  test("B2: after a creation that was refused it is the person's, and stays", async () => {
    const { here, work } = await aSystem();
    here.cloud.faults.add({
      service: "iam",
      operation: "CreateAccessKey",
      kind: "error-before",
      code: "AccessDenied",
      status: 403,
      times: 1,
    });
    await here.sweep();
    here.clock.advance(minutes(30));
    const theirs = person(here).createKey();
    here.clock.advance(minutes(25));
    here.cloud.callAs(theirs, { service: "lambda", operation: "Invoke" });
    const results = await here.pass(days(20), work);
    expect(ofKey(here, theirs.keyId)).toBe("Active");
    expect(lastOf(results.at(-1))).toBe("make-room hold TwoHandMadeKeys held");
    expect(toldOf(here)).toContain("TwoHandMadeKeys");
  });

  test.for([
    ["CloudTrail names the person", minutes(15), "make-room hold TwoHandMadeKeys held"],
    ["CloudTrail never got the event", days(400), "orphan hold OrphanUnproved held"],
  ] as const)("B2: made within the intent, it is never deleted when %s", async ([, lagMs, last]) => {
    const { here, work } = await aSystem();
    here.cloud.lags.cloudTrailMs = lagMs;
    // The answer is lost, so the intent stays open; nothing was made.
    here.cloud.faults.add({
      service: "iam",
      operation: "CreateAccessKey",
      kind: "lost-before",
      times: 1,
    });
    await here.sweep();
    here.clock.advance(minutes(10));
    const theirs = person(here).createKey();
    const results = await here.pass(days(20), work);
    expect(ofKey(here, theirs.keyId)).toBe("Active");
    expect(lastOf(results.at(-1))).toBe(last);
  });

  test("B2: an open intent is void after 15 minutes: a key made a month later is no suspect", async () => {
    const { here, work } = await aSystem();
    here.cloud.lags.cloudTrailMs = days(400);
    here.cloud.faults.add({
      service: "iam",
      operation: "CreateAccessKey",
      kind: "lost-before",
      times: 1,
    });
    await here.sweep();
    here.clock.advance(minutes(15) + seconds(1));
    person(here).createKey();
    const results = await here.pass(hours(2), work);
    expect(lastOf(results.at(-1))).toBe("make-room hold TwoHandMadeKeys held");
  });
});

test("B12: the first pair ever stored is pending: nobody sees it before it was proved and delivered", async () => {
  const { here, first, worker } = await aSystem();
  worker.blockedBecause = "the newest version is not the live one";
  await here.sweep();
  expect(here.cloud.counts.get("iam.CreateAccessKey")).toBeUndefined();
  worker.blockedBecause = null;
  worker.failing = "before";
  here.clock.advance(hours(1));
  await here.sweep();
  expect(custodyOf(here, "AWSPENDING")).not.toBeNull();
  expect(custodyOf(here)).toBeNull();
  expect(worker.pair()).toEqual(first);
});

test("N22: a Worker that is blocked for three weeks costs no version of the secret, and is told", async () => {
  const { here, worker, work } = await aSystem();
  worker.blockedBecause = "the newest version is not the live one";
  await here.pass(days(21), work);
  expect(here.cloud.secretsManager.named(`keyturn/${DEPLOY}`)).toBeNull();
  expect(toldOf(here)).toEqual(["DestinationBlocked", "DeliveryLate", "KeyOverdue"]);
});

describe("L8: an incident response is not undone", () => {
  test.for([
    ["disabled", "not-ours-to-touch hold CurrentKeyDisabled held", "CurrentKeyDisabled"],
    ["deleted", "not-ours-to-touch hold CurrentKeyGone held", "CurrentKeyGone"],
  ] as const)("L8: a user whose only key was %s gets none, not after a month either", async ([what, last, code]) => {
    const { here, first } = await aSystem({ ageMs: days(60) });
    await here.sweep();
    if (what === "disabled") person(here).setStatus(first.keyId, "Inactive");
    if (what === "deleted") person(here).deleteKey(first.keyId);
    const results = await here.pass(days(30));
    expect(lastOf(results.at(-1))).toBe(last);
    expect(here.cloud.counts.get("iam.CreateAccessKey")).toBeUndefined();
    expect(toldOf(here)).toContain(code);
  });

  test.for(["disabled", "deleted"])(
    "L8: while the replacement is on its way and the old key is %s, nothing more is delivered",
    async (what) => {
      const { here, first, worker } = await aSystem();
      worker.failing = "before";
      await here.sweep();
      worker.failing = null;
      if (what === "disabled") person(here).setStatus(first.keyId, "Inactive");
      if (what === "deleted") person(here).deleteKey(first.keyId);
      const results = await here.pass(days(10));
      const code = what === "disabled" ? "CurrentKeyDisabled" : "CurrentKeyGone";
      expect(lastOf(results.at(-1))).toBe(`not-ours-to-touch hold ${code} held`);
      expect(worker.deliveries).toEqual([]);
      expect(custodyOf(here)).toBeNull();
    },
  );

  test("L8: a user that never had a key gets its first at once", async () => {
    const { here, first } = await aSystem();
    here.cloud.iam.createUser({ name: "fresh", tags: { keyturn: "ci" } });
    const [profile] = Object.values(here.profiles);
    if (profile !== undefined) here.profiles = { ci: { ...profile, users: ["fresh"] } };
    here.destinations = {};
    expect(doneIn(await here.sweep(), "fresh")).toEqual(["create-replacement", "prove", "promote"]);
    expect(ofKey(here, first.keyId)).toBe("Active");
    expect(handMade(here, 0, "fresh").keyId).not.toBe(custodyOf(here, "AWSCURRENT", "fresh"));
  });
});
