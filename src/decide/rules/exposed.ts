import type { Rule, Ruling, Situation, Step } from "../../rotation/decision.ts";
import type { Exposure } from "../../rotation/exposure.ts";
import { knowsWholeLife } from "../../rotation/footprint.ts";
import type { AccessKey, AccessKeyId } from "../../rotation/keys.ts";
import type { Attribution, Observation } from "../../rotation/observation.ts";
import { LAST_USED_COLLAPSE_MS, SESSION_MAX_MS } from "../../rotation/policy.ts";
import { days, hours, instant, minutes, plus, seconds } from "../../rotation/time.ts";
import { attributionOf, attachedAt, authorOf, memoryOf, readsOf, unaskedLive } from "../answers.ts";
import {
  awaitedAt,
  destinationsBehind,
  isDelivered,
  lastDeliveryTo,
  lastGivenTo,
  storedRuling,
} from "../deliveries.ts";
import { heirOf, holdsExposed, isEmergency, isExposed, isSound, readsCustody, uncut } from "../exposure.ts";
import { partsOf } from "../parts.ts";
import { look } from "../rulings.ts";
import { describeSession } from "../signers.ts";

/** A sweep of a day sees the last read that CloudTrail had yet to tell of when the key was cut. */
const READS_TOLD_WITHIN_MS = days(1);
/** The clock of the run that cut a key, and IAM's. */
const CLOCKS_DIFFER_MS = minutes(2);
/** Who signed an hour ago need not be asked again. */
const SIGNERS_KNOWN_FOR_MS = hours(1);
/** IAM's answer is some minutes old at times, and a run decides on it for up to a quarter of an hour: one without a policy that was attached since says nothing. */
const ANSWERS_OLD_MS = minutes(20);

/**
 * Rule 4. A key that is exposed is replaced and cut in one run, without any of the waits of a rotation. What the rules
 * below would do for the key in its place is done here, so that nothing which holds them can hold this.
 */
export const exposed: Rule = {
  name: "exposed",
  judge: (situation) =>
    quarantined(situation) ??
    readByThief(situation) ??
    (isEmergency(situation.observation) ? emergency(situation) : null),
};

/** A quarantine policy names no key: it condemns those that are older than its attachment, each once. */
function quarantined({ observation, now }: Situation): Ruling | null {
  const { iamUser, notes, keys, blindSpots } = observation;
  const policies = iamUser?.quarantines?.join(" ");
  if (policies === undefined || policies === (notes.quarantine?.policies ?? "")) return null;
  if (notes.isUnread === true || blindSpots.some(({ about }) => about === "keys")) return null;
  const isJustSeen = notes.quarantine !== null && now - notes.quarantine.at < ANSWERS_OLD_MS;
  const known = notes.quarantine?.policies.split(" ") ?? [];
  const isFewer = policies === "" || policies.split(" ").every((name) => known.includes(name));
  if (isFewer && isJustSeen) return null;
  if (hasStalled(observation, "mark")) return unmarked(observation, isFewer);
  if (policies === "") {
    const step = { kind: "mark", exposures: [], quarantine: { at: now, policies } } as const;
    return { step, reason: "QuarantineOver", because: "no quarantine policy is attached any more" };
  }
  if (isFewer && notes.quarantine !== null) {
    const step = { kind: "mark", exposures: [], quarantine: { at: now, policies } } as const;
    return { step, reason: "QuarantineOver", because: `of the quarantine policies only ${policies} is attached still` };
  }
  const told = attachedAt(observation);
  if (told === undefined) {
    // Of one that is known CloudTrail says nothing new: the clock that dated it may have been behind.
    const unknown = policies.split(" ").filter((name) => !known.includes(name));
    return look(
      [{ source: "quarantine", policies: unknown, from: plus(now, -days(90)) }],
      `when ${policies} was attached`,
    );
  }
  // Of the latest attachment CloudTrail may not tell yet, and of one before it does.
  // That one was not attached when another was marked, as far as IAM's answer, and the clock, could tell.
  const unseenAt = notes.quarantine === null ? instant(0) : plus(notes.quarantine.at, -ANSWERS_OLD_MS);
  const isThis = told !== null && told > unseenAt;
  const at = isThis ? told : now;
  const older = keys.filter(({ createdAt }) => createdAt <= at);
  // A key of which only this run or the journal knows is marked as well; a mark that is there stays as it is.
  const exposures = older.map(({ id: keyId }): Exposure => ({ keyId, at: now, by: "quarantine" }));
  const named = older.map(({ id }) => id).filter((id) => !isExposed(observation, id));
  const because = `${named.join(" and ") || "no key"} is older than the attachment of ${policies}`;
  return { step: { kind: "mark", exposures, quarantine: { at, policies } }, reason: "KeyExposed", because };
}

