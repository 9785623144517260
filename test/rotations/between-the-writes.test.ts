import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/rotation/errors.ts";
import { days, hours, plus } from "../../src/rotation/time.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import { aSystem, custodyOf, DEPLOY, doneIn, dyingWorld, journalWith, lastOf, ofKey, person } from "../world/system.ts";
import type { System } from "../world/system.ts";
import type { World } from "../../src/rotation/world.ts";

/** The Worker is looked at every three to five hours: twice in ten. */
const RESTS = 8;

/** Goes on until the old key is gone, and a day longer; tells how many of the last ten sweeps left the user alone. */
async function restsAtLast({ here, first, work }: System): Promise<number> {
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(40), work);
  await here.pass(days(1), work);
  const results = await here.pass(hours(10), work);
  return results.reduce((sum, { resting }) => sum + resting, 0);
}

describe("a run that goes on from its own answers", () => {
  test("looks again after a slow delivery: a replacement that a person disables meanwhile goes nowhere else", async () => {
    const { here, first, worker } = await aSystem();
    const second = memoryDestination("cloudflare-worker:zzz", first);
    const deliver = worker.deliver.bind(worker);
    worker.deliver = async (credential, anchor) => {
      const receipt = await deliver(credential, anchor);
      person(here).setStatus(credential.id, "Inactive");
      here.clock.advance(90_000);
      return receipt;
    };
    here.destinations = { ci: [worker, second] };
    await here.sweep();
    expect([second.deliveries, custodyOf(here)]).toEqual([[], null]);
  });
});

describe("a user comes to rest after its rotation", () => {
  test("that nothing disturbed", async () => {
    expect(await restsAtLast(await aSystem())).toBe(RESTS);
  });
  test("whose run died right after the promotion", async () => {
    let isDead = false;
    const system = await aSystem({ bend: (world) => dyingWorld(world, () => isDead) });
    const { here } = system;
    let moves = 0;
    const stop = here.cloud.onCall((call) => {
      if (call.operation !== "UpdateSecretVersionStage") return;
      moves += 1;
      if (moves === 2) isDead = true;
    });
    await here.sweep().catch(() => null);
    stop();
    here.bend = null;
    expect(isDead).toBe(true);
    expect(await restsAtLast(system)).toBe(RESTS);
  });
  test("whose closing write failed", async () => {
    const system = await aSystem();
    const { here } = system;
    here.bend = (world) =>
      journalWith(world, {
        write: async (revision, next) => {
          if (next.lease === null) throw new RotationError("Unreachable", "writing, 500", { outcomeUnknown: true });
          return world.journal.write(revision, next);
        },
      });
    await here.sweep();
    here.bend = null;
    expect(await restsAtLast(system)).toBe(RESTS);
  });
  test("of which the receipt's write was made, and its answer lost", async () => {
    const system = await aSystem();
    const { here } = system;
    let isLost = false;
    here.bend = (world) =>
      journalWith(world, {
        write: async (revision, next) => {
          const written = await world.journal.write(revision, next);
          if (isLost || !next.history.some(({ what }) => what.startsWith("delivered"))) return written;
          isLost = true;
          throw new RotationError("Unreachable", "writing, no answer", { outcomeUnknown: true });
        },
      });
    await here.sweep();
    here.bend = null;
    expect(isLost).toBe(true);
    expect(await restsAtLast(system)).toBe(RESTS);
  });
  test("although a destination that failed has left the profile", async () => {
    const system = await aSystem({ ageMs: days(20) });
    const { here, first, worker, work } = system;
    const second = memoryDestination("cloudflare-worker:zzz", first);
    second.failing = "before";
    await here.pass(days(56), work);
    here.destinations = { ci: [worker, second] };
    await here.pass(hours(2), work);
    here.destinations = { ci: [worker] };
    expect(await restsAtLast(system)).toBe(RESTS);
  });
});

