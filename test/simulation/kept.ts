import { readdirSync, readFileSync } from "node:fs";
import type { Life } from "./life.ts";

/** A life that once showed something, and as little else as could be. `npm run simulate -- --save <name>` keeps one. */
export interface KeptLife {
  readonly name: string;
  /** What broke, as the end of a sentence that begins with "which once found". */
  readonly found: string;
  /** The mistake that it found; null where it was ours, and is mended. */
  readonly mutant: string | null;
  readonly life: Life;
}

const FOLDER = new URL("lives/", import.meta.url);

/** All lives that are kept. They are data, and stay what they are when the drawing of lives changes. */
export const KEPT: readonly KeptLife[] = readdirSync(FOLDER)
  .toSorted()
  .map((file) => {
    const text = readFileSync(new URL(file, FOLDER), "utf8");
    return { name: file.replace(/\.json$/, ""), ...(JSON.parse(text) as Omit<KeptLife, "name">) };
  });
