import { expect, test } from "vitest";
import { days, minutes } from "../../src/rotation/time.ts";
import { aSystem, custodyOf, DEPLOY, dyingWorld, lastOf, ofKey } from "../world/system.ts";
import type { System } from "../world/system.ts";

/** Plays a rotation until a call of this operation is about to be made, an hour before its sweep. */
async function hoursUntil(operation: string): Promise<number> {
  const { here, work } = await aSystem();
  let hour = 0;
  await here.passUntil(
    () => (here.cloud.counts.get(`iam.${operation}`) ?? 0) > 0,
    days(30),
    () => {
      hour += 1;
      work();
    },
  );
  return hour - 1;
}

/** The same rotation, whose sweep dies at its nth request; then a new run goes on. Tells whether it died at all. */
async function dieAt(nth: number, afterHours: number): Promise<{ system: System; died: boolean }> {
  let isDead = false;
  const system = await aSystem();
  const { here, first, work } = system;
  await here.pass(afterHours * 3_600_000, work);
  here.clock.advance(3_600_000);
  here.bend = (world) => dyingWorld(world, () => isDead);
  let requests = 0;
  const stop = here.cloud.onCall(() => {
    requests += 1;
    if (requests >= nth) isDead = true;
  });
  await here.sweep().catch(() => null);
  stop();
  here.bend = null;
  const died = isDead;
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(40), work);
  return { system, died };
}

test.for([
  ["creates, proves, delivers and promotes", "CreateAccessKey"],
  ["deactivates", "UpdateAccessKey"],
  ["deletes", "DeleteAccessKey"],
] as const)(
  "a crash at any request of the sweep that %s leaves a rotation that ends well",
  { timeout: 60_000 },
  async ([, operation]) => {
    const before = operation === "CreateAccessKey" ? 0 : await hoursUntil(operation);
    let deaths = 0;
    for (let nth = 1; nth <= 60; nth += 3) {
      const { system, died } = await dieAt(nth, before);
      const { here, worker, calls } = system;
      expect([nth, here.keysOf(DEPLOY)]).toEqual([nth, [`${custodyOf(here) ?? ""} Active`]]);
      expect([nth, worker.pair().keyId]).toEqual([nth, custodyOf(here)]);
      expect([nth, ...calls.failures()]).toEqual([nth]);
      if (!died) break;
      deaths += 1;
    }
    expect(deaths).toBeGreaterThan(4);
  },
);

test("the proof of a run that died in it is nobody's adoption, though IAM dates the next one with it", async () => {
  let isDead = false;
  const { here, first } = await aSystem({ bend: (world) => dyingWorld(world, () => isDead) });
  const stop = here.cloud.onCall(({ signer }) => {
    const key = here.cloud.iam.keys.get(signer?.keyId ?? "");
    isDead ||= key !== undefined && key.id !== first.keyId && key.uses.length > 0;
  });
  await here.sweep().catch(() => null);
  stop();
  expect(isDead).toBe(true);
  here.bend = null;
  // Within the quarter of an hour for which last-used keeps to the first of several uses.
  here.clock.advance(minutes(6));
  await here.sweep();
  expect(custodyOf(here)).not.toBeNull();
  const results = await here.pass(days(13));
  expect([ofKey(here, first.keyId), lastOf(results.at(-1))]).toEqual(["Active", "retire hold NotAdopted held"]);
});
