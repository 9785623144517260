import { RotationError } from "../rotation/errors.ts";
import { describeMs, seconds } from "../rotation/time.ts";
import type { Clock } from "../rotation/world.ts";
import { asking } from "./translate-error.ts";

const POLL_EVERY_MS = seconds(2);
/** Two queries of a hundred seconds end within the lease under which they may be asked. */
const POLLS_MAX = 50;

/** One row of a result, by the names of its columns in lower case. What is null has no value. */
export type Row = Readonly<Partial<Record<string, string>>>;

/** A query of a service that is started, looked after, and stopped. */
interface Query {
  /** Begins the errors: "querying the log group trail in us-east-1". */
  readonly doing: string;
  start(): Promise<string | undefined>;
  /** All rows of one that has ended well, null while it runs. Throws for any other end. */
  rows(id: string): Promise<readonly Row[] | null>;
  stop(id: string): Promise<unknown>;
}

/** Waits for a query's rows by the clock of the run. Whatever it gives up is stopped first, because it costs until it ends. */
export async function runQuery(clock: Pick<Clock, "sleep">, query: Query): Promise<readonly Row[]> {
  const { doing } = query;
  const id = await asking(doing, query.start());
  if (id === undefined) throw new RotationError("Unreachable", `${doing}, the answer names no query`);
  try {
    for (let polls = 0; polls < POLLS_MAX; polls += 1) {
      await clock.sleep(POLL_EVERY_MS);
      const rows = await asking(doing, query.rows(id));
      if (rows !== null) return rows;
    }
    throw new RotationError("Unreachable", `${doing}, no answer within ${describeMs(POLLS_MAX * POLL_EVERY_MS)}`);
  } catch (thrown) {
    await query.stop(id).catch(() => undefined);
    throw thrown;
  }
}
