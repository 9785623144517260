import type { Profile } from "../../src/rotation/policy.ts";
import { minutes, type Instant } from "../../src/rotation/time.ts";
import type { SigningPair } from "../world/caller.ts";
import type { SimulatedClock } from "../world/clock.ts";
import type { Cloud } from "../world/cloud.ts";
import type { Destination } from "../../src/rotation/world.ts";
import type { SweepOptions } from "../../src/sweep.ts";
import type { Consumer } from "./consumers.ts";
import type { Leak } from "./leaks.ts";
import type { Run } from "./run.ts";
import type { Coverage } from "./coverage.ts";
import type { MemoryJournal } from "../world/direct/journal.ts";
import type { Trace } from "./trace.ts";
import type { Workplace } from "./workplaces.ts";

/** When every life begins. */
export const START_MS = Date.UTC(2026, 0, 5);

/** A promise that was broken, and where. */
export interface Violation {
  readonly invariant: string;
  readonly at: Instant;
  readonly user: string;
  readonly text: string;
}

/** One enrolled user of the account, with all that depends on it. */
export interface SimulatedSubject {
  readonly user: string;
  readonly profile: Profile;
  /** From the beginning, and for good. */
  readonly mayMail: boolean;
  readonly workers: Workplace[];
  /** As the profile names them now; an operator may take one out. */
  destinations: Destination[];
  readonly consumers: Consumer[];
  /** The pair that whoever typed it in holds for ever; null where the user began without a key. */
  readonly first: SigningPair | null;
}

/** What is counted in a seed. */
export interface Stats {
  reconciles: number;
  sweeps: number;
  /** Old keys that Keyturn deleted. */
  rotations: number;
  faults: number;
  consumerCalls: number;
  failedCalls: number;
  userYears: number;
}

/** The whole simulated world of one seed. */
export interface Stage {
  readonly seed: number;
  readonly clock: SimulatedClock;
  readonly cloud: Cloud;
  readonly journal: MemoryJournal;
  readonly subjects: SimulatedSubject[];
  readonly trace: Trace;
  readonly stats: Stats;
  readonly coverage: Coverage;
  readonly violations: Violation[];
  /** Keys that do not work because a person, and not Keyturn, took them; their failures are that person's. */
  readonly takenByPeople: Set<string>;
  /** Keys that a person made while custody held a pair: never Keyturn's to touch. */
  readonly strangers: Set<string>;
  /** When a person last meddled with a user: a run that had looked just before cannot know. */
  readonly meddledMs: Map<string, number>;
  /** When each code was last told about a user: "user code". */
  readonly toldMs: Map<string, number>;
  /** Since when sweeps only look; null while they act. */
  pausedMs: number | null;
  /** Old keys that an operator has said are to go, whoever uses them. */
  readonly retiring: Set<string>;
  /** Whom an operator's command was answered to hold. */
  readonly heldByWord: Set<string>;
  /** When an operator's command last held a user, or ended that. */
  readonly heldMs: Map<string, number>;
  /** Keys that are in the hands of others, in the order in which that was heard of. */
  readonly leaks: Leak[];
  /** Who looks for more with a leaked pair. */
  readonly thieves: { readonly user: string; readonly pair: SigningPair; readonly sinceMs: number }[];
  /** Keys whose pair was read in custody by thieves, and when by the key of each. */
  readonly readMs: Map<string, Map<string, number>>;
  /** CloudTrail loses every other event of some Region. */
  readonly losesEvents: boolean;
  /** When a quarantine policy was last attached to a user. */
  readonly quarantinedMs: Map<string, number>;
  /** Keys that an operator wanted taken over, and nobody heard whether they were. */
  readonly halfAdopted: Set<string>;
  /** Until when a key that a person had taken may not work yet, although it is active again. */
  readonly comingBackMs: Map<string, number>;
  /** When a user was deleted and made again under its name. */
  readonly remadeMs: Map<string, number>;
  /** When the journal's table was last lost. */
  journalLostMs: number;
  /** Whether the faults and the operators' mischief are over. */
  isHealed: boolean;
  healedAtMs: number;
}

type Looked = "keys" | "tags" | "policies";

/** Whether a person meddled with a user after a run had last looked at its keys, or at something else of it. */
export function isRaced({ meddledMs, heldMs }: Stage, run: Run, user: string, at: Looked = "keys"): boolean {
  const lookedMs = run.lookedMs.get(`${at} ${user}`) ?? Number.NEGATIVE_INFINITY;
  if (at === "tags" && (heldMs.get(user) ?? Number.NEGATIVE_INFINITY) >= lookedMs) return true;
  return (meddledMs.get(user) ?? Number.NEGATIVE_INFINITY) >= lookedMs;
}

/** What is made active again works within this time. */
const COMES_BACK_WITHIN_MS = minutes(2);

/** A key that a person had taken is active again, be it by that person's hand. */
export function comesBack({ clock, takenByPeople, comingBackMs }: Stage, keyId: string): void {
  if (takenByPeople.delete(keyId)) comingBackMs.set(keyId, clock.now() + COMES_BACK_WITHIN_MS);
}

const CUSTODY = "keyturn/";
const names = new Map<string, string>();

/** The name of a user's secret: the very same text each time, since secrets are looked up by it all the time. */
export function custodyName(user: string): string {
  const name = names.get(user) ?? [CUSTODY, user].join("");
  names.set(user, name);
  return name;
}

export function subjectOf(stage: Stage, user: string): SimulatedSubject | undefined {
  return stage.subjects.find((subject) => subject.user === user);
}

/** Whom the deployment serves. */
export function servingOf({ subjects }: Stage): Pick<SweepOptions, "profiles" | "enrolmentTag"> {
  return {
    profiles: Object.fromEntries(subjects.map(({ profile }) => [profile.name, profile])),
    enrolmentTag: "keyturn",
  };
}

/** Says that a promise was broken; the same words for the same user once. */
export function violate(stage: Stage, invariant: string, user: string, text: string): void {
  if (stage.violations.some((known) => known.text === text && known.user === user)) return;
  stage.trace.note(user, "VIOLATION", () => `${invariant} ${text}`);
  stage.violations.push({ invariant, at: stage.clock.now() as Instant, user, text });
}

const pairs = new WeakMap<object, SigningPair | null>();

/** The pair that a label of custody shows in the primary Region, as a reader would get it; null where there is none. */
export function custodyPair(stage: Stage, user: string, label: string): SigningPair | null {
  const secret = stage.cloud.secretsManager.named(custodyName(user));
  if (secret === null || secret.deletedAtMs !== null) return null;
  for (const version of secret.versions.values()) {
    if (!version.stages.has(label)) continue;
    const known = pairs.get(version);
    if (known !== undefined) return known;
    const value = JSON.parse(version.text) as Readonly<Record<string, string>>;
    const { AccessKeyId: keyId, SecretAccessKey } = value;
    const pair = keyId === undefined || SecretAccessKey === undefined ? null : { keyId, secret: SecretAccessKey };
    pairs.set(version, pair);
    return pair;
  }
  return null;
}

/** Whether a replacement is stored that is not current yet. */
export function isPendingPair(stage: Stage, user: string): boolean {
  const pending = custodyPair(stage, user, "AWSPENDING");
  return pending !== null && pending.keyId !== custodyPair(stage, user, "AWSCURRENT")?.keyId;
}
