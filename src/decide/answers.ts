import type { Ruling, Situation } from "../rotation/decision.ts";
import type { AccessKey, AccessKeyId } from "../rotation/keys.ts";
import type {
  Answer,
  Attribution,
  Author,
  Health,
  Observation,
  Question,
  Reads,
  Sighting,
  Use,
} from "../rotation/observation.ts";
import type { Profile } from "../rotation/policy.ts";
import type { KeyRecord } from "../rotation/record.ts";
import { days, type Instant, plus } from "../rotation/time.ts";
import { hold, look } from "./rulings.ts";

/** An old key under judgement, of a user whose profile is known. */
export interface Judged extends Situation {
  readonly profile: Profile;
  readonly old: AccessKey;
}

type Source = Answer["source"];
type AnswerOf<From extends Source> = Extract<Answer, { readonly source: From }>;
type KeyEvent = AnswerOf<"authorship">["event"];

/** CloudTrail keeps 90 days; a window that begins a little later is surely whole. */
export const TRAIL_KEEPS_MS = days(89);

/** All answers of a source, the newest last. */
function answersOf<From extends Source>({ evidence }: Observation, source: From): readonly AnswerOf<From>[] {
  return evidence.map(({ answer }) => answer).filter((it): it is AnswerOf<From> => it.source === source);
}

/** Whether a source has answered for a key in this very look, whatever it said. */
export function hasAnswered(observation: Observation, source: "readers", keyId: AccessKeyId): boolean {
  return answersOf(observation, source).some((it) => it.keyId === keyId);
}

/** What the journal remembers of a key; `observe` made sure that every listed key has an entry. */
export function memoryOf({ record }: Observation, keyId: AccessKeyId): KeyRecord | null {
  return record.keys[keyId] ?? null;
}

/** Who made or changed a key; undefined while it was not asked. */
export function authorOf(observation: Observation, keyId: AccessKeyId, event: KeyEvent): Author | undefined {
  return answersOf(observation, "authorship").findLast((it) => it.keyId === keyId && it.event === event)?.author;
}

/** Who was found to sign with a key, in this very look. */
export function attributionOf(observation: Observation, keyId: AccessKeyId): Attribution | undefined {
  return answersOf(observation, "attribution").findLast((it) => it.keyId === keyId)?.attribution;
}

/** Whether a key read custody since; undefined while that was not asked. */
export function readsOf(observation: Observation, keyId: AccessKeyId, from: Instant): Reads | undefined {
  return answersOf(observation, "reads").findLast((it) => it.keyId === keyId && it.from === from)?.reads;
}

/** When a quarantine policy was attached, null where nothing tells; undefined while it was not asked. */
export function attachedAt(observation: Observation): Instant | null | undefined {
  return answersOf(observation, "quarantine").at(-1)?.attachedAt;
}

/** What is live at a destination; undefined while it was not asked. */
export function liveAt(observation: Observation, destination: string): AnswerOf<"destination"> | undefined {
  return answersOf(observation, "destination").findLast((it) => it.destination === destination);
}

/** The destinations that confirmed a delivery of ours, or stored it: only there can be told whether what is live is ours. */
function filled({ destinations, record }: Observation): readonly string[] {
  const delivered = record.deliveries.filter((it) => it.deliveredAt !== null || it.receipt?.awaits !== undefined);
  return destinations.map(({ name }) => name).filter((name) => delivered.some((it) => it.destination === name));
}

/** The questions still to be asked about what is live where we delivered, or at these of them. */
export function unaskedLive(observation: Observation, names = filled(observation)): readonly Question[] {
  return names
    .filter((name) => liveAt(observation, name) === undefined)
    .map((name) => ({ source: "destination", destination: name }));
}

/** A destination that is back on what was live before our delivery, and so on an older pair. */
export function holderOfOld(observation: Observation): string | undefined {
  return filled(observation).find((name) => liveAt(observation, name)?.live === "previous");
}

/** The questions still to be asked about the consumers that can say whether they are well with this key. */
export function unaskedHealth(observation: Observation, keyId: AccessKeyId): readonly Question[] {
  const asked = answersOf(observation, "health").filter((it) => it.keyId === keyId);
  return observation.destinations
    .filter(({ name, hasHealth }) => hasHealth === true && !asked.some((it) => it.destination === name))
    .map(({ name }) => ({ source: "health", destination: name, keyId }));
}

/**
 * What the consumers say against taking the old key away, the worst first; null when all are well with this one. Of one that
 * somebody took away (`isDead`) nothing is said against another by those who are left with it.
 */
