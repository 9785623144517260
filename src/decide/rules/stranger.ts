import type { Rule, Ruling, Situation } from "../../rotation/decision.ts";
import { authorOf } from "../answers.ts";
import { goneAt, type Parts, partsOf } from "../parts.ts";
import { hold } from "../rulings.ts";

/** Rule 6. A key that somebody else made is never touched, and a replacement that somebody else took away is not used. */
export const stranger: Rule = {
  name: "stranger",
  judge(situation) {
    const parts = partsOf(situation.observation);
    const [key] = parts.strangers;
    if (key === undefined) return pendingTaken(situation, parts);
    const author = authorOf(situation.observation, key.id, "CreateAccessKey");
    const maker = author?.kind === "other" ? author.who : "somebody";
    return hold("Stranger", `${maker} made ${key.id}, which is in no custody version and not in the journal`);
  },
};

function pendingTaken({ observation, now }: Situation, { pending, pendingId: keyId }: Parts): Ruling | null {
  if (keyId === null || pending?.status === "active") return null;
  if (pending !== null) return hold("PendingDisabled", `somebody disabled ${keyId}, the replacement`);
  const until = goneAt(observation, keyId, now);
  if (now < until) return hold("NeedsEvidence", `IAM does not list ${keyId} yet`, until);
  const because = `somebody deleted ${keyId}, the replacement: the rotation starts again`;
  return { step: { kind: "withdraw-pending", keyId }, reason: "PendingGone", because };
}
