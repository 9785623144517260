import type { Reason } from "./decision.ts";
import type { UserName } from "./keys.ts";
import { days, type Instant } from "./time.ts";

/** What can be told to people, beside the reasons that a decision gives. */
export type NoticeCode = Reason | DeadlineCode | TroubleCode | DoneCode | ServiceCode;
type DeadlineCode = "KeyOverdue" | "DeliveryLate" | "EvidenceLate" | "WindowAhead";
type TroubleCode =
  | "DestinationBlocked"
  | "StepFailed"
  | "ObservationFailed"
  | "DescriptionNotCarried"
  | "CustodyUnguarded";
type DoneCode = "ExposedKeyCut" | "ExposedElsewhere" | "KeyDeactivated" | "KeyReactivated" | "KeyDeleted" | TokenCode;
type TokenCode = "TokenRotated" | "TokenNotRotated" | "TokenStillUsed" | "TokenRefused";
/** Of the service itself, and of no user. */
type ServiceCode = "NotifierFailing" | "NobodyListens" | "StillOpen" | "Paused";

export type Severity = "info" | "warning" | "urgent";

/** Whose move it is: whoever operates Keyturn, time's (the next sweep tries again), or nobody's. */
export type Move = "operator" | "time" | "nobody";

/** The tag of a user that says who answers for it. Read and passed on, and never written. */
export const OWNER_TAG = "keyturn-owner";

export interface Notice {
  readonly code: NoticeCode;
  readonly severity: Severity;
  /** Null: it is about the service itself. */
  readonly user: UserName | null;
  readonly at: Instant;
  readonly text: string;
  readonly advice: string;
  /** The same key is not said again before the registry's `againAfterMs`. */
  readonly dedupeKey: string;
  /** Since when it is known; left out where that is `at`. */
  readonly since?: Instant;
  /** The value of the user's tag `keyturn-owner`; left out where nobody is named. */
  readonly owner?: string;
  /** Left out where it is as the registry has it. */
  readonly move?: Move;
  /** What to type; left out where there is nothing to. */
  readonly command?: string;
  /** It is over: said once of what lasted, and bears the same dedupe key. */
  readonly isOver?: true;
}

/** What helps with a notice, as something to type. `explain` shows all that was seen of a user, and why it is as it is. */
export type Typed =
  | "adopt"
  | "explain"
  | "forget"
  | "hold"
  | "reactivate"
  | "release"
  | "release-hold"
  | "retire"
  | "revoke"
  | "rotate";

interface NoticeEntry {
  readonly severity: Severity;
  readonly advice: string;
  /** Said again after this time while it lasts; null for what is said once. */
  readonly againAfterMs: number | null;
  readonly move: Move;
  /** A state: its end is told, too. */
  readonly lasts: boolean;
  readonly typed: Typed | null;
}

const lasting = { move: "operator", lasts: true } as const;
const operator = (advice: string, typed: Typed | null = "explain"): NoticeEntry => {
  return { severity: "warning", advice, againAfterMs: days(7), typed, ...lasting };
};
const urgent = (advice: string, typed: Typed = "explain"): NoticeEntry => {
  return { severity: "urgent", advice, againAfterMs: days(1), typed, ...lasting };
};
const once = (advice: string, typed: Typed | null = null): NoticeEntry => {
  return { severity: "info", advice, againAfterMs: null, typed, move: "nobody", lasts: false };
};

