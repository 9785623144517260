import type { Step } from "./decision.ts";
import type { CustodyNotes } from "./exposure.ts";
import type { AccessKey, AccessKeyId, IamUser, UserName } from "./keys.ts";
import type { UserRecord } from "./record.ts";
import type { Instant } from "./time.ts";

/** One labelled version of the custody secret. `keyId` is null on the marker and on the intent: they hold no pair. */
export type CustodyVersion = { readonly versionId: string; readonly keyId: AccessKeyId | null };

/** The intent as custody keeps it, so that it outlives the journal. */
export type CustodyIntent = { readonly at: Instant; readonly before: readonly AccessKeyId[] };

/** For whom a custody secret is made. */
export type CustodyOwner = { readonly account: string; readonly userId: string };

/** The user's secret in Secrets Manager. `absent` only when the service said that there is no such secret. */
export type Custody =
  | { readonly kind: "absent" }
  | {
      readonly kind: "present";
      /** For whom it was made; null where its tags do not say. */
      readonly owner: CustodyOwner | null;
      readonly current: CustodyVersion | null;
      /** Null also when AWSPENDING sits on the current version: see `isHalfPromoted`. */
      readonly pending: CustodyVersion | null;
      readonly previous: CustodyVersion | null;
      readonly intent: CustodyIntent | null;
      /** Replica Regions that do not show the current version yet. */
      readonly replicasBehind: readonly string[];
      /** AWSPENDING is still on the current version: somebody died in the middle of a promotion. */
      readonly isHalfPromoted: boolean;
      readonly notes: CustodyNotes;
    };

/** Custody, or that it could not be read (there is a blind spot that says why). */
export type ObservedCustody = Custody | { readonly kind: "unreadable" };

/** Something that we could not read, or could not understand. Never an empty list. */
export type BlindSpot = { readonly about: "keys" | "custody" | "journal" | "user"; readonly because: string };

/** A use that somebody saw. */
export interface Sighting {
  readonly at: Instant;
  readonly service: string;
  readonly region: string | null;
  /** What else is known: event, source address, user agent. For people; never parsed. */
  readonly detail: string | null;
}

/** Temporary credentials that were made with a key: they outlive its silence, and its deactivation. */
export interface DerivedSession {
  /** What made them, as CloudTrail names it: "GetSessionToken". */
  readonly event: string;
  readonly at: Instant;
  /** As the event tells it; the longest that there can be where it does not. */
  readonly endsAt: Instant;
  /** Who acts in the session, where it is another than the user. */
  readonly principal: string | null;
}

/** One who signs with a key: the same call, from the same place, by the same agent. */
export interface Signer {
  readonly service: string;
  readonly action: string;
  readonly region: string;
  readonly address: string;
  readonly agent: string;
  readonly first: Instant;
  readonly last: Instant;
  readonly count: number;
  /** What it looks like, and so what to look at; null where nothing is known of such a one. */
  readonly hint: string | null;
}

/** Who CloudTrail shows to have signed with a key since an instant. For people: no ruling rests on it. */
export interface Attribution {
  readonly from: Instant;
  readonly at: Instant;
  /** Those seen last, the latest first. */
  readonly signers: readonly Signer[];
  readonly sessions: readonly DerivedSession[];
  /** There were more calls than were read: the counts are the least. */
  readonly isCut: boolean;
  /** What could not be asked, and why; null where all answered. */
  readonly because: string | null;
}

/** Three answers. `unused` only when the source has looked at the whole window; whatever else went wrong is `unknown`. */
export type Use =
  | { readonly verdict: "used"; readonly latest: Sighting }
  | { readonly verdict: "unused"; readonly from: Instant; readonly to: Instant }
  | { readonly verdict: "unknown"; readonly because: string };

/** Those of the profile's readers that were seen to sign with a key, each when it last did. */
export interface ReadersSeen {
  readonly at: Readonly<Record<string, Instant>>;
  /** All that CloudTrail showed by then was read; null where a Region could not be asked. */
  readonly readUntil: Instant | null;
}

/** Who made a call that changed a key: our own role, somebody else (named), or nobody who could be found. */
export type Author =
  | { readonly kind: "ours"; readonly at: Instant }
  | { readonly kind: "other"; readonly who: string; readonly at: Instant }
  | { readonly kind: "unknown"; readonly because: string };

/**
 * What the live state of a destination is, as far as it can be read back. `previous`: what was live before our delivery.
 * `failed`: that, and a stored pair will not become live by itself.
 */
export type LiveState = "ours" | "previous" | "foreign" | "failed" | "unknown";

/** Whether a key, or a session made with it, read the user's own custody. */
export type Reads = { readonly verdict: "none" | "read" | "unknown"; readonly because: string };

/** An event that changes a key, as CloudTrail names it. */
type KeyEvent = "CreateAccessKey" | "UpdateAccessKey";

/** A question whose answer costs calls, and is asked only when it can change the ruling. */
export type Question =
  | { readonly source: "last-used"; readonly keyId: AccessKeyId }
  | {
      readonly source: "cloudtrail";
      readonly keyId: AccessKeyId;
      readonly from: Instant;
      /** Reads of the user's own custody are hand-overs, and reported apart (profiles that pull). */
      readonly handOversApart: boolean;
      /** Since when to look for sessions, before `from`; left out where none could change the ruling. */
      readonly sessionsFrom?: Instant | null;
    }
  | { readonly source: "attribution"; readonly keyId: AccessKeyId; readonly from: Instant }
  | { readonly source: "readers"; readonly keyId: AccessKeyId; readonly from: Instant }
  | { readonly source: "authorship"; readonly keyId: AccessKeyId; readonly event: KeyEvent; readonly from: Instant }
  | { readonly source: "reads"; readonly keyId: AccessKeyId; readonly from: Instant }
  | { readonly source: "quarantine"; readonly policies: readonly string[]; readonly from: Instant }
  | { readonly source: "destination"; readonly destination: string }
  | { readonly source: "health"; readonly destination: string; readonly keyId: AccessKeyId };

