import { describe, expect, test } from "vitest";
import { userName } from "../../src/rotation/keys.ts";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import { invoke, listedActive } from "../world/leak.ts";
import { holdOf, say } from "../world/operator.ts";
import type { Word } from "../world/operator.ts";
import { aCaller, aSystem, custodyOf, DEPLOY, lastOf, ofKey, person, toldOf } from "../world/system.ts";
import type { System } from "../world/system.ts";
import { denied } from "../world/faults.ts";

/** The key id of the pair in use after a rotation, the first key still there and Active. */
async function rotated(system: System): Promise<string> {
  await system.here.pass(hours(3), system.work);
  return custodyOf(system.here) ?? "";
}

/** In its second rotation: the third pair is current, the second Active, and the Worker at work all the time. */
async function rotatedTwice(): Promise<System & { readonly second: string; readonly third: string }> {
  const system = await aSystem();
  const { here, work } = system;
  const second = await rotated(system);
  await here.passUntil(() => custodyOf(here) !== second, days(90), work);
  return { ...system, second, third: custodyOf(here) ?? "" };
}

describe("rotate", () => {
  test("replaces a key that is not due, by the ordinary steps, while its consumer works", async () => {
    const system = await aSystem({ ageMs: days(20) });
    const { here, first, worker, calls, work } = system;
    const { done, decisions } = await say(here, { command: "rotate" });
    expect(done).toBe(`${first.keyId} is replaced as soon as every rule allows it`);
    expect(decisions?.map(({ step }) => step)).toEqual(["create-replacement", "prove", "deliver", "promote", "hold"]);
    expect(worker.pair().keyId).toBe(custodyOf(here));
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(30), work);
    expect(calls.failures()).toEqual([]);
  });

  test("said twice rotates once, also when it is said again after the promotion", async () => {
    const { here, work } = await aSystem({ ageMs: days(20) });
    await say(here, { command: "rotate" });
    const current = custodyOf(here) ?? "";
    const { done } = await say(here, { command: "rotate" });
    expect(done).toContain(`${current} has replaced`);
    await here.pass(days(30), work);
    expect(here.keysOf(DEPLOY)).toEqual([`${current} Active`]);
  });

  test("is kept while the user is held, and done when the hold ends", async () => {
    const { here, first } = await aSystem({ ageMs: days(20) });
    await say(here, { command: "hold", reason: "a freeze" });
    const { done } = await say(here, { command: "rotate" });
    expect(done).toBe(`${first.keyId} is replaced once the user is no longer held`);
    await here.pass(hours(5));
    expect(here.keysOf(DEPLOY)).toHaveLength(1);
    await say(here, { command: "release" });
    await here.pass(hours(1));
    expect(custodyOf(here)).not.toBeNull();
  });

  test("N9: ends the hold of a user whose only key somebody disabled", async () => {
    const { here, first, worker } = await aSystem({ ageMs: days(20) });
    person(here).setStatus(first.keyId, "Inactive");
    expect(lastOf((await here.pass(hours(2))).at(-1))).toBe("not-ours-to-touch hold CurrentKeyDisabled held");
    await say(here, { command: "rotate" });
    expect(worker.pair().keyId).toBe(custodyOf(here));
  });

  test("N9: ends the hold of a user whose current key somebody deleted: custody counts as empty", async () => {
    const system = await aSystem();
    const { here, first, worker, work } = system;
    await rotated(system);
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(30), work);
    const second = custodyOf(here) ?? "";
    person(here).deleteKey(second);
    await expect(say(here, { command: "rotate" })).rejects.toThrow("IAM does not list");
    expect(lastOf((await here.pass(hours(2))).at(-1))).toBe("not-ours-to-touch hold CurrentKeyGone held");
    await say(here, { command: "rotate" });
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(here.keysOf(DEPLOY)).toEqual([`${worker.pair().keyId} Active`]);
  });
});

