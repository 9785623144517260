import type { Decision, Rule, Ruling, Situation } from "../rotation/decision.ts";
import { RULES } from "./rules/index.ts";

const NOTHING_DUE: Ruling = {
  step: { kind: "hold", until: null },
  reason: "NothingDue",
  because: "no rule asks for anything",
};

/** Walks the rules in order; the first ruling wins. Pure: the same situation always gives the same decision. */
export function decide(situation: Situation, rules: readonly Rule[] = RULES): Decision {
  for (const rule of rules) {
    const ruling = rule.judge(situation);
    if (ruling !== null) return { ...ruling, rule: rule.name };
  }
  return { ...NOTHING_DUE, rule: "nothing-due" };
}

/** Every rule's own answer, for `explain`: the winner is the first that is not null. */
export function judgeAll(situation: Situation): readonly { readonly rule: string; readonly ruling: Ruling | null }[] {
  return RULES.map((rule) => ({ rule: rule.name, ruling: rule.judge(situation) }));
}
