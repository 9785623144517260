import { expect, test } from "vitest";
import type { DirectWorld } from "./world/direct/world.ts";
import { install } from "./world/installation.ts";

test("a sweep ends with one line that counts what it did, and says what failed", async () => {
  const runs: DirectWorld[] = [];
  const installation = await install({
    profiles: {},
    bend: (world) => {
      if (runs.length === 0) world.notifier.failure = new Error("nobody listens");
      runs.push(world);
      return world;
    },
  });
  for (const name of ["first", "second"]) {
    installation.cloud.iam.createUser({ name, tags: { keyturn: "unknown-profile" } });
    installation.cloud.iam.createKey(name);
  }
  await installation.sweep();
  await installation.sweep();
  const ends = runs.map(({ log }) => log.events.filter(({ message }) => message === "sweep ended"));
  expect(ends).toMatchObject([
    [{ level: "error", fields: { status: "failed", users: 2, failedNotifiers: ["recorder"] } }],
    [{ level: "info", fields: { command: "sweep", status: "ok", failed: 0, left: 0 } }],
  ]);
});

test("S9: a sweep whose time is short begins with the users that the last one left", async () => {
  const begun = [1, 2];
  const installation = await install({
    profiles: {},
    bend: (world) => {
      let left = begun.shift() ?? 0;
      // Before each user the sweep asks what is left of its time.
      const remainingMs = (): number => (left-- > 0 ? world.clock.remainingMs() : 0);
      return { ...world, clock: { ...world.clock, remainingMs } };
    },
  });
  for (const name of ["first", "second", "third"]) {
    installation.cloud.iam.createUser({ name, tags: { keyturn: "unknown-profile" } });
  }
  const [one, other] = [await installation.sweep(), await installation.sweep()];
  expect([one.users.map(({ user }) => user), one.left]).toEqual([["first"], ["second", "third"]]);
  expect([other.users.map(({ user }) => user), other.left]).toEqual([["second", "third"], ["first"]]);
});

test("what else is kept in order has its turn after the users of a whole sweep that acts, and of no other", async () => {
  const said: string[] = [];
  const installation = await install({
    profiles: {},
    bend: (world) => ({
      ...world,
      upkeep: {
        run: () => {
          const ended = world.log.events.some(({ message }) => message === "sweep ended");
          said.push(ended ? "after the end" : "before the end");
          return Promise.resolve();
        },
      },
    }),
  });
  installation.cloud.iam.createUser({ name: "first", tags: { keyturn: "unknown-profile" } });
  await installation.sweep();
  expect(said).toEqual(["before the end"]);
  await installation.sweep(["first"]);
  await installation.journal.setRunning(null);
  await installation.sweep();
  expect(said).toHaveLength(1);
});
