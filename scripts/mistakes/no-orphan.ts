import type { Rule } from "../../src/rotation/decision.ts";

/** Recognises no key as one of ours whose secret was lost: it stays, and fills the place of its successor. */
export const orphan: Rule = { name: "orphan", judge: () => null };
