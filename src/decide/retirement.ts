import type { Ruling, Situation } from "../rotation/decision.ts";
import { LAST_USED_LAG_MS, quietMs, SESSION_MAX_MS } from "../rotation/policy.ts";
import { describeMs, latest, plus } from "../rotation/time.ts";
import { adoptionOf } from "./adoption.ts";
import {
  type Judged,
  lastUsedOf,
  lastUsedOpen,
  memoryOf,
  trailOpen,
  trailUseAfter,
  unaskedHealth,
  unaskedUse,
} from "./answers.ts";
import { destinationsBehind, formerDestination, storedRuling } from "./deliveries.ts";
import { partsOf } from "./parts.ts";
import { quietClock, type QuietClock, type Replaced, unexplainedRead } from "./quiet.ts";
import { describeReaders, readersUnasked } from "./readers.ts";
import { describeSighting, hold, look } from "./rulings.ts";
import { describeSigners, signersUnasked } from "./signers.ts";
import { windowClosed } from "./window.ts";

/**
 * Judges the one old key that is Active beside an Active current key, and asks the cheapest source first. Null when
 * there is none; `deactivate` when all the evidence allows it, and only what is live at the destinations is left to see.
 */
export function retirementOf(situation: Situation): Ruling | null {
  const { observation, profile } = situation;
  const { current, old: all } = partsOf(observation);
  const old = all.find(({ status }) => status === "active");
  if (profile === null || current?.status !== "active" || old === undefined) return null;
  const replaced = { ...situation, profile, old, current };
  const obstacle = undelivered(replaced) ?? unreleased(replaced);
  if (obstacle !== null) return obstacle;
  const clock = quietClock(replaced);
  if (clock === null) {
    return hold("UseUnknown", `the journal does not say when the replacement of ${old.id} was promoted`);
  }
  if (isRetireAsked(replaced)) return tooSoon(replaced, clock) ?? closed(replaced) ?? asked(replaced, clock);
  return (
    tooSoon(replaced, clock) ??
    useUnknown(replaced) ??
    unexplained(replaced, clock) ??
    readersUnasked(replaced, clock) ??
    notQuiet(replaced, clock) ??
    contradicted(replaced) ??
    notAdopted(replaced) ??
    closed(replaced) ??
    trailVeto(replaced, clock) ??
    deactivate(replaced, clock)
  );
}

function undelivered(replaced: Replaced): Ruling | null {
  const { observation, old, current } = replaced;
  const [behind] = destinationsBehind(observation, current.id);
  if (behind !== undefined) {
    const stored = storedRuling(replaced, behind.name, current.id);
    if (stored?.step.kind === "hold") return stored;
    return hold("DestinationBackingOff", `${behind.name} does not have ${current.id} yet, so ${old.id} stays`);
  }
  const former = formerDestination(observation, old.id);
  if (former !== undefined) {
    return hold("FormerDestination", `${former} was given ${old.id} and is no longer in the profile`);
  }
  const { custody } = observation;
  if (custody.kind !== "present" || custody.replicasBehind.length === 0) return null;
  const replicas = custody.replicasBehind.join(", ");
  return hold("DestinationBackingOff", `the secret's replica in ${replicas} does not show ${current.id} yet`);
}

/** Made active again by anyone, a key stays until an operator releases it. */
export function unreleased({ observation, old }: Judged): Ruling | null {
  const { reactivatedAt = null, releasedAt = null } = memoryOf(observation, old.id) ?? {};
  if (reactivatedAt === null || (releasedAt !== null && releasedAt >= reactivatedAt)) return null;
  return hold("NeedsRelease", `${old.id} was made active again, and stays until it is released`);
}

/** Why a key may go although nobody was seen to use the one in its place. */
const UNPROVED = {
  optional: "the profile says that adoption is optional",
  waived: "nobody used the old one either",
  missing: "nobody was seen to",
};

/** Before every consumer could have had the replacement no source can tell anything that would change the ruling. */
function tooSoon({ now, old }: Replaced, { base, readyAt }: QuietClock): Ruling | null {
  if (now >= base) return null;
  const because = `the replacement of ${old.id} is everywhere in ${describeMs(base - now)} at the latest`;
  return hold("OldKeyQuieting", because, readyAt);
}

function useUnknown(replaced: Replaced): Ruling | null {
  const { observation, old, current } = replaced;
  // Where adoption is waived the soak is longer: whether somebody uses the replacement is asked all the same.
  const keyIds = adoptionOf(replaced) === "seen" ? [old.id] : [old.id, current.id];
  const questions = unaskedUse(observation, keyIds);
  if (questions.length > 0) return look(questions, `when ${old.id} was last used`);
  return lastUsedOpen(observation, old.id);
}

/** IAM tracks every use: an answer without any, of a key that was seen in use, says nothing of what came after. */
function contradicted({ observation, old }: Replaced): Ruling | null {
  const { latestUse = null, latestRead = null } = memoryOf(observation, old.id) ?? {};
  if (lastUsedOf(observation, old.id)?.verdict !== "unused" || (latestUse ?? latestRead) === null) return null;
  return hold("UseUnknown", `when ${old.id} was last used cannot be told: IAM names no use, and one is on record`);
}