describe("hold and release", () => {
  test("hold a user with the reason, and release ends the hold and nothing else", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await rotated(system);
    expect((await say(here, { command: "hold", reason: "a freeze: until Monday" })).done).toContain("a freeze");
    expect(holdOf(here)).toBe("a freeze: until Monday");
    await here.pass(days(15), work);
    expect(ofKey(here, first.keyId)).toBe("Active");
    expect((await say(here, { command: "release" })).done).toBe("deploy is no longer held");
    expect(holdOf(here)).toBeUndefined();
    expect((await say(here, { command: "release" })).done).toBe("deploy was not held");
    await here.pass(hours(1), work);
    expect(ofKey(here, first.keyId)).toBe("Inactive");
  });

  test("N13: release of a hold leaves a key that was made active again as protected as it was", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(20), work);
    await say(here, { command: "reactivate", key: first.keyId });
    await say(here, { command: "hold", reason: "a freeze" });
    await say(here, { command: "release" });
    const results = await here.pass(days(20), work);
    expect(lastOf(results.at(-1))).toBe("retire hold NeedsRelease held");
  });

  test("holds a user of whom nothing can be read", async () => {
    const { here } = await aSystem();
    here.cloud.faults.add(denied("secretsmanager", "DescribeSecret"));
    await say(here, { command: "hold", reason: "an incident" });
    expect(holdOf(here)).toBe("an incident");
  });
});

describe("reactivate", () => {
  test("gives a consumer its key back at once, and no sweep takes it again", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(20), work);
    const job = aCaller(here, () => first, "job");
    await say(here, { command: "reactivate", key: first.keyId });
    here.clock.advance(hours(1));
    job.work();
    await here.pass(days(30), work);
    job.work();
    expect(job.failures()).toEqual([]);
    expect((await say(here, { command: "reactivate", key: first.keyId })).done).toContain("Active already");
  });
});

describe("rollback", () => {
  test("after the promotion of a second rotation sends everybody back, and nobody fails", async () => {
    const { here, second, third, worker, calls, work } = await rotatedTwice();
    const { done } = await say(here, { command: "rollback" });
    expect(done).toBe(`${second} is current again, everywhere; the user is held until it is released`);
    expect([custodyOf(here), worker.pair().keyId]).toEqual([second, second]);
    expect([custodyOf(here, "AWSPENDING"), holdOf(here)]).toEqual([null, `rolled back to ${second}`]);
    expect((await say(here, { command: "rollback" })).done).toContain("is current again already");
    await here.pass(days(3), work);
    expect([custodyOf(here), worker.pair().keyId, ofKey(here, third)]).toEqual([second, second, "Active"]);
    expect(calls.failures()).toEqual([]);
  });

  test("N8: released, the pair that was rolled back is retired as any old one, and a next rotation follows", async () => {
    const { here, second, third, calls, work } = await rotatedTwice();
    await say(here, { command: "rollback" });
    await say(here, { command: "release" });
    await here.passUntil(() => ofKey(here, third) === "gone", days(40), work);
    await here.passUntil(() => ofKey(here, second) === "gone", days(40), work);
    expect(here.keysOf(DEPLOY)).toEqual([`${custodyOf(here) ?? ""} Active`]);
    expect(calls.failures()).toEqual([]);
  });

  test("makes the previous key active again first", async () => {
    const { here, second, worker, calls, work } = await rotatedTwice();
    await here.passUntil(() => ofKey(here, second) === "Inactive", days(20), work);
    await say(here, { command: "rollback" });
    expect([ofKey(here, second), worker.pair().keyId]).toEqual(["Active", second]);
    work();
    expect(calls.failures()).toEqual([]);
  });

  test("does so, too, where IAM's listing shows the key still as it was before it was taken a moment ago", async () => {
    const { here, second, worker, calls, work } = await rotatedTwice();
    await here.passUntil(() => ofKey(here, second) === "Inactive", days(20), work);
    here.bend = listedActive;
    await invoke(here, { command: "rollback", user: DEPLOY });
    here.bend = null;
    expect([ofKey(here, second), worker.pair().keyId]).toEqual(["Active", second]);
    work();
    expect(calls.failures()).toEqual([]);
  });

  test("before the promotion takes the replacement back, and leaves no label that would bring it again", async () => {
    const system = await aSystem();
    const { here, worker, calls, work } = system;
    const second = await rotated(system);
    const blocked = { ...worker, name: "cloudflare-worker:zzz", slots: ["zzz"] };
    await here.passUntil(() => here.keysOf(DEPLOY).length === 1, days(40), work);
    here.destinations = { ci: [worker, { ...blocked, preflight: async () => ({ kind: "ready", anchor: null }) }] };
    await here.pass(days(1), work);
    here.destinations = {
      ci: [
        worker,
        {
          ...blocked,
          preflight: async () => ({ kind: "ready", anchor: null }),
          deliver: async () => Promise.reject(new Error("down")),
        },
      ],
    };
    await here.passUntil(() => custodyOf(here, "AWSPENDING") !== null, days(90), work);
    const third = custodyOf(here, "AWSPENDING") ?? "";
    expect(worker.pair().keyId).toBe(third);
    here.destinations = { ci: [worker] };
    await say(here, { command: "rollback" });
    expect([custodyOf(here), custodyOf(here, "AWSPENDING"), worker.pair().keyId]).toEqual([second, null, second]);
    await say(here, { command: "release" });
    await here.pass(days(2), work);
    expect(worker.pair().keyId).toBe(second);
    expect(calls.failures()).toEqual([]);
  });

  test("C5: is refused in the first rotation of a hand-made key, whose pair nobody has", async () => {
    const system = await aSystem();
    await rotated(system);
    await expect(say(system.here, { command: "rollback" })).rejects.toThrow(
      "obeying rollback of deploy, custody holds no earlier pair: the key before was made by hand",
    );
    expect(holdOf(system.here)).toBeUndefined();
  });
});

