import type { Rule } from "../../rotation/decision.ts";
import { healthOpen } from "../answers.ts";
import { awaitedAt, storedRuling } from "../deliveries.ts";
import { partsOf } from "../parts.ts";
import { hold } from "../rulings.ts";

/**
 * Nothing is due. Whether a stored pair became live, and whether every consumer that can be asked is well with the current
 * key: somebody may have set another pair, which no version tells. What cannot be asked now is asked at the next look.
 */
export const drift: Rule = {
  name: "drift",
  judge(situation) {
    const { observation } = situation;
    const { current, pending } = partsOf(observation);
    if (current === null || pending !== null) return null;
    const stored = observation.destinations.find(({ name }) => awaitedAt(observation, name, current.id) !== null);
    const ruling = stored === undefined ? null : storedRuling(situation, stored.name, current.id);
    // What is to be delivered again, and is not by rule 10, waits for its back-off.
    if (ruling !== null) return ruling.step.kind === "hold" ? ruling : hold("DestinationNotLive", ruling.because);
    const open = healthOpen(observation, current.id);
    return open?.reason === "UseUnknown" ? null : open;
  },
};
