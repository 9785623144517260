import { describe, expect, test } from "vitest";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import type { World } from "../../src/rotation/world.ts";
import type { DirectWorld } from "../world/direct/world.ts";
import { aSystem, lastOf, ofKey, person } from "../world/system.ts";

/** Something happens in the very moment after an act has begun, when the user's tags have just been read afresh. */
const afterBegin =
  (happens: () => void) =>
  (world: DirectWorld): World => ({
    ...world,
    directory: {
      ...world.directory,
      read: async (user) => {
        const fresh = await world.directory.read(user);
        happens();
        return fresh;
      },
    },
  });

describe("what is hard to undo is decided twice", () => {
  test("a key is not deactivated when the Worker went back to it between the two looks", async () => {
    const { here, first, worker, calls, work } = await aSystem();
    await here.pass(days(1), work);
    let isDeactivating = false;
    here.bend = afterBegin(() => {
      isDeactivating = true;
      worker.rollBackTo("v1");
    });
    await here.passUntil(() => isDeactivating, days(12), work);
    expect(ofKey(here, first.keyId)).toBe("Active");
    expect(here.cloud.counts.get("iam.UpdateAccessKey") ?? 0).toBe(0);
    expect(calls.failures()).toEqual([]);
  });

  test("a key is not deleted when the Worker went back to it between the two looks", async () => {
    const { here, first, worker, work } = await aSystem();
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(13), work);
    let isDeleting = false;
    here.bend = afterBegin(() => {
      isDeleting = true;
      worker.rollBackTo("v1");
    });
    await here.passUntil(() => isDeleting, days(8), work);
    expect(ofKey(here, first.keyId)).not.toBe("gone");
  });
});

test("a pair that was proved is not delivered when an operator has set the hold meanwhile", async () => {
  const { here, worker } = await aSystem();
  here.bend = (world) => ({
    ...world,
    prover: {
      callerArn: async (credential, region) => {
        const answer = await world.prover.callerArn(credential, region);
        if (answer.kind === "answered") person(here).tag("Keyturn-Hold", "freeze");
        return answer;
      },
    },
  });
  const result = await here.sweep();
  expect(lastOf(result)).toBe("deliver deliver DestinationBehind withdrawn");
  here.clock.advance(hours(1));
  expect(lastOf(await here.sweep())).toBe("not-ours-to-touch hold HeldByOperator held");
  expect(worker.deliveries).toEqual([]);
});

test("nothing is made for a user that was deleted and made again while the sweep was under way", async () => {
  const { here } = await aSystem();
  here.bend = (world) => ({
    ...world,
    directory: {
      ...world.directory,
      tagged: async () => {
        const users = await world.directory.tagged();
        here.clock.advance(minutes(2));
        return users.map((user) => ({ ...user, id: "AIDAFORMERUSER" }));
      },
    },
  });
  expect(lastOf(await here.sweep())).toBe("create create-replacement KeyDue withdrawn");
});
