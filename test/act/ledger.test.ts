import { describe, expect, test } from "vitest";
import { openLedger } from "../../src/act/ledger.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { userName } from "../../src/rotation/keys.ts";
import { minutes, plus } from "../../src/rotation/time.ts";
import type { HistoryEntry } from "../../src/rotation/world.ts";
import { NOW, aRecord } from "../builders.ts";
import { MemoryJournal } from "../world/direct/journal.ts";

const USER = userName("deploy");

test.for([
  ["runs, it is left to its holder", minutes(1), "Conflict"],
  ["has run out, it is written over", 0, null],
] as const)("a run that only looked closes its record: where another's lease %s", async ([, leftMs, code]) => {
  const journal = new MemoryJournal();
  const lease = { user: USER, holder: "another run", until: plus(NOW, leftMs) };
  await journal.write(await journal.read(USER), { record: aRecord(), lease, now: NOW, history: [] });
  const clock = { now: () => NOW, sleep: () => Promise.resolve(), remainingMs: () => 1_000 };
  const ledger = openLedger({ journal, clock }, await journal.read(USER), { record: aRecord(), holder: "this run" });
  const closing = await ledger
    .close((record) => ({ ...record, since: NOW }))
    .then(
      () => null,
      (error: unknown) => (error as { readonly code?: string }).code,
    );
  expect(closing).toBe(code);
  expect(ledger.isLost()).toBe(code !== null);
  expect((await journal.read(USER)).lease).toEqual(code === null ? null : lease);
});

test("what was staged and is not written yet belongs to what the next look rests on", async () => {
  const journal = new MemoryJournal();
  const clock = { now: () => NOW, sleep: () => Promise.resolve(), remainingMs: () => 1_000 };
  const ledger = openLedger({ journal, clock }, await journal.read(USER), { record: aRecord(), holder: "this run" });
  await ledger.save((record) => record);
  ledger.stage((record) => ({ ...record, since: NOW }));
  expect(ledger.revision()).toMatchObject({ number: 1, record: { since: NOW } });
});

describe("a write whose answer is lost", () => {
  const lineOf = (what: string): HistoryEntry => ({ at: NOW, user: USER, what, keyId: null, details: {} });
  const unheard = new RotationError("Unreachable", "writing, no answer came", { outcomeUnknown: true });

  /** A journal whose first write ends so, whether it was made or not. */
  async function open(isMade: boolean, ending: RotationError) {
    const journal = new MemoryJournal();
    const write = journal.write.bind(journal);
    let isFirst = true;
    journal.write = async (revision, next) => {
      const isLost = isFirst;
      isFirst = false;
      if (!isLost) return write(revision, next);
      if (isMade) await write(revision, next);
      throw ending;
    };
    const clock = { now: () => NOW, sleep: () => Promise.resolve(), remainingMs: () => 1_000 };
    const ledger = openLedger({ journal, clock }, await journal.read(USER), { record: aRecord(), holder: "this run" });
    return { journal, ledger };
  }

  test.for([true, false])("is gone on from, with every line once (it was made: %s)", async (isMade) => {
    const { journal, ledger } = await open(isMade, unheard);
    await expect(ledger.save((record) => record, lineOf("one"))).rejects.toThrow("no answer");
    await ledger.save((record) => ({ ...record, since: NOW }), lineOf("two"));
    expect((await journal.read(USER)).record?.since).toBe(NOW);
    expect((await journal.history(USER)).map(({ what }) => what)).toEqual(["one", "two"]);
    expect([ledger.isHeld(), ledger.isLost()]).toEqual([true, false]);
  });

  test("and that the client repeated meets itself, and is done", async () => {
    const { journal, ledger } = await open(true, new RotationError("Conflict", "writing, the condition failed"));
    await ledger.save((record) => record, lineOf("one"));
    expect([ledger.isHeld(), (await journal.read(USER)).number]).toEqual([true, 1]);
  });

  test("is somebody else's win when the record is not ours", async () => {
    const { journal, ledger } = await open(false, new RotationError("Conflict", "writing, the condition failed"));
    const lease = { user: USER, holder: "another run", until: plus(NOW, minutes(5)) };
    await journal
      .write(await journal.read(USER), { record: aRecord(), lease, now: NOW, history: [] })
      .catch(() => null);
    await journal.write(await journal.read(USER), { record: aRecord(), lease, now: NOW, history: [] });
    await expect(ledger.save((record) => record)).rejects.toThrow("another run");
    expect(ledger.isLost()).toBe(true);
  });
});

test("a run that gave up a call keeps its lease, for the call may still arrive", async () => {
  const journal = new MemoryJournal();
  const clock = { now: () => NOW, sleep: () => Promise.resolve(), remainingMs: () => 1_000 };
  const ledger = openLedger({ journal, clock }, await journal.read(USER), { record: aRecord(), holder: "this run" });
  await ledger.save((record) => record);
  await ledger.close((record) => record, true);
  expect((await journal.read(USER)).lease?.holder).toBe("this run");
  await ledger.close((record) => record);
  expect((await journal.read(USER)).lease).toBeNull();
});