/** For a profile that pulls: a call to Secrets Manager counts as a use until CloudTrail shows that it was a hand-over. */
function unexplained(replaced: Replaced, { base, readyAt }: QuietClock): Ruling | null {
  const { observation, profile, now, old } = replaced;
  const memory = memoryOf(observation, old.id);
  const read = profile.readers.length > 0 && memory !== null ? unexplainedRead(memory) : null;
  if (read === null || read.at <= base || readyAt <= now) return null;
  const open = trailOpen(replaced, base);
  // An answer, whatever it is, has been counted by the clock; a read that it could not explain stays a use.
  return open?.step.kind === "look" ? open : null;
}

function notQuiet(replaced: Replaced, { base, quietSince, readyAt, useAfterBase }: QuietClock): Ruling | null {
  const { observation, profile, now, old } = replaced;
  if (now >= readyAt) return null;
  if (useAfterBase !== null) {
    const because = `${old.id} is still used after its replacement was delivered: ${describeSighting(useAfterBase, now)}`;
    const stillUsed = hold("OldKeyStillUsed", because, readyAt);
    const details = [...describeReaders(replaced), ...describeSigners(replaced, useAfterBase)];
    return signersUnasked(replaced, useAfterBase, base) ?? { ...stillUsed, details };
  }
  const silent = `${describeMs(Math.max(0, now - quietSince))} of ${describeMs(quietMs(profile.policy))} and 4 h`;
  const isSession = memoryOf(observation, old.id)?.sessionsEndAt === quietSince;
  const since = isSession ? ", counted from the end of a session that was made with it" : "";
  const quieting = hold("OldKeyQuieting", `${old.id} has been silent for ${silent}${since}`, readyAt);
  const details = describeReaders(replaced);
  return details.length === 0 ? quieting : { ...quieting, details };
}

function notAdopted(replaced: Replaced): Ruling | null {
  const { observation, old, current } = replaced;
  if (adoptionOf(replaced) !== "missing") return null;
  const open = lastUsedOpen(observation, current.id);
  if (open !== null) return open;
  const questions = unaskedHealth(observation, current.id);
  if (questions.length > 0) return look(questions, `whether a consumer says that it uses ${current.id}`);
  return hold("NotAdopted", `nobody but Keyturn was seen to use ${current.id}, so ${old.id} stays`);
}

/** CloudTrail may only veto. It is asked last, when nothing else is in the way: it is the dearest source. */
function trailVeto(replaced: Replaced, { quietSince }: QuietClock): Ruling | null {
  const { profile, old, now } = replaced;
  // What makes a session is a use: the longest of all ends so long after quietSince, and counts no more once that was quiet.
  const countsUntil = plus(quietSince, SESSION_MAX_MS + quietMs(profile.policy) + LAST_USED_LAG_MS);
  const open = trailOpen(replaced, quietSince, now < countsUntil ? plus(quietSince, -SESSION_MAX_MS) : null);
  if (open !== null) return open;
  // A use before quietSince is one that the clock has counted already; a later one has moved the clock by now.
  const use = trailUseAfter(replaced, quietSince);
  if (use === null) return null;
  return hold("OldKeyStillUsed", `CloudTrail shows a use of ${old.id}: ${describeSighting(use, now)}`);
}

/** Asked before CloudTrail: in a closed window its answer could change nothing. */
const closed = (replaced: Replaced): Ruling | null => windowClosed(replaced, `deactivating ${replaced.old.id}`);

/** An operator's word waives use and adoption, never delivery. Who makes the key active, or current, again has taken it back. */
function isRetireAsked({ observation, old }: Replaced): boolean {
  const { retireAskedAt = null, reactivatedAt = null, promotedAt = null } = memoryOf(observation, old.id) ?? {};
  const takenBackAt = latest(reactivatedAt, promotedAt);
  return retireAskedAt !== null && (takenBackAt === null || takenBackAt < retireAskedAt);
}

function asked({ old, current }: Replaced, { silentSince }: QuietClock): Ruling {
  const step = { kind: "deactivate", keyId: old.id, quietSince: silentSince, isWaived: false, isAsked: true } as const;
  const because = `an operator retired ${old.id}, whoever uses it, and ${current.id} is everywhere`;
  return { step, reason: "RetireAsked", because };
}

function deactivate(replaced: Replaced, { quietSince, silentSince }: QuietClock): Ruling {
  const { now, old, current } = replaced;
  const adoption = adoptionOf(replaced);
  const step = { kind: "deactivate", keyId: old.id, quietSince: silentSince, isWaived: adoption === "waived" } as const;
  const silent = `${old.id} has been silent for ${describeMs(now - quietSince)}`;
  const because = `${silent}, CloudTrail agrees, and ${current.id} is in its place`;
  const unproved =
    adoption === "seen" ? "" : `; it is not proved that anybody uses ${current.id}: ${UNPROVED[adoption]}`;
  return { step, reason: "OldKeyQuiet", because: because + unproved };
}
