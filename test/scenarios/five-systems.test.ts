import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SystemName } from "../world/five-systems.ts";
import { setUpScenario } from "./setup.ts";
import type { Scenario } from "./setup.ts";

interface Expected {
  readonly system: SystemName;
  readonly consumers: readonly string[];
  readonly callsMin: number;
}

const EXPECTED: readonly Expected[] = [
  { system: "matchmaking", consumers: ["Worker matchmaking"], callsMin: 400 },
  { system: "ai-math-tutor", consumers: ["CI", "deploy laptop"], callsMin: 1_000 },
  { system: "cognito-admin", consumers: ["Worker cognito-admin"], callsMin: 400 },
  { system: "flowid", consumers: ["laptop A", "laptop B", "laptop C", "laptop D"], callsMin: 1_000 },
  { system: "invoice-scanner", consumers: ["command line", "nightly job"], callsMin: 300 },
];
const SYSTEMS = EXPECTED.map(({ system }) => system);
/** The last of them ends on day 93: rotated after 75 days, and 18 more for the end of it. */
const DAYS_MAX = 94;

/** One run serves all: the systems share an account, as they do where Keyturn is installed. */
let scenario: Scenario;
/** The keys that were alone and current, in their order, by system. */
const lives = new Map<SystemName, string[]>(SYSTEMS.map((system) => [system, []]));

function noteLives(): boolean {
  for (const [system, lived] of lives) {
    const current = scenario.currentOf(system);
    const isAlone = scenario.keysOf(system).join() === `${current ?? "none"} Active`;
    if (isAlone && current !== null && !lived.includes(current)) lived.push(current);
  }
  return SYSTEMS.every((system) => rotationsOf(system) >= 2);
}

const rotationsOf = (system: SystemName): number =>
  (lives.get(system) ?? []).filter((id) => id !== scenario.local.systems[system].firstPair.keyId).length;

beforeAll(async () => {
  scenario = await setUpScenario({ systems: SYSTEMS });
  await scenario.passUntil(noteLives, DAYS_MAX);
}, 120_000);
afterAll(async () => scenario.close());

describe.for(EXPECTED)("$system", ({ system, consumers, callsMin }) => {
  test("rotates the key that its owner made and then its own, and no consumer's call fails", () => {
    expect(rotationsOf(system)).toBe(2);
    const current = scenario.currentOf(system) ?? "";
    expect(scenario.keysOf(system)).toEqual([`${current} Active`]);
    const books = scenario.booksOf(system);
    expect(books.flatMap(({ failures }) => failures)).toEqual([]);
    expect(books.map(({ consumer }) => consumer)).toEqual(consumers);
    expect(books.map((book) => book.latest()?.key)).toEqual(consumers.map(() => current.slice(-4)));
    expect(books.reduce((sum, book) => sum + book.count(), 0)).toBeGreaterThan(callsMin);
  });
});
