/** A line that is typed, and what the document says came of it. */
export interface TypedLine {
  readonly typed: string;
  readonly output: readonly string[];
}

/** What a document is made of: prose that stays as it is, and sessions. */
export type Part =
  | { readonly kind: "prose"; readonly lines: readonly string[] }
  | { readonly kind: "session"; readonly lines: readonly TypedLine[] };

const FENCE = "```";
const PROMPT = "$ ";

/** A fence without a language whose first line is a prompt is a session; everything else is prose. */
export function partsOf(text: string): readonly Part[] {
  const parts: Part[] = [];
  let prose: string[] = [];
  let fenced: string[] | null = null;
  for (const line of text.split("\n")) {
    if (fenced === null) {
      prose.push(line);
      if (line.startsWith(FENCE)) fenced = [];
    } else if (line.startsWith(FENCE)) {
      if (fenced[0]?.startsWith(PROMPT) === true) {
        parts.push({ kind: "prose", lines: prose }, { kind: "session", lines: typedLines(fenced) });
        prose = [];
      } else prose.push(...fenced);
      prose.push(line);
      fenced = null;
    } else fenced.push(line);
  }
  return [...parts, { kind: "prose", lines: prose }];
}

function typedLines(fenced: readonly string[]): readonly TypedLine[] {
  const lines: { typed: string; output: string[] }[] = [];
  for (const line of fenced) {
    if (line.startsWith(PROMPT)) lines.push({ typed: line.slice(PROMPT.length), output: [] });
    else lines.at(-1)?.output.push(line);
  }
  return lines;
}

/** The document again. */
export function textOf(parts: readonly Part[]): string {
  return parts
    .flatMap((part) =>
      part.kind === "prose" ? part.lines : part.lines.flatMap(({ typed, output }) => [PROMPT + typed, ...output]),
    )
    .join("\n");
}

/** Commands that stand in a fence and are not typed: each must be on the list of those that nobody can type here. */
export function untypedIn(parts: readonly Part[]): readonly string[] {
  const lines = parts.flatMap((part) => (part.kind === "prose" ? part.lines : []));
  let isFenced = false;
  return lines.flatMap((line) => {
    if (line.startsWith(FENCE)) isFenced = !isFenced;
    // What follows two spaces and a hash is a remark to the reader.
    return isFenced && COMMAND.test(line) ? [line.replace(/ {2,}#.*$/, "").trim()] : [];
  });
}

const COMMAND = /^(\$EDITOR|npm|npx|aws|git|keyturn|\/opt\/keyturn\/keyturn\.cjs|AWS_PROFILE=\S+) /;
