import { ACT_MUTANTS } from "./acts.ts";
import { ADAPTER_MUTANTS } from "./adapters.ts";
import { CASE_MUTANTS } from "./cases.ts";
import { EMERGENCY_MUTANTS } from "./emergencies.ts";
import { ENDING_MUTANTS } from "./endings.ts";
import { LEAK_MUTANTS } from "./leaks.ts";
import type { Mutant } from "./mutant.ts";
import { ORDER_MUTANTS } from "./orders.ts";
import { PROOF_MUTANTS } from "./proof.ts";
import { REST_MUTANTS } from "./rests.ts";
import { RULE_MUTANTS } from "./rules.ts";
import { SILENCE_MUTANTS } from "./silence.ts";
import { SPOKEN_MUTANTS } from "./spoken.ts";

/** Every mistake that must be noticed. */
export const MUTANTS: readonly Mutant[] = [
  ...RULE_MUTANTS,
  ...ORDER_MUTANTS,
  ...SILENCE_MUTANTS,
  ...PROOF_MUTANTS,
  ...ENDING_MUTANTS,
  ...ACT_MUTANTS,
  ...REST_MUTANTS,
  ...LEAK_MUTANTS,
  ...EMERGENCY_MUTANTS,
  ...SPOKEN_MUTANTS,
  ...ADAPTER_MUTANTS,
  ...CASE_MUTANTS,
];
