import type { Reason } from "./decision.ts";
import type { UserName } from "./keys.ts";
import { days, type Instant } from "./time.ts";

/** What can be told to people, beside the reasons that a decision gives. */
export type NoticeCode = Reason | DeadlineCode | TroubleCode | DoneCode;
type DeadlineCode = "KeyOverdue" | "DeliveryLate" | "EvidenceLate" | "Paused" | "WindowAhead";
type TroubleCode =
  | "DestinationBlocked"
  | "StepFailed"
  | "ObservationFailed"
  | "DescriptionNotCarried"
  | "CustodyUnguarded";
type DoneCode = "ExposedKeyCut" | "ExposedElsewhere" | "KeyDeactivated" | "KeyReactivated" | "KeyDeleted" | TokenCode;
type TokenCode = "TokenRotated" | "TokenNotRotated" | "TokenStillUsed" | "TokenRefused";

export type Severity = "info" | "warning" | "urgent";

export interface Notice {
  readonly code: NoticeCode;
  readonly severity: Severity;
  readonly user: UserName;
  readonly at: Instant;
  readonly text: string;
  readonly advice: string;
  /** The same key is not said again before the registry's `againAfterMs`. */
  readonly dedupeKey: string;
}

interface NoticeEntry {
  readonly severity: Severity;
  readonly advice: string;
  /** Said again after this time while it lasts; null for what happens once. */
  readonly againAfterMs: number | null;
}

const operator = (advice: string): NoticeEntry => ({ severity: "warning", advice, againAfterMs: days(7) });
const urgent = (advice: string): NoticeEntry => ({ severity: "urgent", advice, againAfterMs: days(1) });
const once = (advice: string): NoticeEntry => ({ severity: "info", advice, againAfterMs: null });

/** Every notice there is. A reason without an entry is the ordinary course of a rotation, and is not told. */
export const NOTICES: Readonly<Partial<Record<NoticeCode, NoticeEntry>>> = {
  UsedAfterDeactivation: urgent("A consumer still holds the old key. Give it the current pair, then release the key."),
  DestinationHoldsOldKey: urgent("The old key was brought back. Deploy the newest version of the destination again."),
  ConsumerUnhealthy: urgent("A consumer does not work with the current key. Mend it; the old key stays until then."),
  BlindSpot: operator("Nothing is done until it can be read. Mend what is named, or the permission for it."),
  NotEnrolled: operator("The user lost its enrolment in the middle of a rotation. Tag it again, or finish by hand."),
  TwoEnrolments: operator("Leave one enrolment tag on the user."),
  UnknownProfile: operator("Correct the tag's value, or add the profile to keyturn.config.ts."),
  NotServedByProfile: operator("Correct the tag, or list the user in the profile. Until then nothing is delivered."),
  SlotShared: operator("Give each user a destination of its own, or remove the tag from one of them."),
  HeldByOperator: operator("Remove the tag keyturn-hold when the reason is over."),
  OtherUserSameName: operator("The user was made again. Remove its custody secret if the old pair is of no use."),
  CurrentKeyGone: urgent("Somebody deleted the current key. If that was an incident, nothing is left to do here."),
  CurrentKeyDisabled: urgent("Somebody disabled the current key. Activate it, unless that was an incident."),
  SmtpNotRuledOut: operator('If no SMTP password was derived from the key, say smtp: "none" in the profile.'),
  KeyExposed: urgent("It is being replaced and cut by itself. Mend what the text says is in the way, or type revoke."),
  ExposedKeyCut: {
    ...urgent("Give the current pair to those who are behind. See what was done with the key and its sessions."),
    againAfterMs: null,
  },
  ExposedElsewhere: urgent("Keyturn does not turn this user's keys. Deactivate the key by hand, now, and replace it."),
  OrphanUnproved: operator("Find out who made this key. If nobody needs it, delete it."),
  Stranger: operator("Somebody made this key. Delete it if nobody needs it; Keyturn will not."),
  PendingDisabled: operator("Activate the replacement again, or delete it: the rotation then starts again."),
  DestinationNotLive: operator("The pair is stored, and nobody has it before what is named was done. Both keys stay."),
  TwoHandMadeKeys: operator("Both keys were made by hand and are in use. Retire one of them by hand."),
  FormerDestination: operator("A destination that still holds the old key is no longer in the profile. Put it back."),
  UseUnknown: operator("The old key stays until its use can be told. Mend what is named."),
  OldKeyStillUsed: operator("A consumer still signs with the old key. Find it, and give it the current pair."),
  NotAdopted: operator("Nobody was seen to use the replacement yet. See whether the consumer took it."),
  NeedsRelease: operator("The key was made active again. It stays until an operator releases it."),
  UsedDuringSoak: operator("The key was used about when it was deactivated. It is not deleted."),
  RetiredKeyUsed: operator("A consumer lost the key by your word. Give it the current pair, or reactivate the key."),
  WaitingAfterOrphan: operator("The last replacement could not be stored. See whether custody can be written."),
  // Each deadline has a key of its own, and is said once.
  KeyOverdue: { ...urgent("The key will outlive its policy, or has. Mend what is in the way."), againAfterMs: null },
  DeliveryLate: operator("The replacement is late. The reason says what is in the way."),
  EvidenceLate: { ...urgent("Mend what is named, or name the Region as unasked in the profile."), againAfterMs: null },
  Paused: operator(
    'Read a plan, then say {"command":"resume"}. Until then no key is rotated, nor kept from growing old.',
  ),
  DestinationBlocked: operator("Mend the destination as the text says. Both keys stay until then."),
  StepFailed: operator("It is tried again at the next sweep. If it stays, mend what is named."),
  ObservationFailed: operator("Nothing was decided for this user. If it stays, mend what is named."),
  DescriptionNotCarried: once(
    "Copy the key's description in the console, or mend what is named. No rotation waits for it.",
  ),
  WindowAhead: once("Nothing to do. To stop it, hold the user."),
  CustodyUnguarded: operator(
    "Let the role put a resource policy on custody. Until then whoever has the user's key may read its replacement there.",
  ),
  KeyDeactivated: once("Nothing to do. If something breaks now, activate the key again."),
  KeyReactivated: urgent("A consumer still holds the old key. Find it, and give it the current pair."),
  KeyDeleted: once("Nothing to do."),
  TokenRotated: once("Nothing to do. The former token is deleted when nobody used it for a day."),
  TokenNotRotated: operator("Mend what is named. The token that is current stays, and works."),
  TokenStillUsed: operator("Find who else uses the former token, and give it the one in the secret."),
  TokenRefused: urgent("Store a valid token in the secret: nothing is delivered with this one."),
};
