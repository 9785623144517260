import type { ExposedBy } from "./exposure.ts";
import type { AccessKeyId, UserName } from "./keys.ts";
import type { Attribution, ReadersSeen, Sighting } from "./observation.ts";
import type { Instant } from "./time.ts";

/** The intent of a creation, written before CreateAccessKey. Void 15 minutes after `at`. */
export interface Intent {
  readonly at: Instant;
  /** The ids that existed. */
  readonly before: readonly AccessKeyId[];
  /** The answer, once known. */
  readonly created: AccessKeyId | null;
}

/** What a destination returned on delivery, to recognise its live state later. Never secret. */
export interface Receipt {
  /** Such as the Worker version that carries the pair; null when it could not be told. */
  readonly version: string | null;
  /** Such as the Worker version that was live before. */
  readonly anchor: string | null;
  /** The pair is stored, and its consumer does not have it yet: what that waits for, in words. Left out where it has it. */
  readonly awaits?: string;
}

/** One pair that went, or may have gone, to one destination. Written before the call, and completed after it. */
export interface Delivery {
  readonly destination: string;
  readonly slots: readonly string[];
  readonly keyId: AccessKeyId;
  readonly attemptedAt: Instant;
  /** When the destination confirmed it; null while that is not known: it may hold the pair all the same. */
  readonly deliveredAt: Instant | null;
  /** When the same pair was delivered once more to be sure (rule 10); restarts less than a delivery does. */
  readonly confirmedAt: Instant | null;
  readonly receipt: Receipt | null;
}

export type BackOff = { readonly destination: string; readonly failures: number; readonly until: Instant };

/** A probe of ours with a key: its signed calls are our own footprint in last-used. `to` is null when we died in it. */
export type Probe = { readonly from: Instant; readonly to: Instant | null };

/** A deactivation of ours. Journalled before the call (`at`), completed after its answer. */
export interface Deactivation {
  readonly at: Instant;
  readonly answeredAt: Instant | null;
  readonly quietSince: Instant;
  /** Adoption was waived: nobody had used the key; its soak is longer. */
  readonly isWaived: boolean;
  /** It rests on an operator's `retire` and not on silence: late evidence is told, and gives nothing back. */
  readonly isAsked?: boolean;
  /** Where the key is exposed: who said so. It counts as custody's mark, which may have been refused, or be gone with its secret. */
  readonly exposedBy?: ExposedBy;
}

/** An operator's `rotate`: this key (null: none, somebody deleted the last) is due, whatever its age. */
type RotateAsked = { readonly at: Instant; readonly replaces: AccessKeyId | null };

/** An operator's `rollback`. On record before anything is moved, so that who says it again completes it. */
export interface Rollback {
  readonly at: Instant;
  readonly to: AccessKeyId;
  /** The key that it takes the place of, current or pending: ours, and from now on an old one. */
  readonly from: AccessKeyId | null;
  readonly isDone: boolean;
}

/** What is remembered of one key, because nobody can read it back. */
export interface KeyRecord {
  readonly firstSeenAt: Instant;
  readonly promotedAt: Instant | null;
  readonly adoptedAt: Instant | null;
  /** The latest use ever seen by anybody; quietSince never moves back. */
  readonly latestUse: Sighting | null;
  /** The latest call to Secrets Manager, kept apart for profiles that pull: it may be a hand-over, and no other use. */
  readonly latestRead: Sighting | null;
  /** The latest read of the user's own custody with this key by a named reader, as a complete CloudTrail shows it. */
  readonly handOverAt: Instant | null;
  /** When the last session ends that it was seen to make. Older records do not have it; nor the next. */
  readonly sessionsEndAt?: Instant | null;
  /** Who was last found to sign with it, after its replacement was delivered. */
  readonly attribution?: Attribution;
  /** The named readers that signed with it since it was promoted: CloudTrail forgets. Older records do not have it. */
  readonly readers?: ReadersSeen | null;
  readonly probes: readonly Probe[];
  readonly deactivation: Deactivation | null;
  /** Since when it is known to be Inactive. */
  readonly inactiveSince: Instant | null;
  /** When it was last seen to have become Active again, by anyone. */
  readonly reactivatedAt: Instant | null;
  /** Whether we reactivated it: rule 1 acts once a rotation. */
  readonly isReactivatedByUs: boolean;
  /** An operator's `release <user> <key id>`. */
  readonly releasedAt: Instant | null;
  /** An operator's `retire`; void once the key was made active again after it. Older records do not have it; nor the next. */
  readonly retireAskedAt?: Instant;
  /** It was somebody's when another was made beside it, and stays so until it is adopted. */
  readonly isStranger?: boolean;
  /** An operator's `adopt`: a stranger until then, and ours to retire from then on. */
  readonly takenOverAt?: Instant;
  /** Since when custody holds it although IAM does not list it. */
  readonly missingSince: Instant | null;
}

/** A notice said, so that it is not said again before its time. */
export interface NoticeRecord {
  readonly saidAt: Instant;
  readonly seenAt: Instant;
  /** When it was said first. Older records do not have it. */
  readonly since?: Instant;
}

/** A deactivation or deletion that nobody has heard of yet, written down before the call: it outlives the run, and the key. */
export interface Unheard {
  readonly code: "KeyDeactivated" | "KeyDeleted";
  readonly keyId: AccessKeyId;
  readonly at: Instant;
  /** Why, and what it rests on, line by line. */
  readonly lines: readonly string[];
}

/** A user of whom nothing was due at the last look, and is not before `until` unless what the seal covers has changed. */
export interface Rest {
  readonly until: Instant;
  readonly seal: string;
}

/** The journal's record of one user. Losing it may delay a rotation or repeat a delivery; it may never harm one. */
export interface UserRecord {
  readonly v: 1;
  readonly user: UserName;
  readonly account: string;
  readonly userId: string;
  /** When this record was begun. It knows nothing that is older. */
  readonly since: Instant;
  readonly intent: Intent | null;
  readonly orphans: { readonly count: number; readonly lastAt: Instant };
  readonly deliveries: readonly Delivery[];
  readonly backOffs: readonly BackOff[];
  readonly keys: Readonly<Record<AccessKeyId, KeyRecord>>;
  readonly notices: Readonly<Record<string, NoticeRecord>>;
  /** Left out where everything done was told. */
  readonly unheard?: readonly Unheard[];
  /** Null while anything is in motion, and in every record that a run works with. */
  readonly rest: Rest | null;
  /** Until another key is current. Older records do not have it; nor the next. */
  readonly rotateAsked?: RotateAsked | null;
  /** The latest. */
  readonly rollback?: Rollback;
}