describe("half-done work whose tag is removed is told within two sweeps, though it was begun", () => {
  test("by a sweep of named users", async () => {
    const { here, work } = await aSystem({ ageMs: days(75) - hours(6) - 1_800_000 });
    await here.sweep();
    await here.pass(hours(1), work);
    here.clock.advance(hours(1));
    const named = await here.sweep([DEPLOY]);
    expect(doneIn(named)).toContain("promote");
    person(here).untag("keyturn");
    const [next] = await here.pass(hours(1), work);
    expect(lastOf(next)).toBe("not-ours-to-touch hold NotEnrolled held");
  });
  test("by a sweep that died before its end", async () => {
    const { here, work } = await aSystem({ ageMs: days(75) - hours(6) - 1_800_000 });
    await here.sweep();
    await here.pass(hours(1), work);
    let isDead = false;
    here.bend = (world) => {
      const promote: World["custody"]["promote"] = async (...of) => {
        await world.custody.promote(...of);
        isDead = true;
      };
      return dyingWorld({ ...world, custody: { ...world.custody, promote } }, () => isDead);
    };
    here.clock.advance(hours(1));
    await here.sweep().catch(() => null);
    expect([isDead, here.keysOf(DEPLOY).length]).toEqual([true, 2]);
    here.bend = null;
    person(here).untag("keyturn");
    const [next] = await here.pass(hours(1), work);
    expect(lastOf(next)).toBe("not-ours-to-touch hold NotEnrolled held");
  });
});

describe("a use that was seen once is not forgotten", () => {
  test("when the second look saw it and last-used forgets it", async () => {
    const { here, first, work } = await aSystem();
    await here.pass(hours(5), work);
    let isSeen = false;
    let asked = 0;
    here.bend = (world) => {
      asked = 0;
      return {
        ...world,
        evidence: {
          answer: async (question, context) => {
            const answer = await world.evidence.answer(question, context);
            if (question.source !== "last-used" || question.keyId !== first.keyId) return answer;
            asked += 1;
            if (isSeen || asked < 2) return answer;
            isSeen = true;
            const latest = { at: plus(world.clock.now(), -hours(2)), service: "s3", region: "us-east-1", detail: null };
            return { source: "last-used", keyId: question.keyId, use: { verdict: "used", latest } };
          },
        },
      };
    };
    await here.passUntil(() => isSeen, days(14), work);
    expect(ofKey(here, first.keyId)).toBe("Active");
    await here.pass(days(2), work);
    expect(ofKey(here, first.keyId)).toBe("Active");
  });
});

describe("two sweeps at once", () => {
  test("a whole sweep that read the records before a named one began to create tells nobody of a stranger", async () => {
    const { here, first, work } = await aSystem();
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(40), work);
    await here.pass(hours(8), work);
    const second = here.cloud.iam.keys.get(custodyOf(here) ?? "");
    here.clock.advance((second?.createdAtMs ?? 0) + days(75) - here.clock.now() - hours(3));
    await here.pass(hours(2), work);
    here.clock.advance(hours(2));
    const told = here.told.length;
    // The named sweep waits between CreateAccessKey and PutSecretValue, while the whole one looks.
    let open = (): void => undefined;
    const isLooking = new Promise<void>((resolve) => (open = resolve));
    let madeIt = (): void => undefined;
    const isMade = new Promise<void>((resolve) => (madeIt = resolve));
    let hasRead = (): void => undefined;
    const isRead = new Promise<void>((resolve) => (hasRead = resolve));
    const named = isRead.then(async () => here.sweep([DEPLOY]));
    here.bend = (world) => {
      return journalWith(world, {
        readMany: async (users) => {
          const found = await world.journal.readMany(users);
          here.bend = (other) => ({
            ...other,
            custody: {
              ...other.custody,
              storePending: async (user, credential) => {
                madeIt();
                await isLooking;
                return other.custody.storePending(user, credential);
              },
            },
          });
          hasRead();
          await isMade;
          return found;
        },
      });
    };
    await here.sweep();
    open();
    await named;
    here.bend = null;
    expect(here.told.slice(told).filter((line) => line.startsWith(DEPLOY))).toEqual([]);
  });
});
