import { type Acting, DONE, type Done, lineOf, type StepOf, withKey } from "./acting.ts";

/** Gives back a key that we took and that was needed after all. Once a rotation; from then on it waits for a release. */
export async function reactivate(acting: Acting, { keyId }: StepOf<"reactivate">): Promise<Done> {
  const { world, subject, ledger } = acting;
  await world.accessKeys.setStatus(subject.user, keyId, "active");
  const given = { reactivatedAt: world.clock.now(), isReactivatedByUs: true, inactiveSince: null, deactivation: null };
  await ledger.save((record) => withKey(record, keyId, given), lineOf(acting, "reactivated", { keyId }));
  return DONE;
}
