import { describe, expect, test } from "vitest";
import { release } from "../../src/act/operator/release.ts";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import { days, hours, minutes, seconds } from "../../src/rotation/time.ts";
import { aPolicy } from "../builders.ts";
import { aCaller, aSystem, custodyOf, DEPLOY, doneIn, lastOf, ofKey, person, toldOf } from "../world/system.ts";
import type { System, SystemOptions } from "../world/system.ts";

/** Passes until the first key was deactivated, and tells the hours that it took. */
async function untilInactive({ here, first, work }: System, between: (hour: number) => void = work) {
  let hour = 0;
  await here.passUntil(
    () => ofKey(here, first.keyId) !== "Active",
    days(40),
    () => {
      hour += 1;
      between(hour);
    },
  );
  return hour;
}

describe("B3: whoever activates the old key again keeps it", () => {
  test("B3: a person reruns a monthly job with it, and it is not taken again", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await untilInactive(system);
    await here.pass(days(1), work);
    person(here).setStatus(first.keyId, "Active");
    const job = aCaller(here, () => first, "job");
    here.clock.advance(minutes(1));
    job.work();
    const results = await here.pass(days(40), work);
    expect(lastOf(results.at(-1))).toBe("retire hold NeedsRelease held");
    job.work();
    expect(job.failures()).toEqual([]);
    expect(toldOf(here)).toContain("NeedsRelease");
  });

  test("N13: once an operator has released it, it goes when it has been silent for long enough", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await untilInactive(system);
    person(here).setStatus(first.keyId, "Active");
    await here.pass(days(20), work);
    expect(ofKey(here, first.keyId)).toBe("Active");
    const of = { user: userName(DEPLOY), keyId: accessKeyId(first.keyId) };
    await release(here.run(), of);
    await here.pass(hours(1), work);
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    await expect(release(here.run(), { ...of, keyId: accessKeyId("AKIAUNKNOWN") })).rejects.toThrow(
      "releasing AKIAUNKNOWN of deploy, it was not made active again",
    );
  });

  test("B3: what Keyturn itself gave back does not flip to and fro", async () => {
    const system = await aSystem();
    const { here, first, worker, work } = system;
    await untilInactive(system);
    worker.rollBackTo("v1");
    await here.pass(days(30), work);
    expect(ofKey(here, first.keyId)).toBe("Active");
    expect(here.cloud.counts.get("iam.UpdateAccessKey")).toBe(2);
  });
});

describe("B6: one consumer's adoption does not speak for all", () => {
  /** Laptop A takes the new pair at once; laptop B is shut for three weeks, then opens, works and takes it. */
  const laptops = async (options: SystemOptions) => {
    const system = await aSystem(options);
    const { here, first, worker } = system;
    const held = { pair: first };
    const laptop = aCaller(here, () => held.pair, "laptop B");
    await here.sweep();
    await here.pass(days(21), system.work);
    laptop.work();
    held.pair = worker.pair();
    await here.pass(days(20), system.work);
    laptop.work();
    return laptop;
  };

  test("B6: a laptop that is shut for three weeks keeps its pair, where four were declared", async () => {
    const policy = aPolicy({ idleAtMostMs: days(28), rotateAfterMs: days(47) });
    expect((await laptops({ profile: { policy } })).failures()).toEqual([]);
  });

  test("B6: its twin, where nothing was declared, fails", async () => {
    expect((await laptops({})).failures()).toMatchObject([{ error: "InvalidClientTokenId" }]);
  });
});

describe("B7: a weekly job that holds a static copy of the old key", () => {
  const weeks = async (quietForMs: number, latenessMs: number) => {
    const system = await aSystem({ profile: { policy: aPolicy({ quietForMs }) } });
    const { here, first, work } = system;
    await here.sweep();
    const job = aCaller(here, () => first, "weekly job");
    let hour = 0;
    await here.pass(days(50), () => {
      hour += 1;
      work();
      if (hour > 2 && (hour - 2) % 168 === (hour > 168 ? latenessMs / hours(1) : 0)) job.work();
    });
    return job;
  };

  test.for([0, 5, 12])("B7: %i h late, it is never cut", async (late) => {
    const job = await weeks(days(10), hours(late));
    expect(job.calls.length).toBeGreaterThanOrEqual(6);
    expect(job.failures()).toEqual([]);
  });

  test("B7: the twin with a quiet time of exactly a week cuts it when it is late", async () => {
    expect((await weeks(days(7), hours(12))).failures().length).toBeGreaterThan(0);
  });
});

