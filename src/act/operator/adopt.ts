import type { AccessKeyId } from "../../rotation/keys.ts";
import type { World } from "../../rotation/world.ts";
import { withKey } from "../acting.ts";
import { type Errand, refused, vacate, withUser, word } from "./begin.ts";

/**
 * Takes over a key that somebody else made. Beside a current key it is an old one, and goes when nobody uses it. Where
 * somebody took the current key away, custody counts as empty: the key is hand-made, and replaced when it is due.
 */
export function adopt(world: World, errand: Errand, keyId: AccessKeyId): Promise<string> {
  return withUser(world, errand, async (begun) => {
    const { ledger, observation, parts, taken } = begun;
    if (!observation.keys.some(({ id }) => id === keyId)) throw refused(errand, "IAM lists no such key of this user");
    const isForeign = [...parts.strangers, ...parts.suspects].some(({ id }) => id === keyId);
    const takenOverAt = observation.record.keys[keyId]?.takenOverAt;
    if (!isForeign && takenOverAt === undefined) throw refused(errand, "it is no stranger's: Keyturn knows it");
    // Whoever died in between says it again: the key is ours then, and custody is not empty yet.
    const isVacating = taken !== null && keyId !== parts.currentId && keyId !== parts.pendingId;
    if (takenOverAt !== undefined && !isVacating) return `${keyId} was taken over before`;
    const change = { takenOverAt: takenOverAt ?? world.clock.now() };
    await ledger.save((record) => withKey(record, keyId, change), word(begun, "adopted", keyId));
    if (isVacating) await vacate(begun);
    const current = parts.current?.id ?? parts.pending?.id ?? "";
    return isVacating
      ? `${keyId} is taken over in the place of the key that somebody took away, and is replaced when it is due`
      : `${keyId} is taken over as an old key: give its consumers the pair of ${current}`;
  });
}
