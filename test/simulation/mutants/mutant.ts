/** A change of one source file. The text to be found is there exactly once, so that the catalogue cannot rot unseen. */
export interface Patch {
  /** From the root of the project. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A mistake that somebody could make in the production code, and that must be noticed. */
export interface Mutant {
  readonly name: string;
  /** The mistake, as a sentence. */
  readonly mistake: string;
  readonly patches: readonly Patch[];
  /** Where it can only show: a mark of the seeds in which the decision differs at all; every seed where it is left out. */
  readonly mark?: string;
  /** It is the same program, which `mutants.test.ts` shows; any difference that is met all the same is a failure. */
  readonly isEquivalent?: boolean;
  /** Tests that notice it where the simulation does not: files or folders. */
  readonly tests?: readonly string[];
}

/** What `watched` tells of each decision. */
export const WATCH: Patch = {
  file: "src/decide/decide.ts",
  find: "if (ruling !== null) return { ...ruling, rule: rule.name };",
  replace:
    "if (ruling !== null) { globalThis.keyturnDecided?.(situation, rules, rule, ruling); return { ...ruling, rule: rule.name }; }",
};
