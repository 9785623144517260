/** One thing that happened, kept unformatted: most seeds are never read. */
interface Entry {
  readonly atMs: number;
  readonly user: string;
  readonly kind: string;
  readonly text: string;
}

/** What happened, in the order of happening. */
export interface Trace {
  /** Keeps a line. The text is made only where the seed is traced. */
  readonly note: (user: string, kind: string, text: () => string) => void;
  readonly lines: () => readonly string[];
}

export function traceOf(nowMs: () => number, isTraced: boolean): Trace {
  const entries: Entry[] = [];
  return {
    note: (user, kind, text) => {
      if (isTraced) entries.push({ atMs: nowMs(), user, kind, text: text() });
    },
    lines: () =>
      entries.map(({ atMs, user, kind, text }) =>
        [new Date(atMs).toISOString().slice(0, 19), user.padEnd(8), kind.padEnd(9), text].join(" "),
      ),
  };
}
