import type { RotationError } from "./errors.ts";
import type { CustodyNotes, ExposedBy } from "./exposure.ts";
import type { AccessKeyId } from "./keys.ts";
import type { BarredReason, Observation, Question } from "./observation.ts";
import type { Profile } from "./policy.ts";
import type { Instant } from "./time.ts";

/** The one thing to do next for a user. `hold`: nothing, until something changes (or until an instant, where it is known). */
export type Step =
  | { readonly kind: "hold"; readonly until: Instant | null }
  | { readonly kind: "look"; readonly questions: readonly Question[] }
  | { readonly kind: "create-replacement"; readonly replaces: AccessKeyId | null }
  | { readonly kind: "prove"; readonly keyId: AccessKeyId }
  | {
      readonly kind: "deliver";
      readonly keyId: AccessKeyId;
      readonly destination: string;
      readonly isConfirming: boolean;
    }
  | { readonly kind: "promote"; readonly keyId: AccessKeyId }
  | { readonly kind: "withdraw-pending"; readonly keyId: AccessKeyId }
  | {
      readonly kind: "deactivate";
      readonly keyId: AccessKeyId;
      readonly quietSince: Instant;
      readonly isWaived: boolean;
      /** By an operator's `retire`. */
      readonly isAsked?: boolean;
      /** Where the key is exposed: who said so. */
      readonly exposedBy?: ExposedBy;
    }
  | { readonly kind: "reactivate"; readonly keyId: AccessKeyId }
  | { readonly kind: "delete"; readonly keyId: AccessKeyId }
  | ({ readonly kind: "mark" } & Pick<CustodyNotes, "exposures" | "quarantine">);

/** A step that changes something in the world. */
export type ActStep = Exclude<Step, { readonly kind: "hold" | "look" }>;

/** What can be said of each part of a rotation, in the order of the rules. */
interface Reasons {
  readonly afterAll: "UsedAfterDeactivation" | "DestinationHoldsOldKey" | "ConsumerUnhealthy";
  readonly blind: "BlindSpot";
  readonly user: BarredReason | "OtherUserSameName" | "CurrentKeyGone" | "CurrentKeyDisabled" | "SmtpNotRuledOut";
  readonly leak: "KeyExposed" | "QuarantineOver";
  readonly orphan: "OrphanProvedOurs" | "OrphanTooYoung" | "OrphanUnproved";
  readonly surprise: "Stranger" | "PendingDisabled" | "PendingGone";
  readonly delivery: "ReplacementNotProved" | "DestinationBehind" | "DestinationBackingOff" | "DeliveredEverywhere";
  /** The pair is stored, and will be live by itself, or will not. */
  readonly stored: "DestinationStored" | "DestinationNotLive";
  readonly redelivery: "ForeignVersionLive";
  readonly room: "TwoHandMadeKeys" | "MakingRoom";
  readonly creation: "KeyDue" | "FirstKey" | "WaitingAfterOrphan";
  /** By a command that somebody typed. */
  readonly operator: "RotateAsked" | "RetireAsked" | "RollbackAsked";
  readonly quiet: "UseUnknown" | "OldKeyStillUsed" | "OldKeyQuieting" | "OldKeyQuiet";
  readonly release: "NotAdopted" | "NeedsRelease" | "FormerDestination";
  readonly soak: "Soaking" | "SoakOver" | "UsedDuringSoak" | "RetiredKeyUsed";
  readonly window: "WindowClosed";
  readonly nothing: "NothingDue";
  /** A question is to be asked before any rule can say. */
  readonly question: "NeedsEvidence";
}

/** Why. A closed vocabulary that flows unchanged from decision to log, notice and test. */
export type Reason = Reasons[keyof Reasons];

export interface Ruling {
  readonly step: Step;
  readonly reason: Reason;
  /** One sentence, with the numbers in it. */
  readonly because: string;
  /** Lines for people, such as who still signs with a key. No rule rests on them. */
  readonly details?: readonly string[];
}

/** A ruling, and the rule that made it. */
export interface Decision extends Ruling {
  readonly rule: string;
}

/** All that a rule may look at. Every rule sees the same instant. */
export interface Situation {
  readonly observation: Observation;
  /** Null when the user has no profile that we know; rule 3 has ruled by then. */
  readonly profile: Profile | null;
  readonly now: Instant;
}

/** A pure question to a situation: a ruling, or null for "not my case". */
export interface Rule {
  readonly name: string;
  judge(situation: Situation): Ruling | null;
}

/** What became of a step. `proof`: what a deactivation or a deletion rests on, line by line. `withdrawn`: the world had changed. `blocked`: a pre-flight refused, and nothing was begun. */
export type Outcome =
  | { readonly kind: "done"; readonly step: ActStep; readonly proof?: readonly string[] }
  | { readonly kind: "held" }
  /** `isMoved`: the user is not any more what the sweep saw, and nothing else is done in this run. */
  | { readonly kind: "withdrawn"; readonly step: ActStep; readonly because: string; readonly isMoved?: true }
  | { readonly kind: "blocked"; readonly step: ActStep; readonly destination: string; readonly because: string }
  | { readonly kind: "failed"; readonly step: Step; readonly error: RotationError };