/** The keys that this run knows to be exposed are dealt with all the same; whoever comes next has to see the policy as a new one. */
function unmarked(observation: Observation, isOver: boolean): Ruling | null {
  if (isEmergency(observation)) return null;
  const step = { kind: "hold", until: null } as const;
  if (isOver)
    return { step, reason: "QuarantineOver", because: "that a policy was taken away could not be written down" };
  const policies = observation.iamUser?.quarantines?.join(" and ") ?? "";
  const ids = observation.keys.map(({ id }) => id).join(" and ");
  const because = `${policies} could not be written down: until it can, nothing is done about ${ids}, which may be leaked`;
  return { step, reason: "KeyExposed", because };
}

/** A pair that lay in custody while an exposed key could read it there is exposed, too, unless CloudTrail says that none did. */
function readByThief(situation: Situation): Ruling | null {
  const { observation } = situation;
  const { current, pending, old } = partsOf(observation);
  if (!readsCustody(situation)) return null;
  // An old key was current in custody a moment ago.
  const sound = [current, pending, ...old].filter((key) => isSound(observation, key));
  for (const kept of sound) {
    for (const exposure of observation.notes.exposures) {
      const ruling = readBy(situation, kept, exposure);
      if (ruling !== null) return ruling;
    }
  }
  return null;
}

function readBy({ observation, now }: Situation, kept: AccessKey, { keyId, at }: Exposure): Ruling | null {
  const isListed = observation.keys.some(({ id }) => id === keyId);
  // What was deleted to make room for it, or was gone when it was told of, worked for some seconds more.
  const isMadeAfter = kept.createdAt - at <= READS_TOLD_WITHIN_MS && kept.createdAt > at - CLOCKS_DIFFER_MS;
  const isJustGone = (isMadeAfter && now - kept.createdAt <= READS_TOLD_WITHIN_MS) || now - at <= READS_TOLD_WITHIN_MS;
  if (!isListed && !isJustGone) return null;
  const since = memoryOf(observation, keyId)?.inactiveSince ?? null;
  const isBefore = since !== null && since < plus(kept.createdAt, -CLOCKS_DIFFER_MS);
  const isToldOf = since !== null && (isBefore || now - since > READS_TOLD_WITHIN_MS);
  if (isToldOf) return null;
  const reads = readsOf(observation, keyId, kept.createdAt);
  const question = { source: "reads", keyId, from: kept.createdAt } as const;
  if (reads === undefined) return look([question], `whether ${keyId} read ${kept.id} in custody`);
  if (reads.verdict === "none") return null;
  // By our clock, or by our record, it was cut before: only a read says otherwise. IAM dates keys in whole seconds.
  const cutAt = memoryOf(observation, keyId)?.deactivation?.answeredAt ?? null;
  const metAt = memoryOf(observation, kept.id)?.firstSeenAt ?? null;
  const isOnRecord = cutAt !== null && metAt !== null && cutAt <= metAt;
  const isCutBefore = !isListed || isOnRecord || (since !== null && since < plus(kept.createdAt, seconds(1)));
  if (isCutBefore && reads.verdict === "unknown") return null;
  const exposures = [{ keyId: kept.id, at: now, by: "custody" }] as const;
  const because = `${keyId} is exposed, and may have read ${kept.id} in custody: ${reads.because}`;
  return { step: { kind: "mark", exposures, quarantine: null }, reason: "KeyExposed", because };
}

