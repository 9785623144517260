import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/rotation/errors.ts";
import { userName } from "../../src/rotation/keys.ts";
import { days, hours, instant, minutes, plus } from "../../src/rotation/time.ts";
import type { Journal, World } from "../../src/rotation/world.ts";
import type { DirectWorld } from "../world/direct/world.ts";
import { aSystem, custodyOf, DEPLOY, dyingWorld, journalWith, lastOf, ofKey, person } from "../world/system.ts";
import type { System } from "../world/system.ts";

const ACTS = ["iam.CreateAccessKey", "iam.UpdateAccessKey", "iam.DeleteAccessKey"];
const actsOf = ({ here }: System): (number | undefined)[] => ACTS.map((name) => here.cloud.counts.get(name));

describe("two sweeps at the same time", () => {
  test("do every act of a whole rotation once", async () => {
    const system = await aSystem();
    const { here, first, worker, calls, work } = system;
    const limit = here.clock.now() + days(20);
    while (ofKey(here, first.keyId) !== "gone" && here.clock.now() < limit) {
      here.clock.advance(hours(1));
      work();
      await Promise.all([here.sweep(), here.sweep(), here.sweep()]);
    }
    expect(actsOf(system)).toEqual([1, 1, 1]);
    expect(worker.deliveries).toHaveLength(1);
    expect(calls.failures()).toEqual([]);
  });

  test("whose loser is withdrawn, and is no failure", async () => {
    const { here } = await aSystem();
    const results = await Promise.all([here.sweep(), here.sweep()]);
    expect(results.map(({ status }) => status)).toEqual(["ok", "ok"]);
    expect(
      results
        .map((result) => lastOf(result))
        .toSorted()
        .at(0),
    ).toBe("create create-replacement KeyDue withdrawn");
  });

  test("also when they start a little apart, at any of the first hundred moments", async () => {
    for (let apart = 1; apart < 100; apart += 7) {
      const system = await aSystem();
      const { here, worker } = system;
      let requests = 0;
      const second: Promise<unknown>[] = [];
      const stop = here.cloud.onCall(() => {
        requests += 1;
        if (requests !== apart) return;
        stop();
        second.push(here.sweep());
      });
      await here.sweep();
      await Promise.all(second);
      await here.pass(hours(2));
      expect([apart, ...actsOf(system)]).toEqual([apart, 1, undefined, undefined]);
      expect(worker.pair().keyId).toBe(custodyOf(here));
    }
  });
});

describe("a lease", () => {
  test.for([
    ["that another run holds stops every act", minutes(5), "create create-replacement KeyDue withdrawn"],
    ["that expired stops nothing", -1, "retire hold OldKeyQuieting held"],
  ] as const)("%s", async ([, restMs, last]) => {
    const { here } = await aSystem();
    // A paused sweep writes a first record.
    await here.journal.setRunning(null);
    await here.sweep();
    const world = here.run();
    await world.identity.read();
    const now = world.clock.now();
    await here.journal.setRunning(now);
    const user = userName(DEPLOY);
    const read = await here.journal.read(user);
    if (read.record === null) throw new Error("there is a record");
    const lease = { user, holder: "another run", until: plus(now, restMs) };
    await here.journal.write(read, { record: read.record, lease, now, history: [] });
    expect(lastOf(await here.sweep())).toBe(last);
  });

  test("of a run that died is over before the next sweep, which goes on where it stopped", async () => {
    for (const operation of ["CreateSecret", "GetCallerIdentity", "UpdateSecretVersionStage"]) {
      let isDead = false;
      const { here, worker } = await aSystem({ bend: (world) => dyingWorld(world, () => isDead) });
      let seen = 0;
      const stop = here.cloud.onCall((call) => {
        seen += call.operation === operation ? 1 : 0;
        // The first GetCallerIdentity asks who we are.
        if (seen > (operation === "GetCallerIdentity" ? 1 : 0)) isDead = true;
      });
      await here.sweep();
      stop();
      expect(isDead).toBe(true);
      isDead = false;
      await here.pass(hours(2));
      expect([operation, worker.pair().keyId]).toEqual([operation, custodyOf(here)]);
    }
  });
});

