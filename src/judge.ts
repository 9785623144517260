import { decide } from "./decide/decide.ts";
import { look, type Subject } from "./observe/observe.ts";
import type { Decision } from "./rotation/decision.ts";
import { RotationError } from "./rotation/errors.ts";
import type { Observation } from "./rotation/observation.ts";
import type { Instant } from "./rotation/time.ts";
import type { World } from "./rotation/world.ts";

/** More rounds of questions than the rules have questions: a decision that asks on is a bug. */
const LOOKS_MAX = 8;

/** What was seen, with all the evidence that the decision asked for, and the decision. */
export interface Judged {
  readonly observation: Observation;
  readonly decision: Decision;
  /** The instant that it was decided for. */
  readonly now: Instant;
}

/** Decides, and asks what a rule wants to know, until a rule says something else than `look`. */
export async function judge(world: World, subject: Subject, seen: Observation): Promise<Judged> {
  let observation = seen;
  for (let round = 0; round < LOOKS_MAX; round += 1) {
    const now = world.clock.now();
    const decision = decide({ observation, profile: subject.profile, now });
    if (decision.step.kind !== "look") return { observation, decision, now };
    observation = await look(world, subject, { observation, questions: decision.step.questions });
  }
  throw new RotationError("Bug", `deciding on ${subject.user}, the rules went on asking`);
}
