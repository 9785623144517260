import { RotationError } from "../../rotation/errors.ts";
import type { AccessKeyId, UserName } from "../../rotation/keys.ts";
import type { UserRecord } from "../../rotation/record.ts";
import type { Instant } from "../../rotation/time.ts";
import type { World } from "../../rotation/world.ts";
import { withKey } from "../acting.ts";
import { openLedger } from "../ledger.ts";

/** An operator's word that a key which was made active again may go. `NotFound` where it was not, `Conflict` during a run. */
export async function release(
  world: World,
  { user, keyId }: { readonly user: UserName; readonly keyId: AccessKeyId },
): Promise<string> {
  await keep(world, { user, what: "released", keyId }, (record, releasedAt) => {
    if ((record.keys[keyId]?.reactivatedAt ?? null) === null) {
      throw new RotationError("NotFound", `releasing ${keyId} of ${user}, it was not made active again`);
    }
    return withKey(record, keyId, { releasedAt });
  });
  return `${keyId} of ${user} may go once nobody uses it`;
}

/** An operator's word that a destination which left the profile is gone for good. Refused for one that is configured. */
export async function forget(
  world: World,
  of: { readonly user: UserName; readonly destination: string; readonly configured: readonly string[] },
): Promise<string> {
  const { user, destination } = of;
  if (of.configured.includes(destination)) {
    throw new RotationError("Misconfigured", `forgetting ${destination} of ${user}, the profile still delivers to it`);
  }
  await keep(world, { user, what: `forgot ${destination}`, keyId: null }, (record) => {
    const deliveries = record.deliveries.filter((delivery) => delivery.destination !== destination);
    if (deliveries.length < record.deliveries.length) return { ...record, deliveries };
    throw new RotationError("NotFound", `forgetting ${destination} of ${user}, nothing was ever delivered there`);
  });
  return `${destination} no longer keeps an old key of ${user}`;
}

/** Writes an operator's word into the user's record and history. */
async function keep(
  world: World,
  { user, what, keyId }: { readonly user: UserName; readonly what: string; readonly keyId: AccessKeyId | null },
  change: (record: UserRecord, now: Instant) => UserRecord,
): Promise<void> {
  // The clock knows the time from AWS's first answer.
  await world.identity.read();
  const revision = await world.journal.read(user);
  if (revision.record === null)
    throw new RotationError("NotFound", `reading the journal of ${user}, there is no record`);
  const at = world.clock.now();
  const ledger = openLedger(world, revision, { record: revision.record, holder: world.random.token() });
  ledger.stage((record) => change(record, at), { at, user, what, keyId, details: {} });
  await ledger.close((record) => record);
}
