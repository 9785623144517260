const GAP = 2;
const COLUMN_MIN = 8;
const PROSE_MIN = 28;
/** What somebody is to copy stands in one line. */
const KEY_ID = /^A[KS]IA[A-Z2-7]{16}$/;
const KEY_ID_LENGTH = 20;

/** A control character in a tag or a reason must not steer the terminal. */
const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "\uFFFD");

/** A text in lines no wider than that; a word that is wider is broken. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of printable(text).split(/ +/)) {
    for (const [index, piece] of pieces(word, width).entries()) {
      if (index > 0 || (line !== "" && line.length + 1 + piece.length > width)) {
        lines.push(line);
        line = piece;
      } else line = line === "" ? piece : `${line} ${piece}`;
    }
  }
  return [...lines, line];
}

/** After a hyphen, where there is one. */
function pieces(word: string, width: number): readonly string[] {
  if (word.length <= width) return [word];
  return (
    word.match(new RegExp(`.{1,${String(width)}}$|.{1,${String(width - 1)}}-|.{1,${String(width)}}`, "gu")) ?? [word]
  );
}

/**
 * Rows in columns that fit the width: columns are as wide as their text where there is room, and the last takes what is
 * left, in as many lines as it needs. Told apart by their heads and by space, never by colour.
 */
export function table(heads: readonly string[], rows: readonly (readonly string[])[], width: number): string {
  const texts = [heads, ...rows.map((row) => row.map((cell) => printable(cell)))];
  const columns = heads.map((_, index) => texts.map((row) => row[index] ?? ""));
  const widths = fit(
    columns.map((cells) => Math.max(...cells.map(({ length }) => length))),
    columns.map((cells) => (cells.some((cell) => KEY_ID.test(cell)) ? KEY_ID_LENGTH : COLUMN_MIN)),
    width,
  );
  return texts.map((row) => `${rowLines(row, widths).join("\n")}\n`).join("");
}

/** The last column, which is prose, gives way first; then the widest of the others, down to a least width of its own. */
function fit(natural: readonly number[], least: readonly number[], width: number): readonly number[] {
  const widths = [...natural];
  const last = widths.length - 1;
  const over = (): number => widths.reduce((sum, each) => sum + each + GAP, -GAP) - width;
  widths[last] = Math.max(Math.min(widths[last] ?? 0, PROSE_MIN), (widths[last] ?? 0) - Math.max(0, over()));
  while (over() > 0) {
    const spare = widths.map((each, index) => (index < last && each > (least[index] ?? 0) ? each : 0));
    const widest = Math.max(...spare);
    if (widest === 0) break;
    widths[spare.indexOf(widest)] = widest - 1;
  }
  return widths;
}

function rowLines(row: readonly string[], widths: readonly number[]): string[] {
  const cells = row.map((cell, index) => wrap(cell, widths[index] ?? COLUMN_MIN));
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((lines, index) => (lines[line] ?? "").padEnd(widths[index] ?? 0))
      .join(" ".repeat(GAP))
      .trimEnd(),
  );
}