function emergency(situation: Situation): Ruling {
  const { observation } = situation;
  const { currentId, pendingId, pending } = partsOf(observation);
  const [spot] = observation.blindSpots;
  if (spot !== undefined) return cutOrHold(situation, `${spot.about} cannot be read: ${spot.because}`);
  // A replacement that somebody disabled helps nobody, and another needs its slot.
  if (pendingId !== null && (isExposed(observation, pendingId) || pending?.status === "inactive")) {
    if (!hasStalled(observation, "withdraw-pending")) return withdraw(situation, pendingId);
  }
  const heir = heirOf(observation);
  if (heir === null) return unlisted(situation) ?? replace(situation);
  const next = handOn(situation, heir);
  if (next !== null) return next;
  const [open] = uncut(observation);
  const behind = destinationsBehind(observation, heir.id).map(({ name }) => name);
  if (open !== undefined && behind.length === 0 && heir.id === currentId) {
    return cut(situation, open, `${heir.id} is in its place`);
  }
  return cutOrHold(situation, `${behind.join(", ") || "custody"} could not be given ${heir.id} yet`);
}

/**
 * A replacement that IAM does not list yet is made no second time: its listing is minutes old at times (IAM User Guide,
 * eventual consistency). Its pair says whether it is there. Later, and where it does not answer, it is gone.
 */
function unlisted(situation: Situation): Ruling | null {
  const { observation, now } = situation;
  const { custody, record, dead = [] } = observation;
  const { pendingId, pending } = partsOf(observation);
  if (pendingId === null || pending !== null || dead.includes(pendingId)) return null;
  const begunAt = (custody.kind === "present" ? custody.intent?.at : null) ?? record.intent?.at ?? now;
  const seenAt = memoryOf(observation, pendingId)?.firstSeenAt ?? now;
  if (now - Math.min(begunAt, seenAt) >= ANSWERS_OLD_MS) return null;
  const because = `IAM does not list ${pendingId}, its replacement, just now`;
  if (isDoubtful(observation, pendingId)) return cutOrHold(situation, because);
  return rule(observation, { kind: "prove", keyId: pendingId }, `${because}: it must answer`);
}

/** The key before it is delivered again by what follows. One that went nowhere is nobody's loss. */
function withdraw(situation: Situation, keyId: AccessKeyId): Ruling {
  const { observation } = situation;
  const { record, keys } = observation;
  const open = uncut(observation).find((exposure) => exposure.keyId === keyId);
  // A journal that is younger than the key does not know where it went.
  const isKnown = keys.some((key) => key.id === keyId && knowsWholeLife(record, key));
  const wentOut = !isKnown || record.deliveries.some((delivery) => delivery.keyId === keyId);
  if (open !== undefined && !wentOut) return cut(situation, open, "it was delivered nowhere yet");
  return rule(observation, { kind: "withdraw-pending", keyId }, "it is not to become current");
}

/** What is still to be done for the key in its place; null where that is all, or cannot be done now. */
function handOn(situation: Situation, heir: AccessKey): Ruling | null {
  const { observation } = situation;
  const { id: keyId } = heir;
  const isPending = keyId === partsOf(observation).pendingId;
  const behind = destinationsBehind(observation, keyId);
  const stored = behind.map(({ name }) => name).filter((name) => awaitedAt(observation, name, keyId) !== null);
  const questions = unaskedLive(observation, stored);
  if (questions.length > 0) return look(questions, `whether ${keyId} is live where it is stored`);
  const next = behind.find(({ name }) => {
    // What is stored is not stored again, and the cut waits no longer for it than for what fails.
    const waiting = storedRuling(situation, name, keyId);
    // A back-off of before says nothing: each is tried once in every run.
    return waiting?.step.kind !== "hold" && !hasStalled(observation, "deliver", name);
  });
  if (isDoubtful(observation, keyId) || (next === undefined && !isPending)) return null;
  if (next === undefined && hasStalled(observation, "promote")) return null;
  if (!observation.proved.includes(keyId)) return rule(observation, { kind: "prove", keyId }, `${keyId} must answer`);
  if (next !== undefined) {
    const step = { kind: "deliver", keyId, destination: next.name, isConfirming: false } as const;
    return rule(observation, step, `${next.name} gets ${keyId}`);
  }
  const [open] = uncut(observation);
  // From its promotion on the pair can be read in custody by whoever has a key of the user's that works.
  if (open !== undefined && readsCustody(situation)) return cut(situation, open, `${keyId} is about to become current`);
  return rule(observation, { kind: "promote", keyId }, `${keyId} becomes current`);
}

