import { describe, expect, test } from "vitest";
import { userName } from "../../src/rotation/keys.ts";
import { days, hours } from "../../src/rotation/time.ts";
import type { Fault } from "../world/faults.ts";
import { aSystem, custodyOf, DEPLOY, handMade, lastOf, ofKey, person, toldOf } from "../world/system.ts";
import type { System } from "../world/system.ts";

const denied = (service: string, operation: string): Fault => ({
  service,
  operation,
  kind: "error-before",
  code: service === "iam" ? "AccessDenied" : "AccessDeniedException",
  times: "forever",
});

/** A rotation that is in its quiet time, past which the old key would go. */
async function inQuiet(): Promise<System> {
  const system = await aSystem();
  await system.here.pass(days(5), system.work);
  return system;
}

describe("what cannot be read holds everything, is told, and leaves every key and consumer as it was", () => {
  const broken: Readonly<Record<string, readonly [(system: System) => void, string, string]>> = {
    "ListAccessKeys is denied": [
      ({ here }) => void here.cloud.faults.add(denied("iam", "ListAccessKeys")),
      "cannot-see hold BlindSpot held",
      "BlindSpot",
    ],
    "ListAccessKeys is throttled": [
      ({ here }) =>
        void here.cloud.faults.add({
          service: "iam",
          operation: "ListAccessKeys",
          kind: "throttle",
          times: "forever",
        }),
      "cannot-see hold BlindSpot held",
      "BlindSpot",
    ],
    "GetAccessKeyLastUsed is denied": [
      ({ here }) => void here.cloud.faults.add(denied("iam", "GetAccessKeyLastUsed")),
      "retire hold UseUnknown held",
      "UseUnknown",
    ],
    "CloudTrail is denied in one Region": [
      ({ here }) =>
        void here.cloud.faults.add({
          ...denied("cloudtrail", "LookupEvents"),
          when: ({ region }) => region === "eu-central-1",
        }),
      "retire hold UseUnknown held",
      "UseUnknown",
    ],
    "the custody secret cannot be decrypted": [
      ({ here }) => {
        const secret = here.cloud.secretsManager.named(`keyturn/${DEPLOY}`);
        if (secret !== null) secret.kms = { read: "AccessDeniedException", write: null };
      },
      "cannot-see hold BlindSpot held",
      "BlindSpot",
    ],
    "the custody secret is scheduled for deletion": [
      ({ here }) => {
        const secret = here.cloud.secretsManager.named(`keyturn/${DEPLOY}`);
        if (secret !== null) secret.deletedAtMs = here.clock.now();
      },
      "cannot-see hold BlindSpot held",
      "BlindSpot",
    ],
  };

  test.for(Object.entries(broken))("%s", async ([, [breakIt, last, code]]) => {
    const system = await inQuiet();
    const { here, calls, work, worker } = system;
    const keys = here.keysOf(DEPLOY);
    breakIt(system);
    const results = await here.pass(days(20), work);
    expect(lastOf(results.at(-1))).toBe(last);
    expect(here.keysOf(DEPLOY)).toEqual(keys);
    expect(worker.deliveries).toHaveLength(1);
    expect(toldOf(here)).toContain(code);
    expect(calls.failures()).toEqual([]);
  });

  test("the twin: with nothing broken, the old key goes in that time", async () => {
    const { here, first, work } = await inQuiet();
    await here.pass(days(20), work);
    expect(ofKey(here, first.keyId)).toBe("gone");
  });
});

describe("what is refused ends in an error of the sweep's result", () => {
  test.for(["CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey"])("%s is denied", async (operation) => {
    const { here, calls, work } = await aSystem();
    here.cloud.faults.add(denied("iam", operation));
    const results = await here.pass(days(25), work);
    const failed = results.filter(({ status }) => status === "failed");
    expect(failed.length).toBeGreaterThan(100);
    const error = failed.at(-1)?.users[0]?.decisions.at(-1)?.error;
    expect(error).toMatchObject({ code: "Denied" });
    expect(toldOf(here)).toContain("StepFailed");
    expect(calls.failures()).toEqual([]);
  });

  test("the listing of the users is denied: the sweep throws, and touches nothing", async () => {
    const { here } = await aSystem();
    here.cloud.faults.add(denied("iam", "GetAccountAuthorizationDetails"));
    await expect(here.sweep()).rejects.toThrow(/listing the enrolled users, refused with AccessDenied/);
    expect(here.cloud.counts.get("iam.CreateAccessKey")).toBeUndefined();
  });

  test("one user that cannot be read, and lost its tag, does not stop the others", async () => {
    const { here } = await aSystem();
    here.cloud.iam.createUser({ name: "second", tags: { keyturn: "two" } });
    handMade(here, days(90), "second");
    const [profile] = Object.values(here.profiles);
    if (profile === undefined) throw new Error("there is a profile");
    here.profiles = { ...here.profiles, two: { ...profile, name: "two", users: ["second"] } };
    await here.sweep();
    here.cloud.iam.createUser({ name: "third", tags: { keyturn: "three" } });
    handMade(here, days(90), "third");
    here.profiles = { ...here.profiles, three: { ...profile, name: "three", users: ["third"] } };
    person(here, "second").untag("keyturn");
    here.cloud.faults.add({
      ...denied("iam", "GetUser"),
      when: ({ input }) => input["UserName"] === "second",
    });
    const [result] = await here.pass(hours(1));
    expect(result?.status).toBe("failed");
    expect(result?.users.find(({ user }) => user === "second")?.error).toMatchObject({ code: "Denied" });
    expect(custodyOf(here, "AWSCURRENT", "third")).not.toBeNull();
  });

  test("a journal that cannot be parsed stops its user, is an error, and harms nobody", async () => {
    const { here, calls, work, first } = await inQuiet();
    here.journal.corrupt(userName(DEPLOY), "{");
    const told = here.notices.length;
    const results = await here.pass(days(20), work);
    expect(results.at(-1)?.status).toBe("failed");
    expect(lastOf(results.at(-1))).toBe("cannot-see hold BlindSpot held");
    // What was said cannot be written down: said it would be in every sweep, and the failed sweeps say it.
    expect(here.notices.length).toBe(told);
    expect(ofKey(here, first.keyId)).toBe("Active");
    expect(calls.failures()).toEqual([]);
  });
});
