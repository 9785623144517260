import { RULES } from "../../../src/decide/rules/index.ts";
import type { Mutant } from "./mutant.ts";

/** How the list of rules comes to `decide`: another list is another policy. */
const order = (replace: string): Mutant["patches"] => [
  {
    file: "src/decide/decide.ts",
    find: "rules: readonly Rule[] = RULES",
    replace: `rules: readonly Rule[] = ${replace}`,
  },
];

/** Whole lives and single decisions, by hand: the table that notices what the simulation does not. */
const TABLE = ["test/decide", "test/rotations"];

/** Each rule taken out of the list. */
const removed = RULES.map(({ name }): Mutant => {
  return {
    name: `no ${name}`,
    mistake: `The rule ${name} is missing.`,
    patches: order(`RULES.filter((rule) => rule.name !== "${name}")`),
    mark: `wins ${name}`,
    tests: TABLE,
  };
});

/**
 * Neighbours that never rule at once, because each asks for what the other excludes: a pair in custody, a free slot, an
 * old key that is Active. Swapped they are the same program, as a test of properties shows.
 */
export const APART: readonly (readonly [above: string, below: string])[] = [
  ["deliver-again", "make-room"],
  ["make-room", "create"],
  ["create", "retire"],
  ["retire", "delete"],
];

/** Each pair of neighbours the other way round. Where both never rule at once the two programs are the same. */
const swapped = RULES.slice(1).map(({ name }, at): Mutant => {
  const above = RULES[at]?.name ?? "";
  return {
    name: `${name} before ${above}`,
    mistake: `The rule ${name} is asked before the rule ${above}.`,
    patches: order(`RULES.toSpliced(${String(at)}, 2, RULES[${String(at + 1)}], RULES[${String(at)}])`),
    mark: `swap ${above} / ${name}`,
    isEquivalent: APART.some(([one, other]) => one === above && other === name),
    tests: TABLE,
  };
});

/** Further than one place, as it once was. */
const moved: readonly Mutant[] = [
  {
    name: "rule 1 below the holds",
    mistake:
      "Giving back what was needed after all comes after whatever holds: unreadable custody, an operator's word.",
    patches: order("[...RULES.slice(1, 4), RULES[0], ...RULES.slice(4)]"),
    mark: "wins needed-after-all",
    tests: TABLE,
  },
];

export const RULE_MUTANTS: readonly Mutant[] = [...removed, ...swapped, ...moved];
