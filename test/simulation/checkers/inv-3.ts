import type { Checker } from "../checker.ts";
import { custodyName, violate } from "../stage.ts";
import type { Stage } from "../stage.ts";

/** A secret is in custody before it is anywhere else. */
export function inv3(stage: Stage): Checker {
  const invariant = "INV-3";
  return {
    invariant,
    delivering: ({ subject, destination, pair, isOvertaken, sent }) => {
      // A label may have been taken away while it was under way.
      const isLate = sent.atMs < stage.clock.now();
      const secret = stage.cloud.secretsManager.named(custodyName(subject.user));
      const text = JSON.stringify(pair.secret);
      const isKept = [...(secret?.versions.values() ?? [])].some(
        (version) =>
          (isLate || version.stages.size > 0) && version.text.includes(pair.keyId) && version.text.includes(text),
      );
      if (!isKept && !isOvertaken)
        violate(stage, invariant, subject.user, `${pair.keyId} goes to ${destination} and is not in custody`);
    },
  };
}