/** Whether a consumer is well with a key: AWS knows the pair that it signs with, and it is this key's. */
export type Health =
  | {
      readonly verdict: "healthy";
      readonly because: null;
      /** When the consumer itself last signed with this key, where it says so; never the call that asked. */
      readonly lastSignedAt: Instant | null;
    }
  | {
      readonly verdict: "unhealthy" | "unknown";
      readonly because: string;
      /** It signs with this very key, and AWS refuses that. Left out where it signs with another, or nobody knows. */
      readonly isRefused?: true;
    };

export type Answer =
  | { readonly source: "last-used"; readonly keyId: AccessKeyId; readonly use: Use }
  | {
      readonly source: "cloudtrail";
      readonly keyId: AccessKeyId;
      readonly from: Instant;
      readonly use: Use;
      /** When a named reader last read the user's own custody with it, if one did and hand-overs were asked apart. */
      readonly handOverAt: Instant | null;
      /** Those that end last, of the sessions that the key made. */
      readonly sessions: readonly DerivedSession[];
      /** As asked; null where a use came first, and the sessions before it were not looked for. */
      readonly sessionsFrom: Instant | null;
      readonly regionsAsked: readonly string[];
      readonly regionsUnasked: Readonly<Record<string, string>>;
      /** The kind of trail that was asked as well, and whose answer `use` then is; left out where none was. */
      readonly deeper?: string;
    }
  | { readonly source: "attribution"; readonly keyId: AccessKeyId; readonly attribution: Attribution }
  | { readonly source: "readers"; readonly keyId: AccessKeyId; readonly seen: ReadersSeen }
  | { readonly source: "authorship"; readonly keyId: AccessKeyId; readonly event: KeyEvent; readonly author: Author }
  | { readonly source: "reads"; readonly keyId: AccessKeyId; readonly from: Instant; readonly reads: Reads }
  /** When one of the policies that were asked about was last attached, as far as CloudTrail tells; null where it does not. */
  | { readonly source: "quarantine"; readonly attachedAt: Instant | null }
  | {
      readonly source: "destination";
      readonly destination: string;
      readonly live: LiveState;
      /** Why it is `unknown`; null where it is not. */
      readonly because: string | null;
    }
  | { readonly source: "health"; readonly destination: string; readonly keyId: AccessKeyId; readonly health: Health };

/** An answer, when it was asked for, and when it was given. */
export type Evidence = { readonly askedAt: Instant; readonly answeredAt: Instant; readonly answer: Answer };

/** Where a profile delivers, as the rules need to know it. */
export interface DestinationFacts {
  /** Unique within a profile, such as "cloudflare-worker:api-gateway". The journal knows it by this name. */
  readonly name: string;
  /** What it occupies; two enrolled users that share a slot are both held. */
  readonly slots: readonly string[];
  /** It shows what custody's AWSCURRENT shows: delivered by promotion, and `deliver` is never called. */
  readonly readsCustody: boolean;
  /** False where the two halves change one after the other; true where it is not said. */
  readonly isAtomic?: boolean;
  /** Whether its consumer can be asked whether it is well; false where it is not said. */
  readonly hasHealth?: boolean;
}

/** Why a user is not ours to touch, as a reason. */
export type BarredReason = EnrolmentReason | "SlotShared" | "HeldByOperator";
type EnrolmentReason = "NotEnrolled" | "TwoEnrolments" | "UnknownProfile" | "NotServedByProfile";

/** Why a user that we look at is not ours to touch, said by what the sweep knows of all users; null when it is. */
export interface Standing {
  /** Enrolled with this profile name (the tag's value), or null. */
  readonly profile: string | null;
  /** Why nothing may be done, in words, and as a reason code; null when the user may be touched. */
  readonly barred: { readonly reason: BarredReason; readonly because: string } | null;
}

/** Everything known about one user at one moment. Immutable; what could not be read is a blind spot. */
export interface Observation {
  readonly user: UserName;
  readonly account: string;
  /** Null when the user no longer exists: only its custody secret is left. */
  readonly iamUser: IamUser | null;
  readonly standing: Standing;
  readonly observedAt: Instant;
  readonly keys: readonly AccessKey[];
  readonly custody: ObservedCustody;
  /** What custody's tags say, also where its pairs cannot be read, and what this run was told. */
  readonly notes: CustodyNotes;
  readonly destinations: readonly DestinationFacts[];
  /** The journal's record with what this observation taught it. */
  readonly record: UserRecord;
  readonly evidence: readonly Evidence[];
  /** Keys whose pair answered steadily in this very sweep. */
  readonly proved: readonly AccessKeyId[];
  readonly blindSpots: readonly BlindSpot[];
  /** What this run has tried for an exposed key, and could not do. */
  readonly stalled: readonly Step[];
  /** Whose pairs did not answer, in this run. */
  readonly dead?: readonly AccessKeyId[];
}
