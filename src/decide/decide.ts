import type { Decision, Rule, Ruling, Situation } from "../rotation/decision.ts";
import { RULES } from "./rules/index.ts";
import { hold } from "./rulings.ts";

/** Walks the rules in order; the first ruling wins. Pure: the same situation always gives the same decision. */
export function decide(situation: Situation, rules: readonly Rule[] = RULES): Decision {
  for (const rule of rules) {
    const ruling = rule.judge(situation);
    if (ruling !== null) return { ...ruling, rule: rule.name };
  }
  return { ...hold("NothingDue", "nothing is due"), rule: "nothing-due" };
}

/** Every rule's own answer, for `explain`: the winner is the first that is not null. */
export function judgeAll(situation: Situation): readonly { readonly rule: string; readonly ruling: Ruling | null }[] {
  return RULES.map((rule) => ({ rule: rule.name, ruling: rule.judge(situation) }));
}
