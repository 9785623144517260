import type { AccessKeyId } from "../../rotation/keys.ts";
import type { World } from "../../rotation/world.ts";
import { latest, plus } from "../../rotation/time.ts";
import { withKey } from "../acting.ts";
import { type Begun, type Errand, refused, withUser, word } from "./begin.ts";

/**
 * An operator's word where proof never comes: the old key goes although it is used, or nobody was seen to use the other.
 * It waives use and adoption, never delivery; and it releases a key that was made active again before.
 */
export function retire(world: World, errand: Errand, keyId: AccessKeyId): Promise<string> {
  return withUser(world, errand, async (begun) => {
    const { ledger, observation } = begun;
    if (observation.keys.find(({ id }) => id === keyId)?.status === "inactive") {
      return `${keyId} is Inactive already`;
    }
    const refusal = refusalOf(begun, keyId);
    if (refusal !== null) throw refused(errand, refusal);
    // The clock of the run that made it active again may have been ahead: this word comes after it all the same.
    const now = world.clock.now();
    const { reactivatedAt = null, promotedAt = null } = observation.record.keys[keyId] ?? {};
    const before = latest(reactivatedAt, promotedAt);
    const at = before === null || before < now ? now : plus(before, 1);
    const change = { retireAskedAt: at, releasedAt: at };
    await ledger.save((record) => withKey(record, keyId, change), word(begun, "retire asked", keyId));
    const when = begun.isHeld ? "once the user is no longer held and" : "once";
    return `${keyId} goes ${when} every destination has ${begun.parts.current?.id ?? ""}, whoever still uses it`;
  });
}

function refusalOf({ observation: { keys }, parts, taken }: Begun, keyId: AccessKeyId): string | null {
  const { currentId, pendingId, old, isCustodyEmpty } = parts;
  if (!keys.some(({ id }) => id === keyId)) return "IAM lists no such key of this user";
  if (keyId === currentId) return "it is the current key: say rotate";
  if (keyId === pendingId) return "it is the replacement, which is not current yet";
  if (!keys.some(({ id, status }) => id !== keyId && status === "active")) return "it is the last active key";
  if (isCustodyEmpty) return "no replacement of it was ever delivered: disable it by hand";
  if (!old.some(({ id }) => id === keyId)) return "nobody knows whose it is: adopt it first";
  if (currentId === null) return "its replacement is not current yet";
  return taken === null ? null : taken.because;
}
