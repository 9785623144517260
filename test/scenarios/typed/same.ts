const KEY_ID = /\bAKIA[A-Z2-7]{16}\b/g;
/** "59 min 58 s", "11 d 4 s", "0 s". */
const DURATION = /\b\d+ (?:d|h|min|s)\b(?: \d+ (?:h|min|s)\b)?/g;
const HOUR_S = 3_600;
const UNIT_S: Readonly<Record<string, number>> = { d: 86_400, h: HOUR_S, min: 60, s: 1 };

/** A session's output without what changes from run to run: seconds, ports, sums of calls, and how a table was broken into lines. */
export function settled(output: readonly string[]): string {
  return unwrapped(output.map((line) => line.replace(/made \d+ calls/, "made N calls")))
    .replaceAll(/(\d{4}-\d\d-\d\dT\d\d):[\d:.]+Z/g, "$1h")
    .replaceAll(/(\d{4}-\d\d-\d\d \d\d):\d\dZ/g, "$1h")
    .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replaceAll(DURATION, (text) => {
      const parts = [...text.matchAll(/(\d+) (\w+)/g)].map(
        ([, count, unit = "s"]) => Number(count) * (UNIT_S[unit] ?? 0),
      );
      const seconds = parts.reduce((sum, part) => sum + part, 0);
      // Of days no minutes are shown: "7 d 23 h" may be a second less than "8 d 0 s".
      const hours = Math.round(seconds / HOUR_S);
      return hours < 24 ? `${String(hours)} h` : `${String(Math.round(hours / 24))} d`;
    })
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** A table's cells, each in one line, so that a duration that is a letter longer breaks nothing. */
function unwrapped(output: readonly string[]): string {
  const head = output.findIndex((line) => /^( {8}|[A-Z][A-Z ,]+  )[A-Z]/.test(line));
  if (head < 0) return output.join("\n");
  const starts = [...(output[head] ?? "").matchAll(/(?<=^| {2})[A-Z]/g)].map(({ index }) => index);
  const columns = (line: string): readonly string[] =>
    starts.map((start, index) => line.slice(index === 0 ? 0 : start, starts[index + 1]).trim());
  const blank = output.findIndex((line, index) => index > head && line === "");
  const end = blank < 0 ? output.length : blank;
  const rows: string[][] = [];
  for (const line of output.slice(head, end)) {
    const cells = columns(line);
    const last = rows.at(-1);
    if (cells[0] !== "" || last === undefined) rows.push([...cells]);
    else for (const [index, cell] of cells.entries()) last[index] = `${last[index] ?? ""} ${cell}`.trim();
  }
  return [...output.slice(0, head), ...rows.map((cells) => cells.join(" | ")), ...output.slice(end)].join("\n");
}

/** Which key of this run a document means by an id, and the other way round. */
export interface Vocabulary {
  /** A line as it is to be typed in this run. Throws for a key that no line before has shown. */
  toType(documented: string): string;
  /** Learns from an output, and what the document has in its place. */
  learn(output: readonly string[], documented: readonly string[]): void;
  /** An output of this run in the words of the document. */
  translated(output: readonly string[]): readonly string[];
}

export function createVocabulary(): Vocabulary {
  const toDocument = new Map<string, string>();
  const toRun = new Map<string, string>();
  const idsIn = (lines: readonly string[]): readonly string[] => lines.join("\n").match(KEY_ID) ?? [];
  const pair = (here: string, documented: string): void => {
    if (toDocument.has(here) || toRun.has(documented)) return;
    toDocument.set(here, documented);
    toRun.set(documented, here);
  };
  return {
    toType: (documented) =>
      documented.replaceAll(KEY_ID, (id) => {
        const here = toRun.get(id);
        if (here === undefined && !id.endsWith("EXAMPLE")) throw new Error(`no line before this one has shown ${id}`);
        return here ?? id;
      }),
    learn(output, documented) {
      const [here, there] = [idsIn(output), idsIn(documented)];
      if (here.length === there.length) for (const [index, id] of here.entries()) pair(id, there[index] ?? id);
      for (const id of here) pair(id, id);
    },
    translated: (output) =>
      output.map((line) =>
        [...toDocument].reduce(
          // A Worker says no more of its key than how the id ends.
          (text, [here, documented]) => text.replaceAll(`"${here.slice(-4)}"`, `"${documented.slice(-4)}"`),
          line.replaceAll(KEY_ID, (id) => toDocument.get(id) ?? id),
        ),
      ),
  };
}