describe("S3: a user that nobody uses", () => {
  test("S3, N7: is rotated twice all the same, each old key after a soak of 30 days", async () => {
    const { here, first } = await aSystem({ isUsed: false });
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(11));
    const inactiveAt = here.clock.now();
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(40));
    expect(here.clock.now() - inactiveAt).toBe(days(30));
    const [second = ""] = here.keysOf(DEPLOY).map((key) => key.split(" ")[0]);
    await here.passUntil(() => ofKey(here, second) === "gone", days(120));
    expect(here.keysOf(DEPLOY)).toEqual([`${custodyOf(here) ?? ""} Active`]);
  });

  test("S3: but where the replacement is seen in use nothing is waived, and the soak is the ordinary one", async () => {
    const { here, first, work } = await aSystem({ isUsed: false });
    await here.sweep();
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(11), work);
    const inactiveAt = here.clock.now();
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(40), work);
    expect(here.clock.now() - inactiveAt).toBe(days(7));
  });

  test("S3: but a young one stays until it has been unused for as long as keys live, since its consumer may be slow", async () => {
    const profile = { policy: aPolicy({ adopt: "at-once" }) };
    const { here, first } = await aSystem({ isUsed: false, ageMs: days(6), profile });
    const results = await here.pass(days(68));
    expect(lastOf(results.at(-1))).toBe("retire hold NotAdopted held");
    expect([ofKey(here, first.keyId), toldOf(here).includes("NotAdopted")]).toEqual(["Active", true]);
    await here.pass(days(2));
    expect(ofKey(here, first.keyId)).toBe("Inactive");
  });

  test("S3: but an old key that was used within 90 days is held, and told, and both keys stay", async () => {
    const { here, first } = await aSystem();
    const results = await here.pass(days(60));
    expect(lastOf(results.at(-1))).toBe("retire hold NotAdopted held");
    expect(ofKey(here, first.keyId)).toBe("Active");
    expect(toldOf(here)).toContain("NotAdopted");
  });
});

test("S4: a key that somebody goes on using is told at maxAge − 3 d, at maxAge, then weekly", async () => {
  const { here, first, work } = await aSystem({ ageMs: days(75) });
  const job = aCaller(here, () => first, "old job");
  await here.pass(days(40), () => {
    work();
    job.work();
  });
  expect(job.failures()).toEqual([]);
  const told = here.notices.filter(({ code }) => code === "KeyOverdue");
  const ages = told.map(({ at }) =>
    Math.floor((at - (here.cloud.iam.keys.get(first.keyId)?.createdAtMs ?? 0)) / days(1)),
  );
  expect(ages).toEqual([87, 90, 97, 104, 111]);
  expect(told.at(-1)?.text).toMatch(/still used after its replacement was delivered: lambda in us-east-1/);
});

test("N11: an ordinary rotation of our own key is over before the first alarm", async () => {
  const system = await aSystem();
  const { here, first, work } = system;
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
  const before = here.notices.length;
  await here.passUntil(() => here.keysOf(DEPLOY).length === 2, days(76), work);
  await here.passUntil(() => here.keysOf(DEPLOY).length === 1, days(20), work);
  expect(here.notices.slice(before).map(({ code }) => code)).toEqual(["KeyDeactivated", "KeyDeleted"]);
});

describe("N2: rule 1 gives back only what was ours to take", () => {
  test("N2: when security disables the current key, nothing is made active", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await here.pass(days(2), work);
    person(here).setStatus(custodyOf(here) ?? "", "Inactive");
    const [next] = await here.pass(hours(1));
    expect(lastOf(next)).toBe("not-ours-to-touch hold CurrentKeyDisabled held");
    person(here).setStatus(first.keyId, "Inactive");
    await here.pass(days(30));
    expect(here.keysOf(DEPLOY).every((key) => key.endsWith("Inactive"))).toBe(true);
  });

  test("N2: when a person disables the old key, and uses of it come to light, it stays disabled", async () => {
    const { here, first, worker, work } = await aSystem();
    await here.pass(days(2), work);
    here.cloud.callAs(first, { service: "s3", operation: "GetObject" });
    person(here).setStatus(first.keyId, "Inactive");
    worker.rollBackTo("v1");
    await here.pass(days(5));
    expect(ofKey(here, first.keyId)).toBe("Inactive");
  });

  test("N2: a removed tag in the soak ends it for rule 1 too; put back, the key comes back", async () => {
    const system = await aSystem();
    const { here, first, worker } = system;
    await untilInactive(system);
    person(here).untag("keyturn");
    worker.rollBackTo("v1");
    await here.pass(days(1));
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    person(here).tag("Keyturn", "ci");
    await here.pass(hours(1));
    expect(ofKey(here, first.keyId)).toBe("Active");
  });
});