export function healthOpen(observation: Observation, keyId: AccessKeyId, isDead = false): Ruling | null {
  const questions = unaskedHealth(observation, keyId);
  if (questions.length > 0) return look(questions, `whether every consumer is well with ${keyId}`);
  const isLeft = (health: Health): boolean => isDead && health.verdict === "unhealthy" && health.isRefused === true;
  const said = answersOf(observation, "health").filter((it) => it.keyId === keyId && !isLeft(it.health));
  for (const verdict of ["unhealthy", "unknown"] as const) {
    const found = said.find(({ health }) => health.verdict === verdict);
    const because = `${found?.destination ?? ""} is ${verdict}: ${found?.health.because ?? ""}`;
    if (found !== undefined) return hold(verdict === "unhealthy" ? "ConsumerUnhealthy" : "UseUnknown", because);
  }
  return null;
}

/** The hold that a destination asks for whose live state was asked and cannot be read. */
export function liveUnknown(observation: Observation, destination: string): Ruling | null {
  const answer = liveAt(observation, destination);
  if (answer?.live !== "unknown") return null;
  const because = answer.because === null ? "" : `: ${answer.because}`;
  return hold("UseUnknown", `what is live at ${destination} cannot be read${because}`);
}

/** What last-used said of a key; undefined while it was not asked. */
export function lastUsedOf(observation: Observation, keyId: AccessKeyId): Use | undefined {
  return answersOf(observation, "last-used").findLast((it) => it.keyId === keyId)?.use;
}

/** The questions still to be asked about when these keys were last used. */
export function unaskedUse(observation: Observation, keyIds: readonly AccessKeyId[]): readonly Question[] {
  const unasked = keyIds.filter((id) => lastUsedOf(observation, id) === undefined);
  return unasked.map((keyId) => ({ source: "last-used", keyId }));
}

/** What must be known before last-used can speak of these keys; null once it told of them all. Unknown is never unused. */
export function lastUsedOpen(observation: Observation, ...keyIds: readonly AccessKeyId[]): Ruling | null {
  const questions = unaskedUse(observation, keyIds);
  if (questions.length > 0) return look(questions, `when ${keyIds.join(" or ")} was last used`);
  for (const id of keyIds) {
    const use = lastUsedOf(observation, id);
    const what = `when ${id} was last used`;
    if (use?.verdict === "unknown") return hold("UseUnknown", `${what} cannot be told: ${use.because}`);
  }
  return null;
}

/** The use that GetAccessKeyLastUsed told of; null where it told of none. */
export function lastUsedAt(observation: Observation, keyId: AccessKeyId): Sighting | null {
  const use = lastUsedOf(observation, keyId);
  return use?.verdict === "used" ? use.latest : null;
}

/** Back to where the silence begins, or as far as CloudTrail surely reaches. */
function trailFrom(since: Instant, now: Instant): Instant {
  const reach = plus(now, -TRAIL_KEEPS_MS);
  return since > reach ? since : reach;
}

/** What CloudTrail said of a window that holds all that lies after `since`; undefined while it was not asked. */
function trailOf(
  { observation, now, old }: Judged,
  since: Instant,
  sessionsFrom: Instant | null = null,
): Use | undefined {
  const from = trailFrom(since, now);
  const answers = answersOf(observation, "cloudtrail").filter((it) => it.keyId === old.id && it.from <= from);
  return answers.findLast(({ use, sessionsFrom: read }) => {
    // Before a use that vetoes nobody needs to know of sessions.
    if (sessionsFrom === null || (use.verdict === "used" && use.latest.at > since)) return true;
    return read !== null && read <= sessionsFrom;
  })?.use;
}

/** What must be known before CloudTrail can speak of the time after `since`, and of sessions; null once it can. */
export function trailOpen(judged: Judged, since: Instant, sessionsFrom: Instant | null = null): Ruling | null {
  const { profile, now, old } = judged;
  const what = `whether CloudTrail shows a use of ${old.id}`;
  const use = trailOf(judged, since, sessionsFrom);
  if (use === undefined) {
    const question = { keyId: old.id, from: trailFrom(since, now), handOversApart: profile.isPulled, sessionsFrom };
    return look([{ source: "cloudtrail", ...question }], what);
  }
  return use.verdict === "unknown" ? hold("UseUnknown", `${what} cannot be told: ${use.because}`) : null;
}

/** The use after `since` that CloudTrail shows; an earlier one changes nothing. */
export function trailUseAfter(judged: Judged, since: Instant): Sighting | null {
  const use = trailOf(judged, since);
  return use?.verdict === "used" && use.latest.at > since ? use.latest : null;
}
