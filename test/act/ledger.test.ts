import { expect, test } from "vitest";
import { openLedger } from "../../src/act/ledger.ts";
import { userName } from "../../src/rotation/keys.ts";
import { minutes, plus } from "../../src/rotation/time.ts";
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
