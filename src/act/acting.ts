import type { ActStep, Decision } from "../rotation/decision.ts";
import type { AccessKeyId, IamUser } from "../rotation/keys.ts";
import type { Observation } from "../rotation/observation.ts";
import type { KeyRecord, UserRecord } from "../rotation/record.ts";
import type { Profile } from "../rotation/policy.ts";
import { RotationError, must } from "../rotation/errors.ts";
import type { World } from "../rotation/world.ts";
import type { Subject } from "../observe/observe.ts";
import type { Ledger } from "./ledger.ts";

/** All that one act works with: the world, the user, what was seen and decided, and the open record. */
export interface Acting {
  readonly world: World;
  readonly subject: Subject;
  readonly profile: Profile;
  readonly observation: Observation;
  readonly decision: Decision;
  readonly ledger: Ledger;
}

export type StepOf<Kind extends ActStep["kind"]> = Extract<ActStep, { readonly kind: Kind }>;

/** Why a step that was begun is not done after all. An act that gives null has done its step. */
export type Refusal =
  | { readonly kind: "withdrawn"; readonly because: string }
  | { readonly kind: "blocked"; readonly destination: string; readonly because: string };

export const withdrawn = (because: string): Refusal => ({ kind: "withdrawn", because });

/**
 * Begins every act: a journal write under our lease, then a fresh read of the user's tags. The sentence that comes back
 * says why the act must not go on: the page that the sweep read may be a quarter of an hour old.
 */
export async function begin(
  { world, subject, ledger }: Acting,
  change: (record: UserRecord) => UserRecord,
): Promise<string | null> {
  try {
    await ledger.save(change);
  } catch (error) {
    if (error instanceof RotationError && error.code === "Conflict") return "another run is at work on this user";
    throw error;
  }
  const fresh = await world.directory.read(subject.user);
  if (fresh === null) return "there is no such user any more";
  if (subject.iamUser === null || fresh.id !== subject.iamUser.id) return "the user was made again";
  if (fresh.path !== subject.iamUser.path) return "the user has moved to another path";
  return enrolmentTags(fresh) === enrolmentTags(subject.iamUser) ? null : "the user's tags have changed";
}

function enrolmentTags({ tags }: IamUser): string {
  const ours = Object.entries(tags).filter(([key]) => key.startsWith("keyturn"));
  return JSON.stringify(ours.toSorted(([one], [other]) => one.localeCompare(other)));
}

/** The record with some of what it remembers of one key changed. */
export function withKey(record: UserRecord, id: AccessKeyId, change: Partial<KeyRecord>): UserRecord {
  const known = record.keys[id];
  must(known !== undefined, `the journal knows ${id}`);
  return { ...record, keys: { ...record.keys, [id]: { ...known, ...change } } };
}

/** Only such a pair is handed on. */
export function mustAnswer({ observation }: Acting, keyId: AccessKeyId): void {
  must(
    observation.keys.some(({ id, status }) => id === keyId && status === "active"),
    `${keyId} is listed as Active`,
  );
  must(observation.proved.includes(keyId), `${keyId} answered in this sweep`);
}

/** Appends to the user's history what an auditor will ask for. */
export async function history(
  { world, subject, observation, decision }: Acting,
  what: string,
  keyId: AccessKeyId | null,
): Promise<void> {
  const { rule, reason, because } = decision;
  await world.journal.append({
    at: world.clock.now(),
    user: subject.user,
    what,
    keyId,
    details: { rule, reason, because, evidence: observation.evidence },
  });
}
