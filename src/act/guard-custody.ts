import { asRotationError, type RotationError } from "../rotation/errors.ts";
import { type CustodyNotes, type Guard, spellGuard } from "../rotation/exposure.ts";
import type { Acting } from "./acting.ts";

type Guarding = Pick<Acting, "world" | "subject" | "observation" | "ledger">;

/** Only a user that fetches its pair in custody may read there: its pair as it is current, and no session of it. */
function guardOf({ subject }: Guarding): Guard | null {
  const { iamUser, profile, destinations } = subject;
  if (iamUser === null || profile === null) return null;
  const isReader = profile.isPulled || destinations.some(({ readsCustody }) => readsCustody);
  return { userArn: iamUser.arn, isReader };
}

/** Gives custody the resource policy that its profile asks for, and tells what its tags say now. Throws where it cannot. */
export async function guardCustody(guarding: Guarding): Promise<CustodyNotes> {
  const guard = guardOf(guarding);
  const { notes } = guarding.observation;
  if (guard === null || notes.guard === spellGuard(guard)) return notes;
  await guarding.world.custody.guard(guarding.subject.user, guard);
  return { ...notes, guard: spellGuard(guard) };
}

/** The same for custody that was made before, or whose profile has changed. Never throws: no rotation waits for it. */
export async function guardKept(guarding: Guarding): Promise<RotationError | null> {
  const { observation, subject, ledger } = guarding;
  const guard = guardOf(guarding);
  if (observation.custody.kind !== "present" || subject.standing.barred !== null || guard === null) return null;
  if (observation.notes.guard === spellGuard(guard)) return null;
  try {
    if (!ledger.isHeld()) await ledger.save((record) => record);
    await guardCustody(guarding);
    return null;
  } catch (thrown) {
    return ledger.isLost() ? null : asRotationError(thrown, `guarding custody of ${subject.user}`);
  }
}
