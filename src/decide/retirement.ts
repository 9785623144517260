import type { Ruling, Situation } from "../rotation/decision.ts";
import type { AccessKey } from "../rotation/keys.ts";
import type { Observation, Question } from "../rotation/observation.ts";
import type { Profile } from "../rotation/policy.ts";
import { quietMs } from "../rotation/policy.ts";
import type { Instant } from "../rotation/time.ts";
import { days, describeMs, plus } from "../rotation/time.ts";
import { adoptionOf } from "./adoption.ts";
import { lastUsedOf, liveStateOf, memoryOf, trailOf, whyLiveUnknown } from "./answers.ts";
import { destinationsBehind, formerDestinations } from "./deliveries.ts";
import { partsOf } from "./parts.ts";
import type { QuietClock } from "./quiet.ts";
import { isUnexplainedRead, quietClock } from "./quiet.ts";
import { describeSighting, hold, look } from "./rulings.ts";

/** CloudTrail keeps 90 days; a window that begins a little later is surely whole. */
export const TRAIL_KEEPS_MS = days(89);

/** Whether the old key may go now. `ready`: all the evidence allows it, and only the live destinations are left to see. */
export type Retirement =
  | { readonly kind: "none" }
  | { readonly kind: "not-yet"; readonly ruling: Ruling }
  | { readonly kind: "ready"; readonly case: RetirementCase };

export interface RetirementCase {
  readonly old: AccessKey;
  readonly current: AccessKey;
  readonly quietSince: Instant;
  readonly isWaived: boolean;
  readonly because: string;
}

/** Judges the one old key that is Active beside an Active current key. Asks the cheapest source first. */
export function retirementOf({ observation, profile, now }: Situation): Retirement {
  const { current, old } = partsOf(observation);
  const key = old.find(({ status }) => status === "active");
  if (profile === null || current?.status !== "active" || key === undefined) return { kind: "none" };
  const judged = { observation, profile, now, old: key, current };

  const obstacle = undelivered(judged) ?? unreleased(judged) ?? useUnknown(judged);
  if (obstacle !== null) return { kind: "not-yet", ruling: obstacle };
  const clock = quietClock(observation, profile, { old: key.id, current: current.id });
  if (clock === null) return { kind: "not-yet", ruling: noPromotion(key) };
  const notYet =
    unexplainedRead(judged, clock) ?? notQuiet(judged, clock) ?? notAdopted(judged) ?? trailVeto(judged, clock);
  if (notYet !== null) return { kind: "not-yet", ruling: notYet };
  const silent = `${key.id} has been silent for ${describeMs(now - clock.quietSince)}`;
  return {
    kind: "ready",
    case: {
      old: key,
      current,
      quietSince: clock.silentSince,
      isWaived: adoptionOf(observation, profile, judged) === "waived",
      because: `${silent}, CloudTrail shows no use of it, and ${current.id} is in its place`,
    },
  };
}

interface Judged {
  readonly observation: Observation;
  readonly profile: Profile;
  readonly now: Instant;
  readonly old: AccessKey;
  readonly current: AccessKey;
}

function undelivered({ observation, old, current }: Judged): Ruling | null {
  const [behind] = destinationsBehind(observation, current.id);
  if (behind !== undefined) {
    return hold("DestinationBackingOff", `${behind.name} does not have ${current.id} yet, so ${old.id} stays`);
  }
  const [former] = formerDestinations(observation, old.id);
  if (former !== undefined) {
    return hold("FormerDestination", `${former} was given ${old.id} and is no longer in the profile`);
  }
  const { custody } = observation;
  const replicas = custody.kind === "present" ? custody.replicasBehind : [];
  if (replicas.length === 0) return null;
  return hold(
    "DestinationBackingOff",
    `the secret's replica in ${replicas.join(", ")} does not show ${current.id} yet`,
  );
}

/** Made active again by anyone, a key stays until an operator releases it. */
export function unreleased({ observation, old }: Pick<Judged, "observation" | "old">): Ruling | null {
  const memory = memoryOf(observation.record, old.id);
  const reactivatedAt = memory?.reactivatedAt ?? null;
  if (reactivatedAt === null) return null;
  const releasedAt = memory?.releasedAt ?? null;
  if (releasedAt !== null && releasedAt >= reactivatedAt) return null;
  return hold("NeedsRelease", `${old.id} was made active again, and stays until it is released`);
}

function useUnknown({ observation, profile, old, current }: Judged): Ruling | null {
  const use = lastUsedOf(observation, old.id);
  const questions: Question[] = [];
  if (use === undefined) questions.push({ source: "last-used", keyId: old.id });
  const isAdoptionOpen = adoptionOf(observation, profile, { old, current }) === "missing";
  if (isAdoptionOpen && lastUsedOf(observation, current.id) === undefined) {
    questions.push({ source: "last-used", keyId: current.id });
  }
  if (questions.length > 0) return look(questions, `when ${old.id} was last used`);
  if (use?.verdict !== "unknown") return null;
  return hold("UseUnknown", `when ${old.id} was last used cannot be told: ${use.because}`);
}

