import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { bundleMutant } from "../../../scripts/mutants/bundle.ts";
import { MUTANTS } from "../mutants/index.ts";
import type { simulate as Simulate } from "./entry.ts";

const TIMEOUT_MS = 60_000;
const ENTRY = "test/simulation/retirement/entry.ts";

async function bundled(mistake: string | null): Promise<typeof Simulate> {
  const mutant = MUTANTS.find(({ name }) => name === mistake);
  const { file } = await bundleMutant(mutant?.patches ?? [], ENTRY);
  const { simulate } = (await import(pathToFileURL(file).href)) as { readonly simulate: typeof Simulate };
  return simulate;
}

describe("retirements with all lags and losses", { timeout: TIMEOUT_MS }, () => {
  let simulate: typeof Simulate;

  beforeAll(async () => {
    simulate = await bundled(null);
  });

  test("no key is taken from anybody who keeps to what the policy declares", async () => {
    const found = [];
    for (let seed = 1; seed <= 300; seed += 1) found.push(await simulate(seed, { isTraced: false }));
    expect(found.filter(({ violations }) => violations.length > 0).map(({ seed }) => seed)).toEqual([]);
    expect(found.filter(({ outcome }) => outcome.deletedMs !== null).length).toBeGreaterThan(200);
  });

  test.for([4, 13, 17, 80, 222, 247, 318, 369] as const)(
    "the sweeps left out of retirement %i would have decided nothing",
    async (seed) => {
      const [some, all] = [
        await simulate(seed, { isTraced: false }),
        await simulate(seed, { isTraced: false, isLeaping: false }),
      ];
      expect(some.outcome).toEqual(all.outcome);
      expect(some.stats.reconciles).toBeLessThan(all.stats.reconciles);
    },
  );

  test("a laptop whose pull gets no answer finds its key, although others of its user have theirs", async () => {
    expect((await simulate(2593)).outcome.verdict).toBe("right");
  });

  test("the same seed gives the same retirement, to the byte", async () => {
    expect((await simulate(4)).trace.join("\n")).toBe((await simulate(4)).trace.join("\n"));
  });
});

describe("a known mistake takes a key that somebody needs", { timeout: TIMEOUT_MS }, () => {
  test.for([
    ["unknown last-used is unused", 114],
    ["CloudTrail approves alone", 17],
    ["one Region only", 196],
    ["quiet without the lag", 9],
    ["adoption by our own probe", 17],
    ["CloudTrail is not asked", 196],
    ["idleAtMost forgotten", 26],
    ["handed over is who asked", 2593],
  ] as const)("%s: retirement %i", async ([mistake, seed]) => {
    const twin = await bundled(mistake);
    const { violations } = await twin(seed, { isTraced: false });
    expect(violations.map(({ invariant }) => invariant)).toEqual(["FALSE UNUSED"]);
  });
});
