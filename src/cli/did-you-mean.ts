const EDITS_MAX = 2;

/** The known word that is meant by a mistyped one, if any is near enough. */
export function nearest(typed: string, known: readonly string[]): string | null {
  const [best] = known
    .map((word) => ({ word, edits: editsBetween(typed.toLowerCase(), word) }))
    .filter(({ word, edits }) => edits <= EDITS_MAX || (typed.length > 2 && word.startsWith(typed)))
    .toSorted((one, other) => one.edits - other.edits);
  return best?.word ?? null;
}

/** Letters to put in, take out or change (Levenshtein). */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [above, letter] of one.split("").entries()) {
    const next = [above + 1];
    for (const [index, its] of other.split("").entries()) {
      const [left = 0, up = 0, diagonal = 0] = [next[index], row[index + 1], row[index]];
      next.push(Math.min(left + 1, up + 1, diagonal + (letter === its ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
