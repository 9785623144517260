import { freshRecord } from "../../observe/remember.ts";
import { HOLD_TAG } from "../../observe/standing.ts";
import { RotationError } from "../../rotation/errors.ts";
import type { World } from "../../rotation/world.ts";
import { openLedger } from "../ledger.ts";
import { type Errand, refused } from "./begin.ts";

/** Holds a user by the tag `keyturn-hold`: nothing is done to it but giving back what was taken. Said twice, the last reason counts. */
export async function hold(world: World, errand: Errand, reason: string): Promise<string> {
  await write(world, errand, { what: `held: ${reason}`, reason });
  return `${errand.user} is held: ${reason}`;
}

/** Ends a hold, and nothing else: a key that was made active again stays until it is released by its id. */
export async function releaseHold(world: World, errand: Errand): Promise<string> {
  const wasHeld = await write(world, errand, { what: "hold ended", reason: null });
  return wasHeld ? `${errand.user} is no longer held` : `${errand.user} was not held`;
}

/** Needs neither keys nor custody: a user of whom nothing can be read is held all the same. Gives whether it was held. */
async function write(
  world: World,
  errand: Errand,
  { what, reason }: { readonly what: string; readonly reason: string | null },
): Promise<boolean> {
  const { user, doing, enrolmentTag } = errand;
  const { account } = await world.identity.read();
  const iamUser = await world.directory.read(user);
  if (iamUser === null) throw new RotationError("NotFound", `${doing}, there is no such user`);
  if (iamUser.tags[enrolmentTag] === undefined) throw refused(errand, `the user has no tag ${enrolmentTag}`);
  const wasHeld = iamUser.tags[HOLD_TAG] !== undefined;
  if (reason === null && !wasHeld) return false;
  const revision = await world.journal.read(user);
  const at = world.clock.now();
  const record = revision.record ?? freshRecord({ user, account, userId: iamUser.id }, at);
  const ledger = openLedger(world, revision, { record, holder: world.random.token() });
  await ledger.save((same) => same, { at, user, what, keyId: null, details: {} });
  try {
    await world.directory.hold(user, reason);
  } finally {
    await ledger.close((same) => same);
  }
  return wasHeld;
}
