import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { bundleMutant } from "../../scripts/mutants/bundle.ts";
import { decide } from "../../src/decide/decide.ts";
import { RULES } from "../../src/decide/rules/index.ts";
import type { Situation } from "../../src/rotation/decision.ts";
import { diceOf } from "./dice.ts";
import type { Dice } from "./dice.ts";
import type { simulate as Simulate } from "./entry.ts";
import { MUTANTS } from "./mutants/index.ts";
import { WATCH } from "./mutants/mutant.ts";
import type { Patch } from "./mutants/mutant.ts";
import { FIXED } from "./seeds.ts";

const TIMEOUT_MS = 60_000;

async function bundled(patches: readonly Patch[]): Promise<typeof Simulate> {
  const { file } = await bundleMutant(patches);
  const { simulate } = (await import(pathToFileURL(file).href)) as { readonly simulate: typeof Simulate };
  return simulate;
}

describe("the simulation keeps its teeth", { timeout: TIMEOUT_MS }, () => {
  const KNOWN = [
    ["create, deliver, deactivate in one breath", 1],
    ["unknown CloudTrail is silent", 1],
    ["no soak", 1],
  ] as const;

  test.for(KNOWN)("the mutant %s breaks a promise in seed %i", async ([name, seed]) => {
    const mutant = MUTANTS.find((found) => found.name === name);
    const simulate = await bundled(mutant?.patches ?? []);
    expect((await simulate(seed, { isTraced: false })).violations).not.toEqual([]);
  });

  test("every mistake has a name of its own", () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });
});

/** Neighbours that never rule at once, because each asks for what the other excludes. */
const APART = [
  ["deliver-again", "make-room"],
  ["make-room", "create"],
  ["create", "retire"],
  ["retire", "delete"],
] as const;

/** Situations that were met, and such as nobody met: what was seen of a user at one time with what was seen at another. */
function crossed(dice: Dice, met: readonly Situation[]): Situation {
  const [one, other, third] = [dice.pick(met), dice.pick(met), dice.pick(met)];
  const observation = {
    ...one.observation,
    keys: dice.chance(0.5) ? other.observation.keys : one.observation.keys,
    custody: dice.chance(0.5) ? third.observation.custody : one.observation.custody,
    record: dice.chance(0.5) ? other.observation.record : one.observation.record,
    evidence: [...one.observation.evidence, ...other.observation.evidence],
    proved: dice.chance(0.5) ? one.observation.proved : other.observation.proved,
  };
  const keys = observation.keys.map((key) => (dice.chance(0.2) ? { ...key, status: "inactive" as const } : key));
  return { ...one, now: dice.pick([one.now, other.now, third.now]), observation: { ...observation, keys } };
}

async function situationsOf(seed: number): Promise<readonly Situation[]> {
  const simulate = await bundled([WATCH]);
  const dice = diceOf(seed, "situations");
  const met: Situation[] = [];
  const watching = globalThis as typeof globalThis & { keyturnDecided?: (situation: Situation) => void };
  watching.keyturnDecided = (situation) => {
    // Most sweeps meet what the one before them met.
    if (dice.chance(0.1)) met.push(situation);
  };
  await simulate(seed, { isTraced: false });
  delete watching.keyturnDecided;
  return met;
}

describe("neighbours that never rule at once may stand in either order", { timeout: TIMEOUT_MS }, () => {
  test.for(FIXED.map((seed) => [seed] as const))("in what seed %i meets, and in its crossings", async ([seed]) => {
    const met = await situationsOf(seed);
    const dice = diceOf(seed, "crossings");
    const situations = [...met, ...Array.from({ length: 4_000 }, () => crossed(dice, met))];
    for (const [above, below] of APART) {
      const at = RULES.findIndex(({ name }) => name === above);
      const [one, other] = [RULES[at], RULES[at + 1]];
      expect(other?.name).toBe(below);
      const swapped = RULES.flatMap((rule) => (rule === one ? (other ?? []) : rule === other ? (one ?? []) : rule));
      for (const situation of situations) {
        const [ruled, otherwise] = [decide(situation), decide(situation, swapped)];
        // Comparing the whole is slow, and these are drawn by the ten thousand.
        if (ruled.rule !== otherwise.rule || ruled.because !== otherwise.because) expect(otherwise).toEqual(ruled);
      }
    }
  });
});
