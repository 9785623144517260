import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/rotation/errors.ts";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import { holdOf, say } from "../world/operator.ts";
import type { Word } from "../world/operator.ts";
import { aSystem, custodyOf, DEPLOY, dyingWorld, ofKey, person } from "../world/system.ts";
import type { System } from "../world/system.ts";

/** A system, with the word that is typed in it, and what must be so once it was done. */
interface Case {
  readonly system: System;
  readonly word: Word;
  readonly isDone: () => boolean;
}

/** In its second rotation, the previous key Inactive: a rollback has to do everything that it can. */
async function rollback(): Promise<Case> {
  const system = await aSystem();
  const { here, worker, work } = system;
  await here.pass(hours(3), work);
  const second = custodyOf(here) ?? "";
  await here.passUntil(() => custodyOf(here) !== second, days(90), work);
  await here.passUntil(() => ofKey(here, second) === "Inactive", days(20), work);
  const isDone = (): boolean =>
    custodyOf(here) === second && worker.pair().keyId === second && (holdOf(here) ?? "").includes(second);
  return { system, word: { command: "rollback" }, isDone };
}

/** The current key was deleted: a rotation begins with an empty custody. */
async function rotateAfterDeletion(): Promise<Case> {
  const system = await aSystem();
  const { here, first, worker, work } = system;
  await here.pass(hours(3), work);
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(30), work);
  const second = custodyOf(here) ?? "";
  person(here).deleteKey(second);
  await here.pass(hours(2));
  const isDone = (): boolean =>
    custodyOf(here) !== null && custodyOf(here) !== second && worker.pair().keyId === custodyOf(here);
  return { system, word: { command: "rotate" }, isDone };
}

/** A person made a key, and deleted the current one. */
async function adopt(): Promise<Case> {
  const system = await aSystem();
  const { here, first, worker, work } = system;
  await here.pass(hours(3), work);
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(30), work);
  const made = person(here).createKey();
  worker.setByHand(made);
  person(here).deleteKey(custodyOf(here) ?? "");
  await here.pass(hours(2));
  return { system, word: { command: "adopt", key: made.keyId }, isDone: () => custodyOf(here) === null };
}

async function reactivate(): Promise<Case> {
  const system = await aSystem();
  const { here, first, work } = system;
  await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(20), work);
  const word = { command: "reactivate", key: first.keyId };
  return { system, word, isDone: () => ofKey(here, first.keyId) === "Active" };
}

const codeOf = (error: unknown): string => (error instanceof RotationError ? error.code : String(error));

const CASES = { rollback, rotate: rotateAfterDeletion, adopt, reactivate };
const REQUESTS_MAX = 60;

describe("a command that dies at any of its requests", () => {
  test.for(Object.entries(CASES))(
    "%s: hurts nobody while it is half done, and said again completes",
    { timeout: 120_000 },
    async ([, make]) => {
      let deaths = 0;
      for (let nth = 1; nth <= REQUESTS_MAX; nth += 4) {
        const { system, word, isDone } = await make();
        const { here, calls, work } = system;
        const failedBefore = calls.failures().length;
        let isDead = false;
        let requests = 0;
        const stop = here.cloud.onCall(() => {
          requests += 1;
          if (requests >= nth) isDead = true;
        });
        await say(here, word, (world) => dyingWorld(world, () => isDead)).catch(() => null);
        stop();
        const died = isDead;
        // Sweeps come in between, and the lease of the dead runs out.
        here.clock.advance(minutes(6));
        await here.pass(hours(1), word.command === "rotate" ? () => {} : work);
        await say(here, word);
        // A key whose secret died with the run is deleted first, when nobody can have used it.
        if (word.command === "rotate") await here.passUntil(isDone, days(1));
        expect([nth, isDone()]).toEqual([nth, true]);
        work();
        expect([nth, calls.failures().length]).toEqual([nth, failedBefore]);
        if (!died) break;
        deaths += 1;
      }
      expect(deaths).toBeGreaterThan(1);
    },
  );
});

describe("a command whose write's answer is lost", () => {
  test.for([
    ["iam", "TagUser"],
    ["iam", "UpdateAccessKey"],
    ["secretsmanager", "UpdateSecretVersionStage"],
  ] as const)("rollback, at %s %s: said again completes", async ([service, operation]) => {
    const { system, word, isDone } = await rollback();
    const { here, calls, work } = system;
    here.cloud.faults.add({ service, operation, kind: "lost-after", times: 1 });
    // The call itself is repeated by nobody, and its effect is found the next time.
    expect(["done", "Unreachable"]).toContain(await say(here, word).then(() => "done", codeOf));
    here.clock.advance(minutes(6));
    await say(here, word);
    expect(isDone()).toBe(true);
    work();
    expect(calls.failures()).toEqual([]);
  });
});

describe("a command beside a sweep", () => {
  test.for(Object.entries(CASES))(
    "%s: one of them has the user, at any moment of either",
    { timeout: 120_000 },
    async ([, make]) => {
      for (let apart = 1; apart < 40; apart += 9) {
        const { system, word, isDone } = await make();
        const { here, calls } = system;
        let requests = 0;
        const said: Promise<unknown>[] = [];
        const stop = here.cloud.onCall(() => {
          requests += 1;
          if (requests !== apart) return;
          stop();
          said.push(say(here, word).then(() => "done", codeOf));
        });
        await here.sweep();
        stop();
        expect(["done", "Conflict", undefined]).toContain((await Promise.all(said))[0]);
        here.clock.advance(minutes(6));
        await say(here, word);
        expect([apart, isDone()]).toEqual([apart, true]);
        expect([apart, here.keysOf(DEPLOY).length <= 2]).toEqual([apart, true]);
        expect([apart, ...calls.failures()]).toEqual([apart]);
      }
    },
  );
});

test("a rollback that forgets to deliver is noticed: the Worker goes on with the pair that was rolled back", async () => {
  const { system, word, isDone } = await rollback();
  const { here } = system;
  await say(here, word, (world) => ({ ...world, destinations: { of: () => [] } }));
  expect(isDone()).toBe(false);
});

test("a rollback that delivers a key which is Inactive breaks its consumer: that nobody failed above says something", async () => {
  const { system, word } = await rollback();
  const { here, calls, work } = system;
  const arn = `arn:aws:iam::${here.cloud.account}:user/${DEPLOY}`;
  await say(here, word, (world) => ({
    ...world,
    accessKeys: { ...world.accessKeys, setStatus: async () => Promise.resolve() },
    prover: { callerArn: async () => Promise.resolve({ kind: "answered", arn }) },
  }));
  here.clock.advance(minutes(1));
  work();
  expect(calls.failures()).toHaveLength(1);
});