describe("N6: what comes to light late", () => {
  const hoursToInactive = async (): Promise<number> => untilInactive(await aSystem());

  test("N6: a use hidden by the lag gives the key back within the hour that it shows", async () => {
    const hour = await hoursToInactive();
    const system = await aSystem();
    const { here, first, work } = system;
    const cron = aCaller(here, () => first, "cron");
    await untilInactive(system, (now) => {
      work();
      if (now === hour - 2) cron.work();
    });
    const results = await here.pass(hours(3), work);
    expect(results.map((result) => doneIn(result))).toContainEqual(["reactivate"]);
    cron.work();
    expect(cron.failures()).toEqual([]);
    const notice = here.notices.find(({ code }) => code === "KeyReactivated");
    expect(notice).toMatchObject({ severity: "urgent" });
    expect(notice?.text).toMatch(/lambda in us-east-1/);
  });

  test("N6: so does a last good call in the seconds after the deactivation", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await untilInactive(system);
    here.clock.advance(seconds(2));
    expect(aCaller(here, () => first).work().error).toBeNull();
    await here.pass(hours(5), work);
    expect(ofKey(here, first.keyId)).toBe("Active");
  });

  test("N6: a stale answer that shows an older use does not shorten the silence", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    const cron = aCaller(here, () => first, "cron");
    let usedAt = 0;
    await untilInactive(system, (hour) => {
      work();
      const key = here.cloud.iam.keys.get(first.keyId);
      if (hour === 200) {
        cron.work();
        usedAt = here.clock.now();
      }
      // From then on the service answers as it did before that use.
      if (hour === 210 && key !== undefined) key.uses = key.uses.filter(({ atMs }) => atMs < usedAt);
    });
    expect(here.clock.now() - usedAt).toBeGreaterThanOrEqual(days(10) + hours(4));
  });

  test("N6: nor does it let a key be deleted whose late use was seen once", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await untilInactive(system);
    person(here).setStatus(first.keyId, "Active");
    here.clock.advance(seconds(10));
    person(here).setStatus(first.keyId, "Inactive");
    const use = { atMs: here.clock.now() + hours(1), service: "lambda", region: "us-east-1" };
    const key = here.cloud.iam.keys.get(first.keyId);
    if (key === undefined) throw new Error("the key is there");
    const before = key.uses;
    key.uses = [...before, use];
    await here.pass(days(6), work);
    key.uses = before;
    const results = await here.pass(days(20), work);
    expect(ofKey(here, first.keyId)).not.toBe("gone");
    expect(lastOf(results.at(-1))).toMatch(/UsedDuringSoak|NeedsRelease/);
  });
});

describe("a deactivation of which the answer is lost", () => {
  const losing = async (kind: "lost-before" | "lost-after"): Promise<System> => {
    const system = await aSystem();
    system.here.cloud.faults.add({ service: "iam", operation: "UpdateAccessKey", kind, times: 1 });
    return system;
  };

  test("with its effect is known by the key's status: it soaks and is deleted as ours", async () => {
    const system = await losing("lost-after");
    const { here, first, calls, work } = system;
    await untilInactive(system);
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(8), work);
    expect(calls.failures()).toEqual([]);
    expect(here.cloud.counts.get("iam.UpdateAccessKey")).toBe(1);
  });

  test("with its effect, and needed after all: rule 1 knows that it was ours", async () => {
    const system = await losing("lost-after");
    const { here, first, worker } = system;
    await untilInactive(system);
    worker.rollBackTo("v1");
    await here.pass(hours(1));
    expect(ofKey(here, first.keyId)).toBe("Active");
  });

  test("without one starts the silence anew, asks nobody for a release, and ends", async () => {
    const system = await losing("lost-before");
    const { here, first, calls, work } = system;
    const hour = await untilInactive(system);
    expect(hour).toBeGreaterThan(480);
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(8), work);
    expect(toldOf(here)).not.toContain("NeedsRelease");
    expect(calls.failures()).toEqual([]);
  });

  test("without one does not pass for a later hand: what security disables, stays disabled", async () => {
    const system = await losing("lost-before");
    const { here, first, work } = system;
    await here.passUntil(() => here.cloud.counts.get("iam.UpdateAccessKey") === 1, days(12), work);
    await here.pass(days(1), work);
    here.cloud.callAs(first, { service: "s3", operation: "GetObject" });
    person(here).setStatus(first.keyId, "Inactive");
    await here.pass(days(3), work);
    expect(ofKey(here, first.keyId)).toBe("Inactive");
  });
});

describe("system 1: the push to the Worker was lost, although delivery said done", () => {
  const lost = async (options: SystemOptions) => {
    const system = await aSystem(options);
    system.worker.losesPushes = true;
    await system.here.sweep();
    await system.here.pass(days(30), system.work);
    return system;
  };

  test("the old key stays, and the notice names the use; CloudTrail knows nothing of it", async () => {
    const { here, first, calls } = await lost({});
    expect(ofKey(here, first.keyId)).toBe("Active");
    expect(calls.failures()).toEqual([]);
    const text = here.notices.find(({ code }) => code === "OldKeyStillUsed")?.text;
    expect(text).toMatch(/still used after its replacement was delivered: lambda in us-east-1/);
    here.clock.advance(seconds(1));
    const events = here.cloud.callAs(here.cloud.role, {
      service: "cloudtrail",
      operation: "LookupEvents",
      input: { LookupAttributes: [{ AttributeKey: "AccessKeyId", AttributeValue: first.keyId }] },
    });
    expect(events["Events"]).toEqual([]);
  });

  test("the twin that trusts the delivery and waits for nothing cuts the Worker off", async () => {
    const policy = aPolicy({ quietForMs: -hours(6), cacheForMs: 0, adoption: "optional" });
    const { calls } = await lost({ profile: { policy } });
    expect(calls.failures().length).toBeGreaterThan(0);
  });
});
