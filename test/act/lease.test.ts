import { expect, test } from "vitest";
import { openLedger } from "../../src/act/ledger.ts";
import type { Ledger } from "../../src/act/ledger.ts";
import { userName } from "../../src/rotation/keys.ts";
import { minutes, plus } from "../../src/rotation/time.ts";
import { NOW, aRecord } from "../builders.ts";
import { MemoryJournal } from "../world/direct/journal.ts";

const USER = userName("deploy");

test("between two writes of a run no other has the user, even one that read what it wrote last", async () => {
  const journal = new MemoryJournal();
  let now = NOW;
  const clock = { now: () => now, sleep: () => Promise.resolve(), remainingMs: () => 1_000 };
  const open = async (holder: string): Promise<Ledger> =>
    openLedger({ journal, clock }, await journal.read(USER), { record: aRecord(), holder });
  const one = await open("one run");
  await one.save((record) => record);
  expect(one.isHeld()).toBe(true);

  now = plus(NOW, minutes(4.5));
  const other = await open("another run");
  await expect(other.save((record) => record)).rejects.toMatchObject({ code: "Conflict" });
  await one.close((record) => record);

  const third = await open("a third run");
  await third.save((record) => record);
  expect((await journal.read(USER)).lease?.holder).toBe("a third run");
});
