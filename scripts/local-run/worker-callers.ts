import { openBook } from "./calls.ts";
import type { CallBook } from "./calls.ts";
import { workers } from "./local-cloud.ts";
import type { LocalCloud } from "./local-cloud.ts";

/** About 20 calls a second of each Worker. */
const BETWEEN_CALLS_MS = 50;

/** Visitors of the Workers, who know nothing of rotations. */
export interface WorkerCallers {
  readonly books: readonly CallBook[];
  /** They begin to call, and make no pause. */
  open(): void;
  /** No more calls begin; resolves when none is in flight. */
  close(): Promise<void>;
}

/** Each Worker is called at its own pace, whether or not an earlier call was answered. */
export function createWorkerCallers(local: LocalCloud, betweenCallsMs = BETWEEN_CALLS_MS): WorkerCallers {
  const inFlight = new Set<Promise<void>>();
  const timers: NodeJS.Timeout[] = [];
  const targets = workers.map(({ profile, worker }) => ({
    url: local.edge.url(worker),
    book: openBook(profile, `Worker ${worker}`),
  }));

  const call = (target: (typeof targets)[number]): void => {
    const answered = visit(local, target.url, target.book).finally(() => inFlight.delete(answered));
    inFlight.add(answered);
  };
  return {
    books: targets.map(({ book }) => book),
    open() {
      for (const target of targets) {
        call(target);
        timers.push(setInterval(() => call(target), betweenCallsMs));
      }
    },
    async close() {
      for (const timer of timers.splice(0)) clearInterval(timer);
      await Promise.all(inFlight);
    },
  };
}

interface WorkerAnswer {
  readonly code: string | null;
  readonly keyId: string;
}

/** What the Worker says of its own call to AWS. A visitor without an answer has met a failure too. */
async function visit({ clock }: LocalCloud, url: string, book: CallBook): Promise<void> {
  const atMs = clock.now();
  try {
    const response = await fetch(url);
    const { code, keyId } = (await response.json()) as WorkerAnswer;
    book.enter({ atMs, key: keyId, code });
  } catch {
    book.enter({ atMs, key: "?", code: "NoAnswer" });
  }
}
