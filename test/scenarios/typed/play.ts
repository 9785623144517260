import type { Part, TypedLine } from "./document.ts";
import { createVocabulary, settled } from "./same.ts";
import type { Vocabulary } from "./same.ts";
import { openTerminal } from "./terminal.ts";

/** A line that was typed, and how it ended. */
interface Done {
  readonly typed: string;
  readonly said: readonly string[];
  readonly code: number;
}

export interface Played {
  /** The document as it should be. */
  readonly parts: readonly Part[];
  readonly done: readonly Done[];
  /** What the consumers say at the end. */
  readonly calls: string;
}

/** Types every line of a document's sessions, in order, at one terminal of its own. */
export async function play(parts: readonly Part[]): Promise<Played> {
  const terminal = await openTerminal();
  const vocabulary = createVocabulary();
  const done: Done[] = [];
  const typeOne = async ({ typed, output }: TypedLine): Promise<void> => {
    const line = vocabulary.toType(typed).replaceAll(/127\.0\.0\.1:\d+/g, terminal.edge);
    const ended = await terminal.type(line);
    const said = ended.output.map((text) => text.replaceAll(terminal.home, "/home/you"));
    vocabulary.learn(said, output);
    done.push({ typed, said, code: ended.code });
  };
  try {
    for (const line of parts.flatMap((part) => (part.kind === "session" ? part.lines : []))) await typeOne(line);
    const { output } = await terminal.type("npm run -s cloud -- --calls");
    return { parts: retold(parts, done, vocabulary), done, calls: output.join("\n") };
  } finally {
    await terminal.close();
  }
}

/** What is the same but for times and the like stands as it stood. Translated at the end: a key may be shown in full only later. */
function retold(parts: readonly Part[], done: readonly Done[], vocabulary: Vocabulary): readonly Part[] {
  const outputs = done.values();
  const retell = ({ typed, output }: TypedLine): TypedLine => {
    const here = vocabulary.translated(outputs.next().value?.said ?? []);
    return { typed, output: settled(here) === settled(output) ? output : here };
  };
  return parts.map((part) => (part.kind === "prose" ? part : { ...part, lines: part.lines.map(retell) }));
}
