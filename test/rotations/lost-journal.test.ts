import { describe, expect, test } from "vitest";
import { days, hours, instant, minutes } from "../../src/rotation/time.ts";
import { aPolicy } from "../builders.ts";
import { pullReader } from "../world/workloads.ts";
import { aCaller, aSystem, custodyOf, DEPLOY, doneIn, lastOf, ofKey, person, toldOf } from "../world/system.ts";
import type { System } from "../world/system.ts";

/** The table is lost, and somebody says that the sweeps may go on. */
async function lose({ here }: System): Promise<void> {
  here.journal.wipe();
  await here.journal.setRunning(instant(here.clock.now()));
}

test("a lost table is paused: a sweep looks, says so, and does nothing", async () => {
  const { here, work } = await aSystem();
  here.journal.wipe();
  const results = await here.pass(days(2), work);
  expect(results.at(-1)?.isPaused).toBe(true);
  expect(lastOf(results.at(-1))).toBe("create create-replacement KeyDue planned");
  expect(here.cloud.counts.get("iam.CreateAccessKey")).toBeUndefined();
});

describe("S5: the table is lost, and the rotation still ends well", () => {
  const stages: Readonly<Record<string, (system: System) => Promise<void>>> = {
    "before anything was begun": async ({ here }) => {
      await here.pass(0);
    },
    "while the replacement is pending": async ({ here, worker }) => {
      worker.failing = "before";
      await here.sweep();
      worker.failing = null;
    },
    "after a delivery that nobody confirmed": async ({ here, worker }) => {
      worker.failing = "after";
      await here.sweep();
      worker.failing = null;
    },
    "right after the promotion": async ({ here }) => {
      await here.sweep();
    },
    "in the middle of the quiet time": async ({ here, work }) => {
      await here.pass(days(6), work);
    },
    "right after the deactivation": async ({ here, first, work }) => {
      await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(13), work);
    },
    "late in the soak": async ({ here, first, work }) => {
      await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(13), work);
      await here.pass(days(6), work);
    },
    "after the deletion": async ({ here, first, work }) => {
      await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
    },
  };

  test.for(Object.entries(stages))("S5: %s", async ([, reach]) => {
    const system = await aSystem();
    const { here, first, worker, calls, work } = system;
    await reach(system);
    await lose(system);
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(40), work);
    const [second] = here.keysOf(DEPLOY);
    await here.passUntil(() => here.keysOf(DEPLOY).length === 2, days(76), work);
    await here.passUntil(() => here.keysOf(DEPLOY).length === 1, days(30), work);
    expect(here.keysOf(DEPLOY)).not.toEqual([second]);
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(calls.failures()).toEqual([]);
    expect(toldOf(here)).not.toContain("KeyReactivated");
  });
});

test("S5: the silence and the soak begin anew, and never earlier", async () => {
  const system = await aSystem();
  const { here, first, work } = system;
  await here.pass(days(9), work);
  await lose(system);
  const lostAt = here.clock.now();
  await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(20), work);
  expect(here.clock.now() - lostAt).toBeGreaterThanOrEqual(days(10) + hours(4));
  await here.pass(days(6), work);
  await lose(system);
  const lostAgainAt = here.clock.now();
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
  expect(here.clock.now() - lostAgainAt).toBeGreaterThanOrEqual(days(7));
});

test("S5: lost right after the deactivation, a use that was hidden then still gives the key back", async () => {
  const dry = await aSystem();
  let hours0 = 0;
  await dry.here.passUntil(
    () => ofKey(dry.here, dry.first.keyId) === "Inactive",
    days(13),
    () => {
      hours0 += 1;
      dry.work();
    },
  );
  const system = await aSystem();
  const { here, first, work } = system;
  const cron = aCaller(here, () => first, "cron");
  let hour = 0;
  await here.passUntil(
    () => ofKey(here, first.keyId) === "Inactive",
    days(13),
    () => {
      hour += 1;
      work();
      if (hour === hours0 - 1) cron.work();
    },
  );
  await lose(system);
  await here.pass(hours(5), work);
  cron.work();
  expect(cron.failures()).toEqual([]);
});

test("S5: lost in the soak of a laptop, the hand-over before it does not pass for a late use", async () => {
  const policy = aPolicy({ rotateAfterMs: days(47), idleAtMostMs: days(28), cacheForMs: hours(8) });
  const system = await aSystem({ profile: { isPulled: true, readers: ["laptop"], policy } });
  const { here, first } = system;
  here.destinations = {};
  const where = { region: "us-east-1", sourceAddress: "198.51.100.7", userAgent: "aws-cli/2.9 app/keyturn-laptop" };
  const laptop = pullReader(here.cloud, { ...where, name: "laptop", secretId: `keyturn/${DEPLOY}`, first });
  const calls = aCaller(here, () => laptop.pair(), "laptop");
  let hour = 0;
  await here.passUntil(
    () => ofKey(here, first.keyId) === "Inactive",
    days(50),
    () => {
      hour += 1;
      // Shut for 25 days after the promotion, then opened: it takes the new pair with the old one.
      if (hour === 25 * 24) laptop.pull();
      if (hour > 25 * 24 + 1) calls.work();
    },
  );
  await here.pass(days(1), () => void calls.work());
  await lose(system);
  await here.passUntil(
    () => ofKey(here, first.keyId) === "gone",
    days(30),
    () => void calls.work(),
  );
  expect(toldOf(here)).not.toContain("KeyReactivated");
  expect(calls.failures()).toEqual([]);
});

describe("N18: a key that a lost journal cannot vouch for", () => {
  test("N18: made by us, unused and in no custody version, it is held and named, not deleted", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
    here.cloud.faults.add({
      service: "iam",
      operation: "CreateAccessKey",
      kind: "lost-after",
      times: 1,
    });
    await here.passUntil(() => here.keysOf(DEPLOY).length === 2, days(76), work);
    await lose(system);
    const results = await here.pass(days(5), work);
    expect(lastOf(results.at(-1))).toBe("orphan hold OrphanUnproved held");
    expect(here.keysOf(DEPLOY)).toHaveLength(2);
    expect(toldOf(here)).toContain("OrphanUnproved");
  });

  test("N18: while the same journal, kept, lets it go", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
    here.cloud.faults.add({
      service: "iam",
      operation: "CreateAccessKey",
      kind: "lost-after",
      times: 1,
    });
    await here.passUntil(() => here.keysOf(DEPLOY).length === 2, days(76), work);
    const results = await here.pass(hours(6), work);
    expect(results.flatMap((result) => doneIn(result))).toContain("delete");
  });
});

test("S1: lost after the promotion of a first rotation, the hand-made key is old and no stranger", async () => {
  const system = await aSystem();
  const { here } = system;
  await here.sweep();
  await lose(system);
  const results = await here.pass(hours(2));
  expect(lastOf(results.at(-1))).toMatch(/^retire hold/);
});

test("S5: lost between our deactivation and a person's, the person's hand is not taken for ours", async () => {
  const system = await aSystem();
  const { here, first, worker, work } = system;
  await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(13), work);
  person(here).setStatus(first.keyId, "Active");
  await here.pass(days(1), work);
  person(here).setStatus(first.keyId, "Inactive");
  here.clock.advance(minutes(20));
  await lose(system);
  worker.rollBackTo("v1");
  await here.pass(days(2));
  expect(ofKey(here, first.keyId)).toBe("Inactive");
});
