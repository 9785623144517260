import type { Rule } from "../../rotation/decision.ts";
import { isEmergency, isNewlyQuarantined } from "../exposure.ts";
import { hold } from "../rulings.ts";

/** Rule 2. Nothing may be decided about what could not be read, or was not understood, but for an exposed key: rule 4 cuts it all the same. */
export const cannotSee: Rule = {
  name: "cannot-see",
  judge({ observation }) {
    if (isEmergency(observation) || isNewlyQuarantined(observation)) return null;
    const [spot] = observation.blindSpots;
    if (spot !== undefined) return hold("BlindSpot", `${spot.about} unreadable: ${spot.because}`);
    const odd = observation.keys.find(({ status }) => status === "unrecognized");
    if (odd === undefined) return null;
    return hold("BlindSpot", `${odd.id} has a status that Keyturn does not know`);
  },
};
