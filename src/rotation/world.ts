import type { AccessKey, AccessKeyId, Credential, IamUser, UserName } from "./keys.ts";
import type {
  Answer,
  Custody,
  CustodyIntent,
  CustodyOwner,
  CustodyVersion,
  DestinationFacts,
  Health,
  LiveState,
  Question,
} from "./observation.ts";
import type { Decision, Outcome } from "./decision.ts";
import type { CustodyNotes, Guard } from "./exposure.ts";
import type { Notice } from "./notice.ts";
import type { Receipt, UserRecord } from "./record.ts";
import type { Instant } from "./time.ts";

/**
 * Every outside thing, as an interface with its contract. The adapters, and the state machines of `test/world`, pass one
 * suite. For all methods: failures are thrown as `RotationError` and nothing else; a call that may have taken effect
 * unheard, with `outcomeUnknown`; every call ends within its time-out; secret material leaves only as a `Secret`.
 */
export interface World {
  readonly identity: Identity;
  readonly directory: Directory;
  readonly accessKeys: AccessKeys;
  readonly custody: Custodian;
  readonly prover: Prover;
  readonly evidence: EvidenceSources;
  readonly destinations: Destinations;
  readonly journal: Journal;
  readonly notifiers: readonly Notifier[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What else is kept in order; left out where the configuration names nothing. */
  readonly upkeep?: Upkeep;
  /** How often AWS was asked in this run, and how often it refused because it was asked too much. Left out where nobody counts. */
  readonly usage?: () => Usage;
}

/** Done once a sweep has been through all users. Never throws: what went wrong is logged and told. */
export interface Upkeep {
  run(): Promise<void>;
}

export type Usage = { readonly calls: number; readonly throttles: number };

/** Who we are. Asked once a run. */
export interface Identity {
  /** The account id, and our own principal as CloudTrail names it (the ARN of the role behind a session, or of a user). */
  read(): Promise<{ readonly account: string; readonly principalArn: string }>;
}

export interface Directory {
  /** Every user that bears an enrolment tag or `keyturn-hold`, all pages. Must throw rather than return a part. */
  tagged(): Promise<readonly IamUser[]>;
  /** One user, fresh; null only when IAM says that there is none. `smtp` is `unknown` here. */
  read(user: UserName): Promise<IamUser | null>;
  /** Writes the tag `keyturn-hold`, or (null) takes it away. Idempotent. `LimitReached` at 50 tags. */
  hold(user: UserName, reason: string | null): Promise<void>;
  /** The keys of every user as the credential report shows them. Null while there is no report to be had. */
  keyReport(): Promise<KeyReport | null>;
}

/** A key in the credential report, which shows no ids and is up to four hours old. */
export interface ReportedKey {
  readonly isActive: boolean;
  /** When the key was made, or its status last changed. */
  readonly changedAt: Instant;
}
export type KeyReport = ReadonlyMap<UserName, readonly ReportedKey[]>;

export interface AccessKeys {
  /** All keys of a user, all pages. `NotFound` when there is no such user. */
  list(user: UserName): Promise<readonly AccessKey[]>;
  /** Sent again only when throttled. `LimitReached` when the user has two; `outcomeUnknown` when a key may have been made. */
  create(user: UserName): Promise<CreatedKey>;
  /** Idempotent. `NotFound` when the key is gone. */
  setStatus(user: UserName, id: AccessKeyId, status: "active" | "inactive"): Promise<void>;
  /** Idempotent: deleting the absent succeeds. */
  delete(user: UserName, id: AccessKeyId): Promise<void>;
  /** Whose key it is; null when no user of this account has it. */
  ownerOf(id: AccessKeyId): Promise<UserName | null>;
  /** Writes what IAM's console shows as the key's description; null takes it away. Idempotent. `LimitReached` at 50 tags. */
  describe(user: UserName, id: AccessKeyId, text: string | null): Promise<void>;
}

/** A pair as IAM made it, and when. */
export type CreatedKey = Credential & Pick<AccessKey, "createdAt">;

/** The user's secret: marker first, then pairs, told apart by AWSPENDING, AWSCURRENT and AWSPREVIOUS. */
export interface Custodian {
  /** The users of this stage that have a custody secret, all pages. Secrets scheduled for deletion do not count. */
  users(): Promise<readonly UserName[]>;
  /**
   * What the labels say. A pair stored under the token of a key in `recognise` is not opened, and an AWSPREVIOUS of
   * another is told without its key; without them every labelled pair is read back. What cannot be read throws.
   */
  read(user: UserName, recognise?: readonly AccessKeyId[]): Promise<Custody>;
  /**
   * Writes the intent, so that what cannot be written is met here, before a key exists: as the marker of a new secret
   * where there is none, else under KEYTURN_INTENT. Gives the marker that was made; null where custody was there.
   */
  writeIntent(user: UserName, intent: CustodyIntent, place: CustodyPlace): Promise<CustodyVersion | null>;
  /** Stores a pair as AWSPENDING, under a token derived from the key id: repeating it changes nothing. */
  storePending(user: UserName, credential: Credential): Promise<CustodyVersion>;
  /** The pair of a key that custody holds as current, pending or previous. `NotFound` when it holds no such pair. */
  credential(user: UserName, id: AccessKeyId): Promise<Credential>;
  /**
   * Makes the pending (or, in a rollback, the previous) version current, by compare and swap, and takes AWSPENDING away
   * from it. `Conflict` when AWSCURRENT has moved.
   */
  promote(user: UserName, pending: CustodyVersion, current: CustodyVersion | null): Promise<void>;
  /** Takes AWSPENDING away from the version that holds this key. Safe to repeat. */
  withdrawPending(user: UserName, id: AccessKeyId): Promise<void>;
  /** Makes a version without a pair current, by compare and swap: custody counts as empty. `Conflict` when AWSCURRENT has moved. */
  vacate(user: UserName, current: CustodyVersion, intent: CustodyIntent): Promise<void>;
  /** What custody's tags say, which asks for no key of KMS. Nothing where there is no custody. */
  notes(user: UserName): Promise<CustodyNotes>;
  /**
   * Writes down which keys are exposed, and the quarantine where one is given, in custody that is made where there is none.
   * A key that is marked keeps its first mark, but for an operator's `revoke`.
   */
  mark(user: UserName, marks: Marks, place: Omit<CustodyPlace, "isAbsent">): Promise<void>;
  /** Gives custody its resource policy, and remembers which. Safe to repeat. */
  guard(user: UserName, guard: Guard): Promise<void>;
}

export type Marks = Pick<CustodyNotes, "exposures" | "quarantine">;

/** Where a user's custody is to be, if it has to be made. */
export interface CustodyPlace {
  readonly owner: CustodyOwner;
  readonly replicaRegions: readonly string[];
  /** What the last look said; it may be wrong. */
  readonly isAbsent: boolean;
}

type CallerAnswer =
  | { readonly kind: "answered"; readonly arn: string }
  | { readonly kind: "refused"; readonly because: string };

export interface Prover {
  /** One `sts:GetCallerIdentity`, never retried. `refused` is any authentication error; everything else throws. */
  callerArn(credential: Credential, region: string): Promise<CallerAnswer>;
}

/** Who asks, for whom: reads of its custody by the named readers are told apart, and unasked Regions are named. */
export interface EvidenceContext {
  readonly user: UserName;
  readonly unaskedRegions: Readonly<Record<string, string>>;
  readonly readers?: readonly string[];
}

export interface EvidenceSources {
  /** Answers all but what destinations do: `last-used`, `cloudtrail`, `attribution`, `readers`, `authorship`, `reads`, `quarantine`. Never throws: what could not be asked is `unknown`, with the reason. */
  answer(question: Exclude<Question, { readonly destination: string }>, context: EvidenceContext): Promise<Answer>;
}

export type Preflight =
  | { readonly kind: "ready"; readonly anchor: string | null }
  | { readonly kind: "blocked"; readonly because: string };

/** The pair that a delivery replaces; null where custody does not hold it. */
export type Replaced = () => Promise<Credential | null>;

/** A place that a pair is delivered to. */
export interface Destination extends Omit<DestinationFacts, "hasHealth"> {
  /**
   * Whether a delivery, of this key if it is made already, could be made now. Changes nothing. What an operator must mend
   * is `blocked`, in words; a failure throws. That a consumer is refused with a key that is `dead` is what the delivery mends.
   */
  preflight(keyId?: AccessKeyId | null, dead?: readonly AccessKeyId[]): Promise<Preflight>;
  /**
   * Sets the pair; safe to repeat. A missing target is `NotFound`, never created; a wrong pre-flight, or somebody else's
   * change in between, is `Conflict`. `replaced`: given for a replacement only, which is taken back where it does not work.
   * A receipt that `awaits` something is of a pair that is stored, and not delivered before `live` says so.
   */
  deliver(credential: Credential, anchor: string | null, replaced?: Replaced | null): Promise<Receipt>;
  /**
   * What is live now, compared with the receipt of our delivery. Never throws for a state it cannot tell: `unknown`. While
   * the receipt awaits something, `foreign` is what came after ours, and has the pair.
   */
  live(receipt: Receipt | null): Promise<LiveState>;
  /** Where it can be told: what is kept there that is not live and holds an older pair, in words. Null where nothing is. */
  readonly kept?: (receipt: Receipt | null) => Promise<string | null>;
  /** Where it can be asked: whether the consumer is well with this key. What cannot be told is `unknown`, or throws. */
  readonly health?: (keyId: AccessKeyId) => Promise<Health>;
}

export interface Destinations {
  /** The destinations of a profile, by name. Empty for an unknown profile. */
  of(profile: string): readonly Destination[];
}

/** A right to act on one user, for a while. */
export type Lease = { readonly user: UserName; readonly holder: string; readonly until: Instant };

/** The record as last read or written. Opaque; hand it back with the next write. */
export interface Revision {
  readonly record: UserRecord | null;
  /** Grows by one with each write; 0 where there is no item. */
  readonly number: number;
  readonly lease: Lease | null;
}

/** What is to be written, and when. */
export interface NextRevision {
  readonly record: UserRecord;
  readonly lease: Lease | null;
  readonly now: Instant;
  /** Lines of the user's history: written with the record, all or nothing. */
  readonly history: readonly HistoryEntry[];
}

export interface HistoryEntry {
  readonly at: Instant;
  readonly user: UserName;
  readonly what: string;
  readonly keyId: AccessKeyId | null;
  /** What an auditor needs: rule, reason, sentence, evidence. Plain JSON, never secret. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** What a sweep leaves to the next. */
export interface SweepMemory {
  /** Users that it did not reach. */
  readonly left: readonly UserName[];
  /** Users that are not at rest. Null when they are too many to be written down, or the table is new. */
  readonly awake: readonly UserName[] | null;
  /** When custody was last listed. */
  readonly custodyListedAt: Instant | null;
  /** What was told of the service itself; left out where nothing was. */
  readonly told?: ServiceMemory;
}

/** What the sweeps remember of what they told of the service, and of all users together. */
export interface ServiceMemory {
  readonly notices: UserRecord["notices"];
  /** When it was last asked whether somebody hears us. */
  readonly checkedAt: Instant;
  /** When all that lasts was last told at once. */
  readonly digestAt: Instant;
}

/** Since when the sweeps only look, and why; `reason` is null for a table that nobody has let run yet. */
export interface Pause {
  readonly since: Instant;
  readonly reason: string | null;
  /** When people were last reminded of it. */
  readonly toldAt: Instant | null;
}

/** What the sweeps remember of each other. */
export interface SweepState extends SweepMemory {
  /** How often somebody called the next sweep to users by name, over those that were left; 0 in a new table. */
  readonly calls: number;
  /** Null: a table without its `running` item is paused. */
  readonly runningSince: Instant | null;
  /** Null while running, and until the first sweep of a new table has seen that it is paused. */
  readonly pause: Pause | null;
}

export interface Journal {
  /** Strongly consistent. A record of an unknown version, or one that cannot be parsed, throws `Misconfigured`. */
  read(user: UserName): Promise<Revision>;
  /**
   * Writes, only if the item is still at `revision.number`, and no other holder's lease is running at `now`; else
   * `Conflict`, as a repeated write after a lost answer may be: read again. `lease: null` gives the lease back.
   */
  write(revision: Revision, next: NextRevision): Promise<Revision>;
  /** Strongly consistent, in batches. A record that `read` would throw for is left out. */
  readMany(users: readonly UserName[]): Promise<ReadonlyMap<UserName, Revision>>;
  history(user: UserName): Promise<readonly HistoryEntry[]>;
  sweepState(): Promise<SweepState>;
  /** Ends a pause; null makes the table what a new one is. */
  setRunning(since: Instant | null): Promise<void>;
  setPause(pause: Pause): Promise<void>;
  /** Changes what is known of a pause, and pauses nothing: somebody may have ended it meanwhile. */
  notePause(pause: Pause): Promise<void>;
  /**
   * Writes what the next sweep is to know. Throws `Conflict` where there were more calls than were read: who was told of a
   * leak meanwhile has named users that must not be forgotten.
   */
  setMemory(memory: SweepMemory, calls: { readonly read: number; readonly now: number }): Promise<void>;
}

export interface Notifier {
  readonly name: string;
  /** Sends. May throw; `report` then says so in the log and in the sweep's result, and nothing else changes. */
  notify(notices: readonly Notice[]): Promise<void>;
  /** Where it can be asked: why nobody would hear, in words; null where somebody does. Throws where it cannot be told. */
  readonly check?: () => Promise<string | null>;
}

export interface Clock {
  /** `Unreachable` before AWS's first answer; `Bug` once an answer's Date differed from it by more than two minutes. */
  now(): Instant;
  /** Waits. Ends early, by throwing `Unreachable`, when the run's time is over. */
  sleep(ms: number): Promise<void>;
  /** What is left of this run's time, in milliseconds. */
  remainingMs(): number;
}

export interface Random {
  /** At least 0, less than 1. */
  fraction(): number;
  /** An unguessable name for a lease's holder or a token: 32 hexadecimal digits. */
  token(): string;
}

export interface Log {
  decision(user: UserName, decision: Decision): void;
  outcome(user: UserName, outcome: Outcome): void;
  /** Something that belongs to no decision. Static message, fields apart. */
  event(level: "info" | "warn" | "error", message: string, fields: Readonly<Record<string, unknown>>): void;
}
