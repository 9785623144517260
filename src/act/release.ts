import { RotationError } from "../rotation/errors.ts";
import type { AccessKeyId, UserName } from "../rotation/keys.ts";
import type { World } from "../rotation/world.ts";
import { withKey } from "./acting.ts";
import { openLedger } from "./ledger.ts";

/**
 * An operator's word that a key which was made active again may go, when all the evidence allows it. Throws `NotFound`
 * when the journal knows of no such reactivation, `Conflict` while a run is at work on the user.
 */
export async function release(
  world: World,
  of: { readonly user: UserName; readonly keyId: AccessKeyId },
): Promise<void> {
  const { user, keyId } = of;
  // The clock knows the time from AWS's first answer.
  await world.identity.read();
  const revision = await world.journal.read(user);
  const { record } = revision;
  if ((record?.keys[keyId]?.reactivatedAt ?? null) === null || record === null) {
    throw new RotationError("NotFound", `releasing ${keyId} of ${user}, it was not made active again`);
  }
  const releasedAt = world.clock.now();
  await world.journal.append({ at: releasedAt, user, what: "released", keyId, details: {} });
  const ledger = openLedger(world, revision, { record, holder: world.random.token() });
  await ledger.close((known) => withKey(known, keyId, (key) => ({ ...key, releasedAt })));
}