describe("retire", () => {
  test("N12: takes a key that is in use, leaves it so, and tells what came to light", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await rotated(system);
    const cron = aCaller(here, () => first, "cron");
    const both = (): void => {
      work();
      if (ofKey(here, first.keyId) === "Active") cron.work();
    };
    await here.pass(days(2), both);
    await say(here, { command: "retire", key: first.keyId });
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    await here.pass(days(1), work);
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    expect(toldOf(here)).toContain("RetiredKeyUsed");
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(8), work);
  });

  test("never waives delivery: it waits for a destination that is behind", async () => {
    const system = await aSystem();
    const { here, first, worker, work } = system;
    await rotated(system);
    const late = { ...worker, name: "cloudflare-worker:late", slots: ["late"], blockedBecause: null };
    here.destinations = {
      ci: [worker, { ...late, preflight: async () => ({ kind: "blocked", because: "a deployment is under way" }) }],
    };
    await here.pass(hours(2), work);
    await say(here, { command: "retire", key: first.keyId });
    await here.pass(days(2), work);
    expect(ofKey(here, first.keyId)).toBe("Active");
    here.destinations = { ci: [worker, { ...late, deliver: worker.deliver.bind(worker) }] };
    await here.pass(hours(9), work);
    expect(ofKey(here, first.keyId)).toBe("Inactive");
  });

  test("is void once somebody has made the key active again", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await rotated(system);
    await say(here, { command: "retire", key: first.keyId });
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    here.clock.advance(minutes(10));
    await say(here, { command: "reactivate", key: first.keyId });
    await here.pass(days(20), work);
    expect(ofKey(here, first.keyId)).toBe("Active");
  });
});