function noPromotion(old: AccessKey): Ruling {
  return hold("UseUnknown", `the journal does not say when the replacement of ${old.id} was promoted`);
}

/** For a profile that pulls: a call to Secrets Manager counts as a use until CloudTrail shows that it was a hand-over. */
function unexplainedRead(judged: Judged, clock: QuietClock): Ruling | null {
  const { observation, profile, now, old } = judged;
  const memory = memoryOf(observation.record, old.id);
  if (!profile.isPulled || memory === null || !isUnexplainedRead(memory)) return null;
  const isDecisive = memory.latestRead !== null && memory.latestRead.at > clock.base && clock.readyAt > now;
  const from = trailFrom(clock.base, now);
  if (!isDecisive || trailOf(observation, old.id, from) !== undefined) return null;
  return look([trailQuestion(judged, from)], `whether ${old.id} only read its own custody`);
}

function notQuiet({ profile, now, old }: Judged, clock: QuietClock): Ruling | null {
  if (now >= clock.readyAt) return null;
  const wanted = describeMs(quietMs(profile.policy));
  if (clock.useAfterBase !== null) {
    const use = describeSighting(clock.useAfterBase, now);
    return hold(
      "OldKeyStillUsed",
      `${old.id} is still used after its replacement was delivered: ${use}`,
      clock.readyAt,
    );
  }
  const silent = describeMs(Math.max(0, now - clock.quietSince));
  return hold("OldKeyQuieting", `${old.id} has been silent for ${silent} of ${wanted} and 4 h`, clock.readyAt);
}

function notAdopted({ observation, profile, old, current }: Judged): Ruling | null {
  if (adoptionOf(observation, profile, { old, current }) !== "missing") return null;
  const use = lastUsedOf(observation, current.id);
  if (use?.verdict === "unknown") {
    return hold("UseUnknown", `when ${current.id} was last used cannot be told: ${use.because}`);
  }
  return hold("NotAdopted", `nobody but Keyturn was seen to use ${current.id}, so ${old.id} stays`);
}

/** CloudTrail may only veto. It is asked last, when nothing else is in the way: it is the dearest source. */
function trailVeto(judged: Judged, clock: QuietClock): Ruling | null {
  const { observation, now, old } = judged;
  const from = trailFrom(clock.quietSince, now);
  const trail = trailOf(observation, old.id, from);
  if (trail === undefined) return look([trailQuestion(judged, from)], `whether CloudTrail shows a use of ${old.id}`);
  if (trail.use.verdict === "unused") return null;
  if (trail.use.verdict === "unknown") {
    return hold("UseUnknown", `whether CloudTrail shows a use of ${old.id} cannot be told: ${trail.use.because}`);
  }
  // A use before quietSince is one that the clock has counted already; a later one has moved the clock by now.
  if (trail.use.latest.at <= clock.quietSince) return null;
  return hold("OldKeyStillUsed", `CloudTrail shows a use of ${old.id}: ${describeSighting(trail.use.latest, now)}`);
}

/** Back to where the silence begins, or as far as CloudTrail surely reaches. */
export function trailFrom(since: Instant, now: Instant): Instant {
  const reach = plus(now, -TRAIL_KEEPS_MS);
  return since > reach ? since : reach;
}

function trailQuestion({ profile, old }: Judged, from: Instant): Question {
  return { source: "cloudtrail", keyId: old.id, from, handOversApart: profile.isPulled };
}

/** What the destinations' live state still asks for, once everything else allows the deactivation. */
export function destinationNotOurs({ observation, now }: Situation, { current }: RetirementCase): Ruling | null {
  const filled = observation.destinations.filter(({ readsCustody }) => !readsCustody);
  const unasked = filled.filter(({ name }) => liveStateOf(observation, name) === undefined);
  if (unasked.length > 0) {
    const questions = unasked.map(({ name }): Question => ({
      source: "destination",
      destination: name,
    }));
    return look(questions, "whether what is live still carries our pair");
  }
  for (const { name } of filled) {
    const ruling = redelivery({ observation, now, name, current });
    if (ruling !== null) return ruling;
  }
  return null;
}

function redelivery(at: {
  readonly observation: Observation;
  readonly now: Instant;
  readonly name: string;
  readonly current: AccessKey;
}): Ruling | null {
  const live = liveStateOf(at.observation, at.name);
  if (live === undefined || live === "ours") return null;
  if (live === "unknown")
    return hold("UseUnknown", `what is live at ${at.name} cannot be read${whyLiveUnknown(at.observation, at.name)}`);
  const delivery = at.observation.record.deliveries.find(
    ({ destination, keyId }) => destination === at.name && keyId === at.current.id,
  );
  const isConfirming = live === "foreign";
  if (isConfirming && (delivery?.confirmedAt ?? null) !== null) return null;
  return {
    step: { kind: "deliver", keyId: at.current.id, destination: at.name, isConfirming },
    reason: isConfirming ? "ForeignVersionLive" : "DestinationBehind",
    because: isConfirming
      ? `somebody deployed ${at.name} since; it is given ${at.current.id} once more before the old key goes`
      : `${at.name} is back on what was live before our delivery, and is given ${at.current.id} again`,
  };
}
