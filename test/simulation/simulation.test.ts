import { describe, expect, test } from "vitest";
import type { World } from "../../src/rotation/world.ts";
import { KEPT } from "./kept.ts";
import { drawLife } from "./life.ts";
import type { Life } from "./life.ts";
import { FIXED } from "./seeds.ts";
import { live, simulate } from "./simulate.ts";
import type { SeedResult } from "./simulate.ts";

const quickly = (seed: number): Promise<SeedResult> => simulate(seed, { isTraced: false });

const TIMEOUT_MS = 30_000;

describe("a simulated life of 120 days breaks no promise", { timeout: TIMEOUT_MS }, () => {
  test.for(FIXED.map((seed) => [seed] as const))("seed %i", async ([seed]) => {
    expect((await quickly(seed)).violations).toEqual([]);
  });

  test.for(KEPT.map((kept) => [kept.name, kept.found, kept.life] as const))(
    "the life %s, which once found %s",
    async ([, , life]) => {
      expect((await live(life, { isTraced: false })).violations).toEqual([]);
    },
  );
});

test("the same seed gives the same trace, to the byte", { timeout: TIMEOUT_MS }, async () => {
  const [one, other] = [await simulate(7), await simulate(7)];
  expect(one.trace.length).toBeGreaterThan(200);
  expect(one.trace.join("\n")).toBe(other.trace.join("\n"));
  expect(one.stats).toEqual(other.stats);
});

test("a life that was written down and read again is the same life", { timeout: TIMEOUT_MS }, async () => {
  const life = JSON.parse(JSON.stringify(drawLife(7))) as Life;
  expect((await live(life)).trace).toEqual((await simulate(7)).trace);
});

test("a crowded life has all that goes wrong in the ordinary one, and as much again for each time", () => {
  const [one, three] = [drawLife(24), drawLife(24, 3)];
  for (const part of ["troubles", "deeds", "words", "leaks"] as const) {
    const [few, many] = [one[part] ?? [], three[part] ?? []];
    expect(many).toEqual(expect.arrayContaining([...few]));
    expect([part, many.length >= few.length]).toEqual([part, true]);
  }
  expect(three.troubles.length).toBeGreaterThan(2 * one.troubles.length);
  expect([three.users, three.cloud]).toEqual([one.users, one.cloud]);
});

/** Takes the old key away as soon as the new one is current, as every published rotator does. */
function hasty(world: World): World {
  const { custody, accessKeys } = world;
  return {
    ...world,
    custody: {
      ...custody,
      promote: async (user, pending, current) => {
        await custody.promote(user, pending, current);
        for (const key of await accessKeys.list(user)) {
          if (key.id !== pending.keyId) await accessKeys.setStatus(user, key.id, "inactive");
        }
      },
    },
  };
}

/** Takes what it could not ask for a key that nobody uses. */
function credulous(world: World): World {
  const { evidence } = world;
  return {
    ...world,
    evidence: {
      answer: async (question, context) => {
        const answer = await evidence.answer(question, context);
        const isUse = answer.source === "last-used" || answer.source === "cloudtrail";
        if (!isUse || answer.use.verdict !== "unknown") return answer;
        const now = world.clock.now();
        return { ...answer, use: { verdict: "unused", from: now, to: now } };
      },
    },
  };
}

/** Deletes where it should deactivate. */
function final(world: World): World {
  const { accessKeys } = world;
  return {
    ...world,
    accessKeys: {
      ...accessKeys,
      setStatus: async (user, id, status) => {
        await accessKeys.setStatus(user, id, status);
        if (status === "inactive") await accessKeys.delete(user, id);
      },
    },
  };
}

describe("a mistake is found within some seeds", { timeout: TIMEOUT_MS }, () => {
  async function seedsUntil(invariant: string, bend: (world: World) => World, from = 1): Promise<number> {
    for (let seed = from; seed < from + 60; seed += 1) {
      const { violations } = await simulate(seed, { isTraced: false, bend });
      if (violations.some((violation) => violation.invariant === invariant)) return seed;
    }
    return Number.POSITIVE_INFINITY;
  }

  test("the old key goes at once", async () => {
    expect(await seedsUntil("INV-1", hasty)).toBeLessThan(30);
  });

  test("unknown is taken for unused", async () => {
    expect(await seedsUntil("INV-9", credulous, 15)).toBeLessThan(75);
  });

  test("a key is deleted and never soaks", async () => {
    expect(await seedsUntil("INV-2", final)).toBeLessThan(10);
  });
});