describe("adopt", () => {
  test("takes over a stranger's key beside the current one, and retires it once nobody uses it", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await rotated(system);
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(30), work);
    const made = person(here).createKey();
    const copy = aCaller(here, () => made, "copy");
    here.clock.advance(minutes(1));
    copy.work();
    expect(lastOf((await here.pass(hours(2), work)).at(-1))).toBe("stranger hold Stranger held");
    await say(here, { command: "adopt", key: made.keyId });
    await here.pass(days(5), () => {
      work();
      copy.work();
    });
    await here.pass(days(5), work);
    expect([ofKey(here, made.keyId), copy.failures()]).toEqual(["Active", []]);
    await here.passUntil(() => ofKey(here, made.keyId) === "gone", days(20), work);
  });

  test("N9: takes over the key that a person put in the place of the current one, and replaces it when it is due", async () => {
    const system = await aSystem();
    const { here, first, worker, calls, work } = system;
    const second = await rotated(system);
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(30), work);
    const made = person(here).createKey();
    worker.setByHand(made);
    person(here).deleteKey(second);
    here.clock.advance(hours(1));
    await here.pass(hours(3), work);
    const { done } = await say(here, { command: "adopt", key: made.keyId });
    expect(done).toContain("in the place of the key that somebody took away");
    await here.passUntil(() => ofKey(here, made.keyId) === "gone", days(110), work);
    expect(here.keysOf(DEPLOY)).toEqual([`${worker.pair().keyId} Active`]);
    expect(calls.failures()).toEqual([]);
  });

  test("is on record as what its consumers have when it is replaced, whatever was delivered before", async () => {
    const system = await aSystem();
    const { here, first, worker, work } = system;
    const second = await rotated(system);
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(30), work);
    const made = person(here).createKey();
    worker.setByHand(made);
    person(here).deleteKey(second);
    await here.pass(hours(3), work);
    await say(here, { command: "adopt", key: made.keyId });
    await say(here, { command: "rotate" });
    const { record } = await here.journal.read(userName(DEPLOY));
    expect(record?.deliveries.map(({ keyId }) => keyId)).toContain(made.keyId);
  });
});

describe("a command is refused", () => {
  const nobody = "AKIANOBODYHASTHISKEY";
  test.for<[string, Word, (keys: { first: string; second: string; stranger: string }) => Word, string]>([
    [
      "retire of an unknown key",
      { command: "retire" },
      () => ({ command: "retire", key: nobody }),
      "IAM lists no such key",
    ],
    [
      "retire of the current key",
      { command: "retire" },
      ({ second }) => ({ command: "retire", key: second }),
      "it is the current key",
    ],
    [
      "adopt of the old key",
      { command: "adopt" },
      ({ first }) => ({ command: "adopt", key: first }),
      "it is no stranger's",
    ],
    [
      "adopt of an unknown key",
      { command: "adopt" },
      () => ({ command: "adopt", key: nobody }),
      "IAM lists no such key",
    ],
    [
      "reactivate of an unknown key",
      { command: "reactivate" },
      () => ({ command: "reactivate", key: nobody }),
      "IAM lists no such key",
    ],
    [
      "rollback to an unknown key",
      { command: "rollback" },
      () => ({ command: "rollback", key: nobody }),
      "custody holds no pair of",
    ],
    [
      "rollback to the current key",
      { command: "rollback" },
      ({ second }) => ({ command: "rollback", key: second }),
      "is the current key",
    ],
    [
      "rollback to the hand-made key",
      { command: "rollback" },
      ({ first }) => ({ command: "rollback", key: first }),
      "custody holds no pair of",
    ],
  ])("%s", async ([, , wordOf, sentence]) => {
    const system = await aSystem();
    const second = await rotated(system);
    const before = system.here.keysOf(DEPLOY);
    const word = wordOf({ first: system.first.keyId, second, stranger: "" });
    await expect(say(system.here, word)).rejects.toThrow(sentence);
    expect(system.here.keysOf(DEPLOY)).toEqual(before);
  });

  test("retire of the last active key, and of one of two that were made by hand", async () => {
    const { here, first } = await aSystem({ ageMs: days(20) });
    await expect(say(here, { command: "retire", key: first.keyId })).rejects.toThrow("it is the last active key");
    const other = person(here).createKey();
    await expect(say(here, { command: "retire", key: other.keyId })).rejects.toThrow("no replacement of it was ever");
    await expect(say(here, { command: "rotate" })).rejects.toThrow("there is no room for a third");
  });

  test("for a user without the tag, in a profile that does not serve it, or of another name", async () => {
    const { here, first } = await aSystem();
    person(here).tag("keyturn", "another");
    for (const command of ["rotate", "rollback", "reactivate", "retire", "adopt"]) {
      await expect(say(here, { command, key: first.keyId })).rejects.toThrow('the tag keyturn says "another"');
    }
    person(here).untag("keyturn");
    for (const command of ["rotate", "rollback", "reactivate", "retire", "adopt"]) {
      await expect(say(here, { command, key: first.keyId })).rejects.toThrow("no such user is enrolled");
    }
    await expect(say(here, { command: "hold", reason: "a freeze" })).rejects.toThrow("the user has no tag keyturn");
  });
});
