import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { setUpScenario } from "./setup.ts";
import type { Scenario } from "./setup.ts";

const USER = "cloudflare-sveltekit-lambda-invoker";

/** What is deployed and the built command line, over the wire, and a Worker that calls Lambda from beginning to end: one story. */
let scenario: Scenario;
beforeAll(async () => {
  scenario = await setUpScenario({ systems: ["matchmaking"], bundle: "dist/operator-test/keyturn.cjs" });
}, 60_000);
afterAll(async () => scenario.close());

const say = async (...words: readonly string[]): Promise<string> => scenario.keyturn(...words);
const current = (): string => scenario.currentOf("matchmaking") ?? "";
const failures = () => scenario.booksOf("matchmaking").flatMap((book) => book.failures);
const isAt = (key: string, status: string) => (): boolean =>
  scenario.keysOf("matchmaking").includes(`${key} ${status}`);
/** Days of which the Worker works the last. */
const passDays = async (days: number): Promise<void> => {
  let hours = 0;
  scenario.leap(days - 1);
  await scenario.passUntil(() => hours++ >= 24, 2);
};

describe("the operator's commands, typed, on what is deployed", () => {
  test("a rollback is refused in the first rotation: the key before was made by hand", async () => {
    await scenario.passUntil(() => current() !== "", 3);
    await expect(say("rollback", USER)).rejects.toThrow(
      `obeying rollback of ${USER}, custody holds no earlier pair: the key before was made by hand`,
    );
  });

  test("a pause keeps the old key from going, until a resume", async () => {
    const first = scenario.local.systems.matchmaking.firstPair.keyId;
    expect(await say("pause", "--reason", "a freeze")).toContain(": a freeze");
    await passDays(13);
    expect(isAt(first, "Active")()).toBe(true);
    await say("resume");
    await scenario.passUntil(isAt(first, "Inactive"), 1);
  });

  test("a rotation that is asked for comes at once, by the ordinary steps", async () => {
    const second = current();
    await passDays(7);
    await scenario.passUntil(() => scenario.keysOf("matchmaking").join() === `${second} Active`, 2);
    const [done, ...steps] = (await say("rotate", USER)).split("\n");
    expect(done).toBe(`${second} is replaced as soon as every rule allows it`);
    expect(steps.map((step) => step.split(/ +/)[0])).toEqual([
      "",
      "STEP",
      "create-replacement",
      "prove",
      "deliver",
      "promote",
      "hold",
    ]);
    expect(current()).not.toBe(second);
  });

  test("a key that was deactivated is made active again, and stays so", async () => {
    const [old = ""] = scenario.keysOf("matchmaking").map((key) => key.split(" ")[0]);
    await passDays(2);
    await passDays(9);
    await scenario.passUntil(isAt(old, "Inactive"), 2);
    expect(await say("reactivate", USER, old)).toContain(`${old} is Active again`);
    await passDays(12);
    expect(isAt(old, "Active")()).toBe(true);
  });

  test("a rollback in the second rotation sends the Worker back to the pair before", async () => {
    const [old = ""] = scenario.keysOf("matchmaking").map((key) => key.split(" ")[0]);
    expect(await say("rollback", USER)).toBe(
      `${old} is current again, everywhere; the user is held until it is released`,
    );
    expect(await say("rollback", USER)).toBe(`${old} is current again already, and the user is held`);
    await passDays(1);
    expect(current()).toBe(old);
    expect(scenario.booksOf("matchmaking").map((book) => book.latest()?.key)).toEqual([old.slice(-4)]);
    expect(await say("release", USER)).toBe(`${USER} is no longer held`);
  });

  test("and none of the Worker's calls failed", () => {
    expect(failures()).toEqual([]);
    expect(scenario.booksOf("matchmaking")[0]?.count()).toBeGreaterThan(50);
  });
});
