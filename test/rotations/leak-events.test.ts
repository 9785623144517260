import { expect, test } from "vitest";
import { RotationError } from "../../src/rotation/errors.ts";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import { denied } from "../world/faults.ts";
import { leak } from "../world/leak.ts";
import { custodyOf, DEPLOY, dyingWorld, journalWith, ofKey, person, settled } from "../world/system.ts";

test("an event of AWS Health fails, and so comes again, where its user could not be looked at", async () => {
  const { here, second } = await settled();
  const unread = new RotationError("Denied", "reading the journal of deploy, refused");
  here.bend = (world) => journalWith(world, { read: () => Promise.reject(unread) });
  await expect(leak(here, second)).rejects.toThrow("reading the journal of deploy");
  here.bend = null;
  await leak(here, second);
  expect(ofKey(here, second)).toBe("Inactive");
});

test("an event of AWS Health is not forgotten by the sweep that was under way, and found nothing due", async () => {
  const { here, second } = await settled();
  const unread = new RotationError("Denied", "reading the journal of deploy, refused");
  let told: unknown = null;
  here.bend = (world) =>
    journalWith(world, {
      setMemory: async (memory, calls) => {
        // The sweep has looked, and is about to say that nobody is in motion; the event's run cannot look at all.
        if (memory.awake?.length === 0 && told === null) {
          here.bend = (other) => journalWith(other, { read: () => Promise.reject(unread) });
          told = await leak(here, second).catch((thrown: unknown) => thrown);
          here.bend = null;
        }
        await world.journal.setMemory(memory, calls);
      },
    });
  await here.passUntil(() => told !== null, days(2));
  expect(String(told)).toContain("reading the journal of deploy");
  await here.pass(hours(1));
  expect(ofKey(here, second)).toBe("Inactive");
});

test("an event whose call to the next sweep meets another's is not lost, although its run can do nothing else", async () => {
  const { here, second } = await settled();
  await here.pass(days(1));
  expect((await here.sweep()).resting).toBe(1);
  let calls = 0;
  here.bend = (world) =>
    journalWith(world, {
      read: () => Promise.reject(new RotationError("Denied", "reading the journal of deploy, refused")),
      setMemory: async (memory, of) => {
        calls += 1;
        if (calls === 1) throw new RotationError("Conflict", "writing what the next sweep is to know, it has changed");
        await world.journal.setMemory(memory, of);
      },
    });
  await expect(leak(here, second)).rejects.toThrow("refused");
  here.bend = null;
  await here.pass(hours(1));
  expect(ofKey(here, second)).toBe("Inactive");
});

test("a replacement of ours that was withdrawn, and that somebody made active again, makes room for the next", async () => {
  const { here, second, worker } = await settled();
  const promoting = here.cloud.faults.add(denied("secretsmanager", "UpdateSecretVersionStage"));
  worker.blockedBecause = "its token expired";
  await leak(here, second);
  worker.blockedBecause = null;
  promoting();
  const withdrawn = custodyOf(here, "AWSPENDING") ?? "";
  person(here).setStatus(withdrawn, "Inactive");
  const deleting = here.cloud.faults.add(denied("iam", "DeleteAccessKey"));
  here.clock.advance(minutes(10));
  await here.sweep();
  person(here).setStatus(withdrawn, "Active");
  deleting();
  await here.pass(hours(2));
  expect([ofKey(here, withdrawn), worker.pair().keyId]).toEqual(["gone", custodyOf(here)]);
  expect(here.keysOf(DEPLOY)).toContain(`${custodyOf(here) ?? ""} Active`);
});

test("an event that comes again while a run which died still has the user tells each thing once", async () => {
  const { here, second } = await settled();
  here.bend = (world) => dyingWorld(world, () => custodyOf(here, "AWSPENDING") !== null);
  await leak(here, second).catch(() => null);
  here.bend = null;
  here.clock.advance(minutes(1));
  const before = here.notices.length;
  await leak(here, second);
  const told = here.notices.slice(before).map(({ dedupeKey }) => dedupeKey);
  expect(told.length).toBeGreaterThan(1);
  expect(told).toEqual([...new Set(told)]);
  expect(ofKey(here, second)).toBe("Inactive");
});
