import { ACT_MUTANTS } from "./acts.ts";
import { ADAPTER_MUTANTS } from "./adapters.ts";
import { EVIDENCE_MUTANTS } from "./evidence.ts";
import type { Mutant } from "./mutant.ts";
import { ORDER_MUTANTS } from "./orders.ts";
import { REST_MUTANTS } from "./rests.ts";
import { RULE_MUTANTS } from "./rules.ts";

/** Every mistake that must be noticed. */
export const MUTANTS: readonly Mutant[] = [
  ...RULE_MUTANTS,
  ...ORDER_MUTANTS,
  ...EVIDENCE_MUTANTS,
  ...ACT_MUTANTS,
  ...REST_MUTANTS,
  ...ADAPTER_MUTANTS,
];
