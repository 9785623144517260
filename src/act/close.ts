import { asRotationError, type RotationError } from "../rotation/errors.ts";
import type { UserRecord } from "../rotation/record.ts";
import type { World } from "../rotation/world.ts";
import type { Ledger } from "./ledger.ts";

/**
 * Ends a run's work on a user: writes down what was learnt and said, and gives the lease back. A run that did nothing
 * and learnt nothing writes nothing. One that gave a call up keeps the lease until it runs out: the call may still arrive,
 * and the next run is not to begin beside it. Never throws; what failed comes back.
 */
export async function close(
  { log }: Pick<World, "log">,
  ledger: Ledger,
  { isUnderWay, ...said }: Pick<UserRecord, "notices" | "rest"> & { readonly isUnderWay: boolean },
): Promise<RotationError | null> {
  // Another run has the user now, and learns what we have learnt.
  if (ledger.isLost()) return null;
  try {
    await ledger.close((record) => ({ ...withoutHeard(record, said.notices), ...said }), isUnderWay);
    return null;
  } catch (thrown) {
    if (ledger.isLost()) return null;
    const { user } = ledger.record();
    const error = asRotationError(thrown, `closing the record of ${user}`);
    log.event("error", "a record could not be closed", { user, error });
    return error;
  }
}

/** What was told goes from the list of what nobody has heard of, and with the last of it the list. */
function withoutHeard({ unheard = [], ...record }: UserRecord, told: UserRecord["notices"]): UserRecord {
  const left = unheard.filter(({ code, keyId }) => !Object.hasOwn(told, `${code}:${keyId}`));
  return left.length === 0 ? record : { ...record, unheard: left };
}