/** There is no sound key that consumers could be given: another is made, and room for it where there is none. */
function replace(situation: Situation): Ruling {
  const { observation } = situation;
  const { keys } = observation;
  const { currentId, isCustodyEmpty } = partsOf(observation);
  const isNeeded = !isCustodyEmpty || !keys.some((key) => isSound(observation, key)) || holdsExposed(observation);
  if (!isNeeded) return cutOrHold(situation, "both keys were made by hand, and there is no room for another");
  const steps = ["withdraw-pending", "delete", "create-replacement"] as const;
  if (steps.some((step) => hasStalled(observation, step))) {
    return cutOrHold(situation, "no replacement could be made");
  }
  if (keys.length < 2) {
    // This step cuts it where the user reads custody.
    const [open] = uncut(observation);
    const told = open === undefined ? null : sessionsOf(situation, open.keyId);
    if (told !== null && "step" in told) return told;
    const replaces = currentId ?? observation.notes.exposures[0]?.keyId ?? null;
    return rule(observation, { kind: "create-replacement", replaces }, "a replacement is made at once");
  }
  // A replacement of ours that was withdrawn is a stranger's as far as custody and the journal tell.
  const [made] = [...partsOf(observation).suspects, ...partsOf(observation).strangers];
  if (made !== undefined && authorOf(observation, made.id, "CreateAccessKey") === undefined) {
    const from = plus(made.createdAt, -minutes(1));
    const question = { source: "authorship", keyId: made.id, event: "CreateAccessKey", from } as const;
    return look([question], `who made ${made.id}`);
  }
  const places = observation.destinations.map(({ name }) => name);
  const questions = unaskedLive(
    observation,
    places.filter((name) => lastDeliveryTo(observation, name)?.receipt?.awaits !== undefined),
  );
  if (questions.length > 0) return look(questions, "whether what is stored is live by now");
  const victim = victimOf(observation);
  if (victim !== null) {
    return rule(observation, { kind: "delete", keyId: victim.id }, `${victim.id} goes, to make room for a replacement`);
  }
  const other = keys.find(({ id }) => !isExposed(observation, id))?.id ?? "";
  return cutOrHold(situation, `there is no room for a replacement: ${other} is active, and not known to be spare`);
}

/** The other key, where it is Inactive; of two exposed ones that which is not current, or in no place; one of ours that is nowhere. */
function victimOf(observation: Observation): AccessKey | null {
  const { keys } = observation;
  const { currentId } = partsOf(observation);
  const others = keys.filter(({ id }) => id !== currentId).toSorted((one, other) => one.createdAt - other.createdAt);
  // One that leaked says that its user is still without a key.
  const taken = others.filter(({ status }) => status === "inactive");
  const inactive = taken.find(({ id }) => !isExposed(observation, id)) ?? taken[0];
  const isBoth = keys.every(({ id }) => isExposed(observation, id));
  const unheld = others.find(({ id }) => !isInUse(observation, id));
  return inactive ?? (isBoth ? (unheld ?? others[0]) : others.find((key) => isSpare(observation, key))) ?? null;
}

/** What a destination may have: what it was given last, or had when the first replacement was begun, and what was tried since. */
function isHeld({ record }: Pick<Observation, "record">, id: AccessKeyId): boolean {
  return record.deliveries.some(({ destination, keyId, attemptedAt }) => {
    const given = lastGivenTo(record, destination);
    return keyId === id && (given === undefined || attemptedAt >= given.attemptedAt);
  });
}

/** What a consumer signs with, as far as the journal tells: what is stored since, and not live yet, nobody has. */
function isInUse({ record }: Observation, id: AccessKeyId): boolean {
  const deliveries = record.deliveries.filter(({ receipt }) => receipt?.awaits === undefined);
  return isHeld({ record: { ...record, deliveries } }, id);
}

