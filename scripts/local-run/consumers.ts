import { callsIn, failedIn } from "./calls.ts";
import { START_MS } from "./local-cloud.ts";
import type { LocalCloud } from "./local-cloud.ts";
import { createReaders } from "./readers.ts";
import { createWorkerCallers } from "./worker-callers.ts";

const HOUR_MS = 3_600_000;
/** Twice a second is enough to meet a pair that does not work, and no load. */
const BETWEEN_VISITS_MS = 500;

/** Everybody who uses a key of the five systems: visitors call the Workers all the time, laptops and a CI work at their hours. */
export interface Consumers {
  open(): void;
  /** Lets so much time pass; whoever has an hour of work in it does it then. */
  pass(ms: number): Promise<void>;
  /** All calls so far, and the last few that failed. */
  describe(): string;
}

const FAILURES_SHOWN = 5;

export function createConsumers(local: LocalCloud): Consumers {
  const { clock } = local;
  const visitors = createWorkerCallers(local, BETWEEN_VISITS_MS);
  const readers = createReaders(local);
  const books = [...visitors.books, ...readers.map(({ book }) => book)];
  let workedUntil = 0;
  const workUntil = async (hour: number): Promise<void> => {
    for (; workedUntil <= hour; workedUntil += 1) {
      const at = workedUntil;
      clock.advance(Math.max(0, START_MS + at * HOUR_MS - clock.now()));
      await Promise.all(readers.filter((reader) => reader.isAtWork(at)).map((reader) => reader.work()));
    }
  };
  return {
    open: () => visitors.open(),
    async pass(ms) {
      const end = clock.now() + ms;
      await workUntil(Math.floor((end - START_MS) / HOUR_MS));
      clock.advance(Math.max(0, end - clock.now()));
    },
    describe() {
      const failures = books.flatMap((book) =>
        book.failures.slice(-FAILURES_SHOWN).map(({ atMs, key, code }) => {
          return `${book.consumer}, ${new Date(atMs).toISOString()}, key …${key}: ${code ?? ""}`;
        }),
      );
      const counted = `The consumers made ${String(callsIn(books))} calls, ${String(failedIn(books))} failed.`;
      return [counted, ...failures].join("\n");
    },
  };
}
