import { RotationError } from "../../rotation/errors.ts";
import type { AccessKeyId, UserName } from "../../rotation/keys.ts";
import type { UserRecord } from "../../rotation/record.ts";
import { type Instant, latest } from "../../rotation/time.ts";
import type { World } from "../../rotation/world.ts";
import { withKey } from "../acting.ts";
import { openLedger } from "../ledger.ts";

/** An operator's word that a key which was made active again may go. `NotFound` where it was not, `Conflict` during a run. */
export async function release(
  world: World,
  { user, keyId }: { readonly user: UserName; readonly keyId: AccessKeyId },
): Promise<string> {
  const doing = `releasing ${keyId} of ${user}`;
  await keep(world, { user, doing, what: "released", keyId }, (record, now) => {
    const reactivatedAt = record.keys[keyId]?.reactivatedAt ?? null;
    if (reactivatedAt === null) throw new RotationError("NotFound", `${doing}, it was not made active again`);
    // The clock of the run before may have been ahead, and this word comes after it all the same.
    return withKey(record, keyId, { releasedAt: latest(now, reactivatedAt) });
  });
  return `${keyId} of ${user} may go once nobody uses it`;
}

/** An operator's word that a destination which left the profile is gone for good. Refused for one that is configured. */
export async function forget(
  world: World,
  of: { readonly user: UserName; readonly destination: string; readonly configured: readonly string[] },
): Promise<string> {
  const { user, destination } = of;
  const doing = `forgetting ${destination} of ${user}`;
  if (of.configured.includes(destination)) {
    throw new RotationError("Misconfigured", `${doing}, the profile still delivers to it`);
  }
  await keep(world, { user, doing, what: `forgot ${destination}`, keyId: null }, (record) => {
    const deliveries = record.deliveries.filter((delivery) => delivery.destination !== destination);
    if (deliveries.length < record.deliveries.length) return { ...record, deliveries };
    const known = [...new Set(record.deliveries.map((delivery) => delivery.destination))].join(", ");
    const elsewhere = known === "" ? "" : `: only to ${known}`;
    throw new RotationError("NotFound", `${doing}, nothing was ever delivered there${elsewhere}`);
  });
  return `${destination} no longer keeps an old key of ${user}`;
}

interface Word {
  readonly user: UserName;
  /** What a refusal begins with. */
  readonly doing: string;
  readonly what: string;
  readonly keyId: AccessKeyId | null;
}

/** Writes an operator's word into the user's record and history. */
async function keep(
  world: World,
  { user, doing, what, keyId }: Word,
  change: (record: UserRecord, now: Instant) => UserRecord,
): Promise<void> {
  // The clock knows the time from AWS's first answer.
  await world.identity.read();
  const revision = await world.journal.read(user);
  if (revision.record === null) {
    throw new RotationError("NotFound", `${doing}, nothing was ever done for a user of that name: see status`);
  }
  const at = world.clock.now();
  const ledger = openLedger(world, revision, { record: revision.record, holder: world.random.token() });
  ledger.stage((record) => change(record, at), { at, user, what, keyId, details: {} });
  await ledger.close((record) => record);
}