/** Every notice there is. A reason without an entry is the ordinary course of a rotation, and is not told. */
export const NOTICES: Readonly<Partial<Record<NoticeCode, NoticeEntry>>> = {
  UsedAfterDeactivation: urgent(
    "A consumer still holds the old key. Give it the current pair, then release the key.",
    "release",
  ),
  DestinationHoldsOldKey: urgent("The old key was brought back. Deploy the newest version of the destination again."),
  ConsumerUnhealthy: urgent("A consumer does not work with the current key. Mend it; the old key stays until then."),
  BlindSpot: operator("Nothing is done until it can be read. Mend what is named, or the permission for it."),
  NotEnrolled: operator("The user lost its enrolment in the middle of a rotation. Tag it again, or finish by hand."),
  TwoEnrolments: operator("Leave one enrolment tag on the user."),
  UnknownProfile: operator("Correct the tag's value, or add the profile to keyturn.config.ts."),
  NotServedByProfile: operator("Correct the tag, or list the user in the profile. Until then nothing is delivered."),
  SlotShared: operator("Give each user a destination of its own, or remove the tag from one of them."),
  HeldByOperator: operator(
    "Release the user, or remove the tag keyturn-hold, when the reason is over.",
    "release-hold",
  ),
  OtherUserSameName: operator(
    "The user was made again. If the old pair is of no use, delete its custody secret and its items in the table.",
  ),
  CurrentKeyGone: urgent("Somebody deleted the current key. If that was an incident, nothing is left to do here."),
  CurrentKeyDisabled: urgent("Somebody disabled the current key. Reactivate it, unless that was an incident."),
  SmtpNotRuledOut: operator('If no SMTP password was derived from the key, say smtp: "none" in the profile.'),
  KeyExposed: urgent(
    "It is being replaced and cut by itself. Mend what the text says is in the way, or revoke it.",
    "revoke",
  ),
  ExposedKeyCut: {
    ...urgent("Give the current pair to those who are behind. See what was done with the key and its sessions."),
    againAfterMs: null,
  },
  ExposedElsewhere: urgent("Keyturn does not turn this user's keys. Deactivate the key by hand, now, and replace it."),
  OrphanUnproved: operator("Find out who made this key. If nobody needs it, delete it."),
  Stranger: operator("Somebody made this key. Delete it if nobody needs it, or let Keyturn take it over.", "adopt"),
  PendingDisabled: operator("Activate the replacement again, or delete it: the rotation then starts again."),
  DestinationNotLive: operator("The pair is stored, and nobody has it before what is named was done. Both keys stay."),
  TwoHandMadeKeys: operator("Both keys were made by hand and are in use. Retire one of them by hand."),
  FormerDestination: operator(
    "A destination that still holds the old key is no longer in the profile. Put it back.",
    "forget",
  ),
  UseUnknown: operator("The old key stays until its use can be told. Mend what is named."),
  OldKeyStillUsed: operator("A consumer still signs with the old key. Find it, and give it the current pair."),
  NotAdopted: operator("Nobody was seen to use the replacement yet. See whether the consumer took it."),
  NeedsRelease: operator("The key was made active again. It stays until an operator releases it.", "release"),
  UsedDuringSoak: operator("The key was used about when it was deactivated. It is not deleted."),
  RetiredKeyUsed: operator("A consumer lost the key by your word. Give it the current pair, or reactivate the key."),
  WaitingAfterOrphan: operator("The last replacement could not be stored. See whether custody can be written."),
  // Each deadline has a key of its own, and is said once.
  KeyOverdue: { ...urgent("The key will outlive its policy, or has. Mend what is in the way."), againAfterMs: null },
  DeliveryLate: operator("The replacement is late. The reason says what is in the way."),
  EvidenceLate: { ...urgent("Mend what is named, or name the Region as unasked in the profile."), againAfterMs: null },
  Paused: operator("Read a plan, then resume. Until then no key is rotated, nor kept from growing old.", null),
  DestinationBlocked: operator("Mend the destination as the text says. Both keys stay until then."),
  StepFailed: operator("It is tried again at the next sweep. If it stays, mend what is named."),
  ObservationFailed: operator("Nothing was decided for this user. If it stays, mend what is named."),
  DescriptionNotCarried: once(
    "Copy the key's description in the console, or mend what is named. No rotation waits for it.",
  ),
  WindowAhead: once("Nothing to do. To stop it, hold the user.", "hold"),
  CustodyUnguarded: operator(
    "Let the role put a resource policy on custody. Until then whoever has the user's key may read its replacement there.",
  ),
  KeyDeactivated: once("Nothing to do. If something breaks now, reactivate the key.", "reactivate"),
  KeyReactivated: {
    ...urgent("A consumer still holds the old key. Find it, and give it the current pair.", "release"),
    lasts: false,
  },
  KeyDeleted: once("Nothing to do."),
  NotifierFailing: { ...urgent("Mend what is named: until then this way of telling is silent."), typed: null },
  NobodyListens: operator("Subscribe to the topic, and confirm by the link in the mail.", null),
  StillOpen: once("Each was told when it began. See what can be ended today."),
  TokenRotated: once("Nothing to do. The former token is deleted when nobody used it for a day."),
  TokenNotRotated: operator("Mend what is named. The token that is current stays, and works."),
  TokenStillUsed: operator("Find who else uses the former token, and give it the one in the secret."),
  TokenRefused: urgent("Store a valid token in the secret: nothing is delivered with this one."),
};
