import fc from "fast-check";
import { expect, test } from "vitest";
import { openLedger } from "../../src/act/ledger.ts";
import type { Ledger } from "../../src/act/ledger.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { userName } from "../../src/rotation/keys.ts";
import { instant, minutes } from "../../src/rotation/time.ts";
import type { HistoryEntry, Journal } from "../../src/rotation/world.ts";
import { aRecord, NOW } from "../builders.ts";
import { MemoryJournal } from "../world/direct/journal.ts";
import { RUNS } from "./situations.ts";

const USER = userName("deploy");

/** What becomes of a write: answered; made or not, and the answer lost; repeated by the client, which meets its own. */
type Fate = "answered" | "made, unheard" | "not made" | "made, repeated";

interface Turn {
  readonly run: number;
  readonly isClosing: boolean;
  readonly fate: Fate;
  readonly waitMs: number;
}

const turn: fc.Arbitrary<Turn> = fc.record({
  run: fc.nat(1),
  isClosing: fc.boolean(),
  fate: fc.constantFrom<Fate>("answered", "answered", "made, unheard", "not made", "made, repeated"),
  waitMs: fc.constantFrom(0, 1_000, minutes(2), minutes(6)),
});

/** Two runs that write the record of one user by turns, each line of history under a name of its own. */
function twoRuns() {
  const journal = new MemoryJournal();
  let nowMs: number = NOW;
  let fate: Fate = "answered";
  const troubled: Journal = Object.assign(Object.create(journal) as Journal, {
    read: journal.read.bind(journal),
    write: async (...args: Parameters<Journal["write"]>) => {
      const now = fate;
      fate = "answered";
      const written = now === "not made" ? null : await journal.write(...args);
      if (now === "made, repeated") throw new RotationError("Conflict", "writing, the condition failed");
      if (now === "answered" && written !== null) return written;
      throw new RotationError("Unreachable", "writing, no answer came", { outcomeUnknown: true });
    },
  });
  const clock = { now: () => instant(nowMs), sleep: () => Promise.resolve(), remainingMs: () => 1_000 };
  const open = async (holder: string): Promise<Ledger> => {
    const revision = await journal.read(USER);
    return openLedger({ journal: troubled, clock }, revision, { record: revision.record ?? aRecord(), holder });
  };
  return { journal, open, wait: (ms: number) => (nowMs += ms), meet: (next: Fate) => (fate = next) };
}

test("whatever is lost on the way: no two runs hold a user, no line is written twice, and none that was confirmed is missing", async () => {
  const property = fc.asyncProperty(fc.array(turn, { maxLength: 12 }), async (turns) => {
    const { journal, open, wait, meet } = twoRuns();
    const ledgers = [await open("run 0.0"), await open("run 1.0")];
    const confirmed: string[] = [];
    for (const [at, { run, isClosing, fate, waitMs }] of turns.entries()) {
      wait(waitMs);
      const ledger = ledgers[run];
      if (ledger === undefined || ledger.isLost()) {
        ledgers[run] = await open(`run ${String(run)}.${String(at)}`);
        continue;
      }
      const line: HistoryEntry = { at: NOW, user: USER, what: `line ${String(at)}`, keyId: null, details: {} };
      meet(fate);
      ledger.stage((record) => ({ ...record, since: instant(NOW + at) }), line);
      const isDone = await (isClosing ? ledger.close((record) => record) : ledger.save((record) => record)).then(
        () => true,
        (thrown: unknown) => {
          if (!(thrown instanceof RotationError)) throw thrown;
          return false;
        },
      );
      meet("answered");
      if (isDone) confirmed.push(line.what);
      const written = (await journal.history(USER)).map(({ what }) => what);
      expect(new Set(written).size).toBe(written.length);
      expect(written).toEqual(expect.arrayContaining(confirmed));
      expect(ledgers.filter((other) => other.isHeld()).length).toBeLessThan(2);
      if (isClosing) ledgers[run] = await open(`run ${String(run)}.${String(at)}`);
    }
  });
  await fc.assert(property, RUNS);
});
