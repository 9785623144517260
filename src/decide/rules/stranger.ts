import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import { plus } from "../../rotation/time.ts";
import { authorOf, memoryOf } from "../answers.ts";
import type { Parts } from "../parts.ts";
import { partsOf } from "../parts.ts";
import { hold } from "../rulings.ts";
import { MISSING_FOR_MS } from "./not-ours-to-touch.ts";

/** Rule 6. A key that somebody else made is never touched, and a replacement that somebody else took away is not used. */
export const stranger: Rule = {
  name: "stranger",
  judge(situation) {
    const parts = partsOf(situation.observation);
    return strange(situation, parts) ?? pendingTaken(situation, parts);
  },
};

function strange({ observation }: Situation, { strangers }: Parts): Ruling | null {
  const [key] = strangers;
  if (key === undefined) return null;
  const author = authorOf(observation, key.id, "CreateAccessKey");
  const maker = author?.kind === "other" ? `${author.who} made` : "somebody made";
  return hold("Stranger", `${maker} ${key.id}, which is in no custody version and not in the journal`);
}

function pendingTaken({ observation, now }: Situation, parts: Parts): Ruling | null {
  if (parts.pendingId === null) return null;
  if (parts.pending !== null) {
    if (parts.pending.status === "active") return null;
    return hold("PendingDisabled", `somebody disabled ${parts.pendingId}, the replacement`);
  }
  const missingSince = memoryOf(observation.record, parts.pendingId)?.missingSince ?? now;
  const until = plus(missingSince, MISSING_FOR_MS);
  if (now < until) return hold("NeedsEvidence", `IAM does not list ${parts.pendingId} yet`, until);
  return {
    step: { kind: "withdraw-pending", keyId: parts.pendingId },
    reason: "PendingGone",
    because: `somebody deleted ${parts.pendingId}, the replacement: the rotation starts again`,
  };
}
