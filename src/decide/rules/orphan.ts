import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import { knowsWholeLife } from "../../rotation/footprint.ts";
import type { AccessKey } from "../../rotation/keys.ts";
import { LAST_USED_COLLAPSE_MS, LAST_USED_LAG_MS } from "../../rotation/policy.ts";
import { minutes, plus } from "../../rotation/time.ts";
import { authorOf, lastUsedAt, lastUsedOpen, memoryOf } from "../answers.ts";
import { INTENT_VALID_MS, partsOf } from "../parts.ts";
import { describeSighting, hold, look } from "../rulings.ts";

/** Only at this age can "never used" be believed. */
const ORPHAN_AGE_MS = LAST_USED_LAG_MS + LAST_USED_COLLAPSE_MS;

/**
 * Rule 5. A replacement whose secret was lost before custody had it. It is deleted only when something says positively
 * that we made it, and nothing could ever have used it; else it is held and named.
 */
export const orphan: Rule = {
  name: "orphan",
  judge(situation) {
    const { suspects, strangers } = partsOf(situation.observation);
    const [key] = [...suspects, ...strangers];
    if (key === undefined) return null;
    const maker = makerOf(situation, key);
    if (maker === "ours") return judgeOurs(situation, key);
    if (maker === "ask") {
      const from = plus(key.createdAt, -minutes(1));
      return look([{ source: "authorship", keyId: key.id, event: "CreateAccessKey", from }], `who made ${key.id}`);
    }
    // A stranger is named by the next rule; this one speaks of keys made under an intent of ours.
    return maker === "unknown" && suspects.includes(key) ? unproved(situation, key) : null;
  },
};

function makerOf({ observation }: Situation, key: AccessKey): "ours" | "other" | "unknown" | "ask" {
  const { intent } = observation.record;
  if (intent?.created === key.id && key.createdAt <= plus(intent.at, INTENT_VALID_MS)) return "ours";
  return authorOf(observation, key.id, "CreateAccessKey")?.kind ?? "ask";
}

function unproved({ now }: Situation, key: AccessKey): Ruling {
  const readyAt = plus(key.createdAt, ORPHAN_AGE_MS);
  if (now < readyAt) return hold("OrphanTooYoung", `who made ${key.id} cannot be told yet`, readyAt);
  return hold("OrphanUnproved", `${key.id} appeared when Keyturn was making a key, and nothing says who made it`);
}

function judgeOurs({ observation, now }: Situation, key: AccessKey): Ruling {
  if (!knowsWholeLife(observation.record, key)) {
    return hold("OrphanUnproved", `the journal is younger than ${key.id} and cannot say that it was never delivered`);
  }
  const readyAt = plus(key.createdAt, ORPHAN_AGE_MS);
  if (now < readyAt) return hold("OrphanTooYoung", `the secret of ${key.id} was lost when it was made`, readyAt);
  const open = lastUsedOpen(observation, key.id);
  if (open !== null) return open;
  // An answer may be older than an earlier one: a use that was seen once is never forgotten.
  const seen = lastUsedAt(observation, key.id) ?? memoryOf(observation, key.id)?.latestUse ?? null;
  if (seen !== null) return hold("OrphanUnproved", `somebody uses ${key.id}: ${describeSighting(seen, now)}`);
  const because = `Keyturn made ${key.id}, its secret was lost, and nobody ever used it`;
  return { step: { kind: "delete", keyId: key.id }, reason: "OrphanProvedOurs", because };
}