describe("a write of the journal of which the answer is lost", () => {
  const losing = (nth: number, withEffect: boolean) => {
    let writes = 0;
    return (world: DirectWorld): World => {
      const { journal } = world;
      const write: Journal["write"] = async (revision, next) => {
        writes += 1;
        const isLost = writes === nth;
        if (!isLost || withEffect) {
          const written = await journal.write(revision, next);
          if (!isLost) return written;
        }
        throw new RotationError("Unreachable", "writing the journal, no answer came", {
          outcomeUnknown: true,
        });
      };
      return journalWith(world, { write });
    };
  };

  test.for([true, false])(
    "hurts nobody, whichever write of the rotation it is (with effect: %s)",
    { timeout: 60_000 },
    async (withEffect) => {
      for (let nth = 1; nth <= 30; nth += 3) {
        const system = await aSystem({ bend: losing(nth, withEffect) });
        const { here, first, worker, calls, work } = system;
        await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(40), work);
        expect([nth, worker.pair().keyId]).toEqual([nth, custodyOf(here)]);
        expect([nth, here.keysOf(DEPLOY).length]).toEqual([nth, 1]);
        expect([nth, ...calls.failures()]).toEqual([nth]);
      }
    },
  );
});

test("N15: a clock that differs from AWS's acts on nothing more", async () => {
  const { here, first, worker, calls, work } = await aSystem({
    bend: (world) => ({
      ...world,
      clock: {
        ...world.clock,
        now: () => {
          throw new RotationError("Bug", "reading the clock, it differs by 8 d from AWS's");
        },
      },
    }),
  });
  await expect(here.sweep()).rejects.toThrow(/differs/);
  here.bend = null;
  await here.pass(days(5), work);
  let asked = 0;
  here.bend = (world) => ({
    ...world,
    clock: {
      ...world.clock,
      now: () => {
        asked += 1;
        if (asked > 2) throw new RotationError("Bug", "reading the clock, it differs by 8 d");
        return world.clock.now();
      },
    },
  });
  await here.sweep().catch(() => null);
  expect(ofKey(here, first.keyId)).toBe("Active");
  expect(worker.deliveries).toHaveLength(1);
  expect(calls.failures()).toEqual([]);
});

test("a run that another keeps from the user does not even take a label away", async () => {
  const { here, worker } = await aSystem();
  const user = userName(DEPLOY);
  worker.failing = "before";
  await here.sweep();
  const pendingId = custodyOf(here, "AWSPENDING") ?? "";
  person(here).deleteKey(pendingId);
  await here.pass(hours(1));
  const read = await here.journal.read(user);
  if (read.record === null) throw new Error("there is a record");
  const lease = { user, holder: "another run", until: plus(instant(here.clock.now()), hours(2)) };
  await here.journal.write(read, { record: read.record, lease, now: instant(here.clock.now()), history: [] });
  const [held] = await here.pass(hours(1));
  expect([lastOf(held), custodyOf(here, "AWSPENDING")]).toEqual([
    "stranger withdraw-pending PendingGone withdrawn",
    pendingId,
  ]);
});

test("a deactivation that is sent minutes after it was written down is known for ours by whoever looked in between", async () => {
  const { here, first, worker, work } = await aSystem();
  // The process is frozen between the two, for longer than its lease lasts, and dies of it.
  let isDead = false;
  here.bend = (real) => {
    const world = dyingWorld(real, () => isDead);
    const setStatus: World["accessKeys"]["setStatus"] = async (...asked) => {
      here.bend = (other) => dyingWorld(other, () => isDead);
      isDead = false;
      here.clock.advance(minutes(8));
      await here.sweep();
      await real.accessKeys.setStatus(...asked);
      worker.rollBackTo("v1");
      isDead = true;
    };
    return { ...world, accessKeys: { ...world.accessKeys, setStatus } };
  };
  await here.passUntil(() => isDead, days(13), work);
  isDead = false;
  expect(ofKey(here, first.keyId)).toBe("Inactive");
  // CloudTrail does not tell of it yet.
  here.clock.advance(minutes(1));
  await here.sweep();
  expect(ofKey(here, first.keyId)).toBe("Active");
});
