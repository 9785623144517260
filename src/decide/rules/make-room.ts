import type { Rule, Ruling } from "../../rotation/decision.ts";
import { describeMs } from "../../rotation/time.ts";
import { type Judged, lastUsedOpen, trailOpen, trailUseAfter } from "../answers.ts";
import { isDelivered } from "../deliveries.ts";
import { partsOf } from "../parts.ts";
import { silentSinceOf, unusedForMs } from "../quiet.ts";
import { unreleased } from "../retirement.ts";
import { hold } from "../rulings.ts";
import { windowClosed } from "../window.ts";

/**
 * Rule 11. At take-over a user may have two hand-made keys, and there is no room for a third: one that nobody used for
 * 90 days is retired first. Once it is Inactive this rule is silent, and rule 14 deletes it.
 */
export const makeRoom: Rule = {
  name: "make-room",
  judge(situation) {
    const { observation, profile } = situation;
    const { isCustodyEmpty, old: all } = partsOf(observation);
    if (!isCustodyEmpty || profile === null || all.length < 2) return null;
    if (all.some(({ status }) => status !== "active")) return null;
    const own = all.find(({ id }) => isDelivered(observation, id));
    if (own !== undefined) {
      return hold(
        "TwoHandMadeKeys",
        `custody has lost the pair of ${own.id}, which Keyturn delivered: there is no room`,
      );
    }
    const open = lastUsedOpen(observation, ...all.map(({ id }) => id));
    if (open !== null) return open;
    const silence = all.map((key) => ({ key, since: silentSinceOf(observation, key) }));
    const [longest] = silence.toSorted((one, other) => one.since - other.since);
    return longest === undefined ? null : retireFirst({ ...situation, profile, old: longest.key });
  },
};

/** Of two hand-made keys, the one that is silent for longer. */
function retireFirst(judged: Judged): Ruling {
  const { observation, profile, now, old } = judged;
  const quietSince = silentSinceOf(observation, old);
  const wantedMs = unusedForMs(profile);
  const noRoom = `both keys were made by hand and used within ${describeMs(wantedMs)}: there is no room`;
  if (now - quietSince < wantedMs) return hold("TwoHandMadeKeys", noRoom);
  const closed = windowClosed(judged, `deactivating ${old.id}`);
  const open = unreleased(judged) ?? closed ?? trailOpen(judged, quietSince);
  if (open !== null) return open;
  if (trailUseAfter(judged, quietSince) !== null) return hold("TwoHandMadeKeys", noRoom);
  const step = { kind: "deactivate", keyId: old.id, quietSince, isWaived: true } as const;
  const unused = `${old.id} was made by hand and is unused for ${describeMs(now - quietSince)}`;
  return { step, reason: "MakingRoom", because: `${unused}; it makes room for a replacement` };
}
