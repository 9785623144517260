import { describe, expect, test } from "vitest";
import { days, hours } from "../../src/rotation/time.ts";
import { aSystem, custodyOf, DEPLOY, lastOf, ofKey, person, toldOf } from "../world/system.ts";
import type { System } from "../world/system.ts";

/** Somebody deletes the custody secret, and forces recovery away. */
function loseCustody({ here }: System): void {
  here.cloud.callAs(here.cloud.role, {
    service: "secretsmanager",
    operation: "DeleteSecret",
    input: { SecretId: `keyturn/${DEPLOY}`, ForceDeleteWithoutRecovery: true },
  });
}

describe("the custody secret is gone for good", () => {
  test("while the replacement is pending: its secret is lost, it is removed as an orphan, and all begins again", async () => {
    const system = await aSystem();
    const { here, first, worker, calls, work } = system;
    here.cloud.lags.propagationMs = hours(3);
    await here.sweep();
    const lost = custodyOf(here, "AWSPENDING") ?? "";
    loseCustody(system);
    here.cloud.lags.propagationMs = 0;
    await here.passUntil(() => ofKey(here, lost) === "gone", days(1), work);
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(25), work);
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(calls.failures()).toEqual([]);
  });

  test("in the quiet time: both keys count as made by hand and in use, stay, and are told", async () => {
    const system = await aSystem();
    const { here, calls, work } = system;
    await here.pass(days(5), work);
    const keys = here.keysOf(DEPLOY);
    loseCustody(system);
    const results = await here.pass(days(20), work);
    expect(lastOf(results.at(-1))).toBe("make-room hold TwoHandMadeKeys held");
    expect(here.keysOf(DEPLOY)).toEqual(keys);
    expect(toldOf(here)).toContain("TwoHandMadeKeys");
    expect(calls.failures()).toEqual([]);
  });

  test("in the soak: the old key goes as it would have, and the Worker's is replaced when due", async () => {
    const system = await aSystem();
    const { here, first, worker, calls, work } = system;
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(13), work);
    loseCustody(system);
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(8), work);
    await here.passUntil(() => custodyOf(here) !== null, days(76), work);
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(calls.failures()).toEqual([]);
  });
});

test("a replacement that was delivered somewhere is no orphan, though custody and label are gone", async () => {
  const system = await aSystem();
  const { here, worker, calls, work } = system;
  worker.failing = "after";
  await here.sweep();
  worker.failing = null;
  const delivered = worker.pair().keyId;
  loseCustody(system);
  await here.pass(days(20), work);
  expect(ofKey(here, delivered)).toBe("Active");
  expect(calls.failures()).toEqual([]);
});

test("a person who makes a key in the very second in which ours is made keeps it", async () => {
  const { here } = await aSystem();
  const [profile] = Object.values(here.profiles);
  if (profile === undefined) throw new Error("there is a profile");
  const user = "fresh";
  here.cloud.iam.createUser({ name: user, tags: { keyturn: "fresh" } });
  here.profiles = { fresh: { ...profile, name: "fresh", users: [user] } };
  let theirs = "";
  here.cloud.onCall(({ operation }) => {
    // PutSecretValue follows CreateAccessKey at once.
    if (operation !== "PutSecretValue" || theirs !== "" || here.keysOf(user).length === 0) return;
    theirs = person(here, user).createKey().keyId;
  });
  const first = await here.sweep();
  expect(lastOf(first, user)).toBe("nothing-due hold NothingDue held");
  const results = await here.pass(days(20));
  expect(lastOf(results.at(-1), user)).toBe("stranger hold Stranger held");
  expect(ofKey(here, theirs)).toBe("Active");
});
