import { partsOf, type Parts } from "../../decide/parts.ts";
import { notOursToTouch } from "../../decide/rules/not-ours-to-touch.ts";
import { observe, type Subject } from "../../observe/observe.ts";
import { HOLD_TAG } from "../../observe/standing.ts";
import { findSubjects, type Serving } from "../../observe/subjects.ts";
import type { Ruling } from "../../rotation/decision.ts";
import { asRotationError, RotationError } from "../../rotation/errors.ts";
import type { AccessKeyId, IamUser, UserName } from "../../rotation/keys.ts";
import type { Observation } from "../../rotation/observation.ts";
import type { Profile } from "../../rotation/policy.ts";
import type { HistoryEntry, World } from "../../rotation/world.ts";
import { movedSince } from "../acting.ts";
import { type Ledger, openLedger } from "../ledger.ts";

/** Whom a deployment serves, and whom and what a command names. `doing` begins what a refusal says. */
export interface Errand extends Omit<Serving, "users"> {
  readonly user: UserName;
  readonly doing: string;
}

/** What an operator's word begins with: the enrolled user, looked at afresh, and its open record. */
export interface Begun {
  readonly world: World;
  readonly errand: Errand;
  readonly subject: Subject;
  readonly profile: Profile;
  readonly observation: Observation;
  readonly parts: Parts;
  readonly ledger: Ledger;
  /** That somebody took the current or only key away: what some words end, and others are refused for. */
  readonly taken: Ruling | null;
  readonly isHeld: boolean;
}

/** Refuses a word: what was asked, and why not. The operator's move, always. */
export const refused = ({ doing }: Pick<Errand, "doing">, because: string): RotationError =>
  new RotationError("Misconfigured", `${doing}, ${because}`);

/**
 * Looks at the user, does the work, and gives the lease back, which a call of unknown outcome keeps. Refused for whoever
 * is not ours to touch; a hold is an operator's own, and stands in no word's way. `Conflict` while another run has the user.
 */
export async function withUser<T>(world: World, errand: Errand, work: (begun: Begun) => Promise<T>): Promise<T> {
  const begun = await begin(world, errand);
  const { ledger } = begun;
  try {
    const answer = await work(begun);
    await ledger.close((record) => record);
    return answer;
  } catch (thrown) {
    const error = asRotationError(thrown, errand.doing);
    if (!ledger.isLost()) await giveBack(begun, error.outcomeUnknown);
    throw error;
  }
}

async function giveBack({ world, ledger, errand }: Begun, isUnderWay: boolean): Promise<void> {
  try {
    await ledger.close((record) => record, isUnderWay);
  } catch (thrown) {
    const error = asRotationError(thrown, errand.doing);
    world.log.event("error", "a record could not be closed", { user: errand.user, error });
  }
}

async function begin(world: World, errand: Errand): Promise<Begun> {
  const { user, doing, profiles, enrolmentTag } = errand;
  const { subjects, unread } = await findSubjects(world, { profiles, enrolmentTag, users: [user] }, null);
  for (const { error } of unread) throw error;
  const [subject] = subjects;
  if (subject === undefined) throw new RotationError("NotFound", `${doing}, no such user is enrolled`);
  const sight = await observe(world, subject, { proved: [], revision: null, isThorough: true });
  const { observation, revision } = sight;
  const [spot] = observation.blindSpots;
  if (spot !== undefined) throw new RotationError("Unreachable", `${doing}, ${spot.about} unreadable: ${spot.because}`);
  const { profile, standing } = subject;
  const isHeld = standing.barred?.reason === "HeldByOperator";
  const unheld = isHeld ? { ...observation, standing: { ...standing, barred: null } } : observation;
  const ruling = notOursToTouch.judge({ observation: unheld, profile, now: observation.observedAt });
  const isTaken = ruling?.reason === "CurrentKeyGone" || ruling?.reason === "CurrentKeyDisabled";
  if (profile === null || (ruling !== null && !isTaken)) throw refused(errand, ruling?.because ?? "it has no profile");
  const odd = observation.keys.find(({ status }) => status === "unrecognized");
  if (odd !== undefined) throw refused(errand, `${odd.id} has a status that Keyturn does not know`);
  const ledger = openLedger(world, revision, { record: observation.record, holder: world.random.token() });
  return { world, errand, subject, profile, observation, parts: partsOf(observation), ledger, taken: ruling, isHeld };
}

/** A line of the user's history, for a word that an operator said. */
export function word(
  { world, errand, observation }: Begun,
  what: string,
  keyId: AccessKeyId | null,
  because = "an operator asked for it",
): HistoryEntry {
  const { evidence } = observation;
  return { at: world.clock.now(), user: errand.user, what, keyId, details: { rule: "operator", because, evidence } };
}

/** Reads the user once more, right before what is hard: nobody may have taken it away from us meanwhile. A hold is no reason. */
export async function mustBeOurs({ world, subject, errand }: Begun): Promise<void> {
  const { iamUser, user } = subject;
  const fresh = await world.directory.read(user);
  const was = iamUser && withoutHold(iamUser);
  const moved = movedSince({ ...subject, iamUser: was }, fresh && withoutHold(fresh));
  if (moved !== null) throw refused(errand, moved);
}

function withoutHold(user: IamUser): IamUser {
  const tags = Object.fromEntries(Object.entries(user.tags).filter(([key]) => key !== HOLD_TAG));
  return { ...user, tags };
}

/** Where the current key is gone the marker becomes current again: every key is hand-made from then on. */
export async function vacate({ world, errand, observation }: Begun): Promise<void> {
  const { custody, keys } = observation;
  if (custody.kind !== "present" || custody.current === null || custody.current.keyId === null) return;
  const intent = { at: world.clock.now(), before: keys.map(({ id }) => id) };
  await world.custody.vacate(errand.user, custody.current, intent);
}
