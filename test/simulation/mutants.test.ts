import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { bundleMutant } from "../../scripts/mutants/bundle.ts";
import { decide } from "../../src/decide/decide.ts";
import { RULES } from "../../src/decide/rules/index.ts";
import type { Situation } from "../../src/rotation/decision.ts";
import { diceOf } from "./dice.ts";
import type { Dice } from "./dice.ts";
import type { live as Live, simulate as Simulate } from "./entry.ts";
import { KEPT } from "./kept.ts";
import { MUTANTS } from "./mutants/index.ts";
import { APART } from "./mutants/rules.ts";
import { WATCH } from "./mutants/mutant.ts";
import type { Patch } from "./mutants/mutant.ts";
import { FIXED } from "./seeds.ts";

const TIMEOUT_MS = 60_000;

interface Bundled {
  readonly simulate: typeof Simulate;
  readonly live: typeof Live;
}

async function bundled(patches: readonly Patch[]): Promise<Bundled> {
  const { file } = await bundleMutant(patches);
  return (await import(pathToFileURL(file).href)) as Bundled;
}

describe("the simulation keeps its teeth", { timeout: TIMEOUT_MS }, () => {
  test.for(KEPT.flatMap(({ name, mutant, life }) => (mutant === null ? [] : [[mutant, name, life] as const])))(
    "the mutant %s breaks a promise in the life %s",
    async ([name, , life]) => {
      const mutant = MUTANTS.find((found) => found.name === name);
      const { live } = await bundled(mutant?.patches ?? []);
      expect((await live(life, { isTraced: false })).violations).not.toEqual([]);
    },
  );

  test.for(MUTANTS.flatMap(({ name, patches }) => patches.map((patch) => [name, patch] as const)))(
    "the text that the mutant %s changes is in the source exactly once",
    ([, { file, find }]) => {
      expect(readFileSync(file, "utf8").split(find)).toHaveLength(2);
    },
  );

  test("every mistake has a name of its own", () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });
});

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
  const { simulate } = await bundled([WATCH]);
  const dice = diceOf(seed, "situations");
  const met: Situation[] = [];
  const watching = globalThis as typeof globalThis & { keyturnDecided?: (situation: Situation) => void };
  watching.keyturnDecided = (situation) => {
    const { custody } = situation.observation;
    // Most sweeps meet what the one before them met; a pending key is soon gone.
    if (dice.chance(0.1) || (custody.kind === "present" && custody.pending !== null)) met.push(situation);
  };
  await simulate(seed, { isTraced: false });
  delete watching.keyturnDecided;
  return met;
}

/** The situations in which the rules would decide otherwise with two neighbours swapped. */
function otherwise(situations: readonly Situation[], [above, below]: readonly [string, string]): readonly Situation[] {
  const at = RULES.findIndex(({ name }) => name === above);
  const pair = RULES.slice(at, at + 2);
  expect(pair.map(({ name }) => name)).toEqual([above, below]);
  const swapped = RULES.toSpliced(at, 2, ...pair.toReversed());
  return situations.filter((situation) => {
    const [ruled, other] = [decide(situation), decide(situation, swapped)];
    return ruled.rule !== other.rule || ruled.because !== other.because;
  });
}

test("neighbours that never rule at once may stand in either order", { timeout: TIMEOUT_MS }, async () => {
  const met: Situation[] = [];
  for (const seed of FIXED) met.push(...(await situationsOf(seed)));
  const dice = diceOf(1, "crossings");
  const situations = [...met, ...Array.from({ length: 20_000 }, () => crossed(dice, met))];
  for (const pair of APART) expect(otherwise(situations, pair)).toEqual([]);
  // These situations are able to tell: others may not be swapped.
  expect(otherwise(situations, ["deliver", "promote"]).length).toBeGreaterThan(0);
});
