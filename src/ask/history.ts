import { RotationError } from "../rotation/errors.ts";
import type { UserName } from "../rotation/keys.ts";
import type { HistoryEntry, World } from "../rotation/world.ts";

const LINES_MAX = 500;

/** One line for people: what a deactivation rested on is its `lines`; the whole dossier stays in the journal. */
export function lineOf({ at, what, keyId, details: { rule, because, lines } }: HistoryEntry) {
  return { at: new Date(at).toISOString(), what, keyId, rule, because, lines };
}

/** A user's history, oldest first; `from` is the number of lines to leave out, as the page before gave it. */
export async function history(
  { journal }: Pick<World, "journal">,
  { user, from = 0 }: { readonly user: UserName; readonly from?: number | undefined },
): Promise<unknown> {
  const all = await journal.history(user);
  if (all.length === 0 && (await journal.read(user)).record === null) {
    throw new RotationError(
      "NotFound",
      `reading the history of ${user}, nothing was ever done for a user of that name: see status`,
    );
  }
  const lines = all.slice(from, from + LINES_MAX).map((entry) => lineOf(entry));
  const next = from + lines.length < all.length ? from + lines.length : null;
  const done = `Told ${String(lines.length)} of ${String(all.length)} lines of the history of ${user}.`;
  return { done, user, lines, next };
}
