import { minutes } from "../../../src/rotation/time.ts";
import type { Intent } from "../../../src/rotation/record.ts";
import type { Checker } from "../checker.ts";
import type { Run } from "../run.ts";
import { violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/** The intent is valid for so long, and the clocks of two runs differ by minutes. */
const VALID_MS = minutes(15 + 4);

/** One key an intent: whoever dies, or hears no answer, must find out by it what was made, and never make another. */
export function oneCreation(stage: Stage): Checker {
  const invariant = "INV-7";
  const intents = new WeakMap<Run, Map<string, Intent | null>>();
  const served = new WeakSet<Intent>();
  return {
    invariant,
    wrote: (run, { user, intent }) => {
      const known = intents.get(run) ?? new Map<string, Intent | null>();
      intents.set(run, known);
      if (known.get(user)?.at !== intent?.at) known.set(user, intent);
    },
    before: ({ name, run, user }) => {
      if (name !== "iam.CreateAccessKey") return;
      const intent = intents.get(run)?.get(user) ?? null;
      const says = (text: string): void => violate(stage, invariant, user, `making a key ${text}`);
      if (intent === null) {
        says("with no intent on record");
        return;
      }
      const isSlow = run.stalledMs > minutes(1);
      if (stage.clock.now() - intent.at > VALID_MS && !isSlow) says("under an intent that is void");
      if (served.has(intent)) says("for the second time under one intent");
      served.add(intent);
    },
  };
}
