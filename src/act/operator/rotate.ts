import type { World } from "../../rotation/world.ts";
import { type Begun, type Errand, refused, vacate, withUser, word } from "./begin.ts";

/**
 * The current key is due from now on, whatever its age; the ordinary steps do the rest, in as many sweeps as they need.
 * It is also the word that ends the hold of a user whose current or only key somebody disabled or deleted.
 */
export function rotate(world: World, errand: Errand): Promise<string> {
  return withUser(world, errand, async (begun) => {
    const { observation, parts, ledger } = begun;
    const { currentId, current, pendingId, isCustodyEmpty, old } = parts;
    const isGone = currentId !== null && current === null;
    if (pendingId !== null && !isGone) return `${pendingId} is about to replace ${currentId ?? "the key made by hand"}`;
    const key = isGone ? observation.keys.find(({ id }) => id !== pendingId) : isCustodyEmpty ? old[0] : current;
    const replaces = key?.id ?? null;
    const rotateAsked = { at: world.clock.now(), replaces };
    const wasAsked = ledger.record().rotateAsked?.replaces === replaces;
    const busy = isGone || wasAsked ? null : noRoom(begun);
    if (busy !== null) return busy;
    await ledger.save((record) => ({ ...record, rotateAsked }), word(begun, "rotate asked", replaces));
    if (isGone) await vacate(begun);
    const what = replaces === null ? "its first key is made" : `${replaces} is replaced`;
    return begun.isHeld ? `${what} once the user is no longer held` : `${what} as soon as every rule allows it`;
  });
}

/** A user has two keys at most: the one before must be gone first. Said again right after a rotation, it starts none. */
function noRoom({ observation: { keys }, parts, errand, taken }: Begun): string | null {
  const { current, old, strangers, suspects, isCustodyEmpty } = parts;
  const [foreign] = [...suspects, ...strangers];
  if (foreign !== undefined) throw refused(errand, `nobody knows whose ${foreign.id} is: adopt it, or delete it`);
  if (keys.length < 2) return null;
  if (isCustodyEmpty) throw refused(errand, "both keys were made by hand, and there is no room for a third");
  if (taken !== null) throw refused(errand, `${taken.because}, and there is no room: reactivate it, or delete a key`);
  const [before] = old;
  return `${current?.id ?? ""} has replaced ${before?.id ?? ""}; it is replaced itself once that is deleted and rotate is said again`;
}