/**
 * Ours, and what no destination was given last, nor has until it is live: delivered and replaced, or a replacement whose
 * secret was lost. Where no delivery to a place is on record, as after the journal was lost, nobody knows what it has.
 */
function isSpare(observation: Observation, key: AccessKey): boolean {
  const { record, destinations } = observation;
  if (isHeld(observation, key.id) || isInUse(observation, key.id)) return false;
  const isOnRecord = record.intent?.created === key.id || record.rollback?.from === key.id;
  const isMade = isOnRecord || authorOf(observation, key.id, "CreateAccessKey")?.kind === "ours";
  if (isMade && knowsWholeLife(record, key)) return true;
  const isTold = destinations.every(
    ({ name, readsCustody: isReader }) => isReader || lastGivenTo(record, name) !== undefined,
  );
  return isTold && isDelivered(observation, key.id);
}

/** After `cutExposedWithin`, and by `revoke` at once, nothing stands in the way any more. */
function cutOrHold(situation: Situation, why: string): Ruling {
  const { observation, profile, now } = situation;
  const open = uncut(observation);
  const dueAt = ({ at, by }: Exposure) => plus(at, by === "revoke" ? 0 : (profile?.policy.cutExposedWithinMs ?? 0));
  const due = open.find((exposure) => dueAt(exposure) <= now);
  if (due !== undefined) return cut(situation, due, `it is cut although ${why}`);
  const [first] = open;
  return rule(observation, { kind: "hold", until: first === undefined ? null : dueAt(first) }, why);
}

function cut(situation: Situation, { keyId, by }: Exposure, why: string): Ruling {
  const { observation, now } = situation;
  const told = sessionsOf(situation, keyId);
  if ("step" in told) return told;
  // What was signed before the cut comes to light hours later, and is no reason to keep the key from its deletion.
  const quietSince = plus(now, LAST_USED_COLLAPSE_MS);
  const pulled = readsCustody(situation) ? "; who has not read its pair in custody since is behind" : "";
  const which = observation.notes.exposures.length > 1 ? `${keyId}: ` : "";
  const step = { kind: "deactivate", keyId, quietSince, isWaived: false, exposedBy: by } as const;
  const ruling = rule(observation, step, `${which}${why}${pulled}`);
  const sessions = told.sessions.filter(({ endsAt }) => endsAt > now).map((session) => describeSession(session, now));
  return { ...ruling, details: [...sessions, ...(told.because === null ? [] : [`Not all is known: ${told.because}`])] };
}

/** Who signs with a key and made sessions with it, or the question: people are told of them with the cut. */
function sessionsOf({ observation, now }: Situation, keyId: AccessKeyId): Attribution | Ruling {
  const told = attributionOf(observation, keyId) ?? memoryOf(observation, keyId)?.attribution;
  if (told !== undefined && now - told.at <= SIGNERS_KNOWN_FOR_MS) return told;
  const question = { source: "attribution", keyId, from: plus(now, -SESSION_MAX_MS) } as const;
  return look([question], `which sessions were made with ${keyId}`);
}

/** Its proof was tried in this very run, and failed. */
const isDoubtful = ({ stalled }: Observation, keyId: AccessKeyId): boolean =>
  stalled.some((step) => step.kind === "prove" && step.keyId === keyId);

function hasStalled({ stalled }: Observation, kind: Step["kind"], destination?: string): boolean {
  return stalled.some((step) => step.kind === kind && (step.kind !== "deliver" || step.destination === destination));
}

function rule(observation: Observation, step: Step, what: string): Ruling {
  const { keys, notes } = observation;
  const { currentId } = partsOf(observation);
  const named = notes.exposures.filter(({ keyId }) => keyId === currentId || keys.some(({ id }) => id === keyId));
  // Where the keys cannot be listed nobody knows which of them are there still.
  const list = (named.length === 0 ? notes.exposures : named)
    .map(({ keyId, by }) => `${keyId} is exposed (${SAID_BY[by]})`)
    .join(", ");
  return { step, reason: "KeyExposed", because: `${list}: ${what}` };
}

const SAID_BY: Readonly<Record<Exposure["by"], string>> = {
  revoke: "an operator's revoke",
  health: "AWS Health",
  quarantine: "a quarantine policy",
  custody: "read in custody",
};
