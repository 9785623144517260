import type { Judged } from "../judge.ts";
import { asRotationError, type RotationError } from "../rotation/errors.ts";
import type { UserRecord } from "../rotation/record.ts";
import type { Revision, World } from "../rotation/world.ts";
import { openLedger } from "./ledger.ts";

/**
 * Ends a run's work on a user: writes down what was learnt and said, and gives the lease back. A run that did nothing
 * and learnt nothing writes nothing. Never throws; what failed comes back.
 */
export async function close(
  world: Pick<World, "journal" | "clock" | "log">,
  { observation }: Judged,
  at: {
    readonly holder: string;
    /** As this run last knew the journal; null when a write's outcome is not known. */
    readonly revision: Revision | null;
    readonly hasActed: boolean;
    readonly notices: UserRecord["notices"];
  },
): Promise<RotationError | null> {
  const { user } = observation;
  try {
    // Acts have written the record since it was read: theirs is the newer one.
    const revision = at.revision ?? (await world.journal.read(user));
    const learnt = at.hasActed ? (revision.record ?? observation.record) : observation.record;
    const record = { ...learnt, notices: at.notices };
    const isSame = JSON.stringify(record) === JSON.stringify(revision.record);
    if (isSame && revision.lease?.holder !== at.holder) return null;
    await openLedger(world, revision, { record, holder: at.holder }).close((closing) => closing);
    return null;
  } catch (thrown) {
    const error = asRotationError(thrown, `closing the record of ${user}`);
    // Another run has the user now, and learns what we have learnt.
    if (error.code === "Conflict") return null;
    world.log.event("error", "a record could not be closed", { user, error });
    return error;
  }
}
