import type { Acting, Done, Refusal, StepOf } from "../../src/act/acting.ts";
import { createReplacement as createRight } from "../../src/act/create-replacement.ts";

/** Deletes the key that is in use, to make room, before there is another. */
export async function createReplacement(acting: Acting, step: StepOf<"create-replacement">): Promise<Done | Refusal> {
  if (step.replaces !== null) {
    await acting.world.accessKeys.delete(acting.subject.user, step.replaces);
  }
  return createRight(acting, step);
}
