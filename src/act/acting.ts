import type { Made, Subject } from "../observe/observe.ts";
import { wordOf } from "../observe/standing.ts";
import type { ActStep, Decision } from "../rotation/decision.ts";
import { must } from "../rotation/errors.ts";
import type { AccessKeyId, Credential, IamUser } from "../rotation/keys.ts";
import type { Observation } from "../rotation/observation.ts";
import type { Profile } from "../rotation/policy.ts";
import type { KeyRecord, Unheard, UserRecord } from "../rotation/record.ts";
import { minutes, seconds } from "../rotation/time.ts";
import type { CreatedKey, HistoryEntry, World } from "../rotation/world.ts";
import type { Ledger } from "./ledger.ts";

/** What hands a secret out, or changes a key that is in use: right before it the user is read again. */
const HARD: readonly ActStep["kind"][] = ["deliver", "deactivate", "delete", "reactivate"];
/** What was observed longer ago is observed again: somebody may have disabled the key meanwhile. */
const CARRIED_MS = seconds(30);
/** For anything else a listing as old as this says whether the user is ours to touch. */
const LISTING_COUNTS_MS = minutes(1);

/** All that one act works with: the world, the user, what was seen and decided, and the open record. */
export interface Acting {
  readonly world: World;
  readonly subject: Subject;
  readonly profile: Profile;
  readonly observation: Observation;
  readonly decision: Decision;
  readonly ledger: Ledger;
  /** The pair that this very run has made and stored; null where it has to be read from custody. */
  readonly made: CreatedKey | null;
  /** A key that IAM may not list yet, and that this run knows to be there. */
  readonly there: Made | null;
}

export type StepOf<Kind extends ActStep["kind"]> = Extract<ActStep, { readonly kind: Kind }>;

/** Why a step that was begun is not done after all; `isMoved` where the user is not any more what the sweep saw. */
export type Refusal =
  | { readonly kind: "withdrawn"; readonly because: string; readonly isMoved?: true }
  | { readonly kind: "blocked"; readonly destination: string; readonly because: string };

/** What a step that was done leaves behind. */
export interface Done {
  readonly kind: "done";
  /** The world as the act knows it now; null where it has to be observed again. */
  readonly observation: Observation | null;
  readonly made: CreatedKey | null;
  /** What a deactivation or a deletion rests on, for people. */
  readonly proof?: readonly string[];
}

export const withdrawn = (because: string): Refusal => ({ kind: "withdrawn", because });

/** The step is done, and of the world no more is known than before: it is observed again. */
export const DONE: Done = { kind: "done", observation: null, made: null };

/** The step is done, and this is all that it has changed in what was observed, if that was a moment ago. */
export function doneWith(acting: Acting, change: Partial<Observation>): Done {
  const { world, ledger, observation, made } = acting;
  const isRecent = world.clock.now() - observation.observedAt <= CARRIED_MS;
  return { kind: "done", observation: isRecent ? { ...observation, ...change, record: ledger.record() } : null, made };
}

/**
 * Whether the user is still as the sweep saw it; else why the act must not go on. The page that the sweep read may be a
 * quarter of an hour old, so that the user is read again, but for one that was listed a moment ago.
 */
export async function tagsMoved({ world, subject }: Acting, step: ActStep): Promise<string | null> {
  if (!HARD.includes(step.kind) && world.clock.now() - subject.listedAt <= LISTING_COUNTS_MS) return null;
  return movedSince(subject, await world.directory.read(subject.user));
}

/** What a fresh read shows to be otherwise than the sweep saw it; null when the user is still ours to touch. */
export function movedSince({ iamUser }: Subject, fresh: IamUser | null): string | null {
  if (fresh === null) return "there is no such user any more";
  if (iamUser === null || fresh.id !== iamUser.id) return "the user was made again";
  if (fresh.path !== iamUser.path) return "the user has moved to another path";
  return wordOf(fresh) === wordOf(iamUser) ? null : "the user's tags have changed";
}

/** The record with some of what it remembers of one key changed. */
export function withKey(record: UserRecord, id: AccessKeyId, change: Partial<KeyRecord>): UserRecord {
  const known = record.keys[id];
  must(known !== undefined, `the journal knows ${id}`);
  return { ...record, keys: { ...record.keys, [id]: { ...known, ...change } } };
}

/** The record with what is about to be done, for people: whoever dies before it was told leaves it to the next run. */
export function withUnheard(record: UserRecord, next: Unheard): UserRecord {
  const others = (record.unheard ?? []).filter(({ code, keyId }) => code !== next.code || keyId !== next.keyId);
  return { ...record, unheard: [...others, next] };
}

/** Only such a pair is handed on. */
export function mustAnswer({ observation }: Acting, keyId: AccessKeyId): void {
  must(
    observation.keys.some(({ id, status }) => id === keyId && status === "active"),
    `${keyId} is listed as Active`,
  );
  must(observation.proved.includes(keyId), `${keyId} answered in this sweep`);
}

/** The pair of a key: the one that this run has made, or as custody holds it. */
export async function pairOf({ world, subject, made }: Acting, keyId: AccessKeyId): Promise<Credential> {
  const pair = made?.id === keyId ? made : await world.custody.credential(subject.user, keyId);
  must(pair.id === keyId, `it is the pair of ${keyId} that is handed on`);
  return pair;
}

/** The keys of the user's that AWS refuses: Inactive, gone, or taken by us a moment ago. Who is left with one is not well. */
export function deadKeys({ keys, record }: Observation): readonly AccessKeyId[] {
  const isAlive = (id: AccessKeyId): boolean =>
    (record.keys[id]?.deactivation?.answeredAt ?? null) === null &&
    keys.some((key) => key.id === id && key.status === "active");
  return (Object.keys(record.keys) as AccessKeyId[]).filter((id) => !isAlive(id));
}

/** A line of the user's history: what an auditor will ask for. */
export function lineOf(
  { world, subject, observation, decision }: Acting,
  what: string,
  { keyId, details = null }: { readonly keyId: AccessKeyId | null; readonly details?: HistoryEntry["details"] | null },
): HistoryEntry {
  const { rule, reason, because } = decision;
  const told = details ?? { rule, reason, because, evidence: observation.evidence };
  return { at: world.clock.now(), user: subject.user, what, keyId, details: told };
}
