import { type Acting, DONE, type Done, lineOf, type StepOf, withKey } from "./acting.ts";

/** Gives back a key that we took and that was needed after all. Once a rotation; from then on it waits for a release. */
export async function reactivate(acting: Acting, { keyId }: StepOf<"reactivate">): Promise<Done> {
  const { world, subject, ledger } = acting;
  await world.accessKeys.setStatus(subject.user, keyId, "active");
  const again = { reactivatedAt: world.clock.now(), releasedAt: null, inactiveSince: null, deactivation: null };
  const given = { ...again, isReactivatedByUs: true };
  await ledger.save((record) => withKey(record, keyId, given), lineOf(acting, "reactivated", { keyId }));
  return DONE;
}
