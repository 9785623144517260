import type { AccessKeyId } from "../rotation/keys.ts";
import type { Answer, Author, LiveState, Observation, Use } from "../rotation/observation.ts";
import type { KeyRecord, UserRecord } from "../rotation/record.ts";
import type { Instant } from "../rotation/time.ts";

type AnswerOf<Source extends Answer["source"]> = Extract<Answer, { readonly source: Source }>;

/** The newest answer of a source that fits, or undefined while the question was not asked. */
function find<Source extends Answer["source"]>(
  observation: Observation,
  source: Source,
  fits: (answer: AnswerOf<Source>) => boolean,
): AnswerOf<Source> | undefined {
  const isOfSource = (answer: Answer): answer is AnswerOf<Source> => answer.source === source;
  return observation.evidence
    .map(({ answer }) => answer)
    .filter(isOfSource)
    .findLast((answer) => fits(answer));
}

/** What GetAccessKeyLastUsed said; undefined while it was not asked. */
export function lastUsedOf(observation: Observation, keyId: AccessKeyId): Use | undefined {
  return find(observation, "last-used", (answer) => answer.keyId === keyId)?.use;
}

/** What CloudTrail said of a window that begins no later than `from`; undefined while it was not asked. */
export function trailOf(
  observation: Observation,
  keyId: AccessKeyId,
  from: Instant,
): AnswerOf<"cloudtrail"> | undefined {
  return find(observation, "cloudtrail", (answer) => answer.keyId === keyId && answer.from <= from);
}

export function authorOf(
  observation: Observation,
  keyId: AccessKeyId,
  event: "CreateAccessKey" | "UpdateAccessKey",
): Author | undefined {
  return find(observation, "authorship", (answer) => answer.keyId === keyId && answer.event === event)?.author;
}

export function liveStateOf(observation: Observation, destination: string): LiveState | undefined {
  return find(observation, "destination", (answer) => answer.destination === destination)?.live;
}

/** What the journal remembers of a key; `observe` made sure that every listed key has an entry. */
export function memoryOf(record: UserRecord, keyId: AccessKeyId): KeyRecord | null {
  return record.keys[keyId] ?? null;
}

/** Why a destination's live state is unknown, as a clause to end a sentence with. */
export function whyLiveUnknown(observation: Observation, destination: string): string {
  const because = find(observation, "destination", (answer) => answer.destination === destination)?.because;
  return because === undefined || because === null ? "" : `: ${because}`;
}
