/** One call of a consumer, as it went for the consumer. */
export interface ConsumerCall {
  readonly atMs: number;
  /** The last four characters of the key id that signed. */
  readonly key: string;
  /** Null for a call that went well; else AWS's code, or NoAnswer. */
  readonly code: string | null;
}

/** All calls of one consumer: each is counted, and those that failed are kept. */
export interface CallBook {
  readonly consumer: string;
  readonly system: string;
  readonly failures: readonly ConsumerCall[];
  /** By key, the first call that went well with it. */
  readonly firsts: ReadonlyMap<string, ConsumerCall>;
  count(): number;
  /** The newest call; null before the first one. */
  latest(): ConsumerCall | null;
  enter(call: ConsumerCall): void;
}

export function openBook(system: string, consumer: string): CallBook {
  const failures: ConsumerCall[] = [];
  const firsts = new Map<string, ConsumerCall>();
  let count = 0;
  let latest: ConsumerCall | null = null;
  return {
    consumer,
    system,
    failures,
    firsts,
    count: () => count,
    latest: () => latest,
    enter(call) {
      count += 1;
      latest = call;
      if (call.code !== null) failures.push(call);
      else if (!firsts.has(call.key)) firsts.set(call.key, call);
    },
  };
}

const sumOf = (books: readonly CallBook[], figure: (book: CallBook) => number): number =>
  books.reduce((sum, book) => sum + figure(book), 0);

export const failedIn = (books: readonly CallBook[]): number => sumOf(books, ({ failures }) => failures.length);

export const callsIn = (books: readonly CallBook[]): number => sumOf(books, (book) => book.count());
