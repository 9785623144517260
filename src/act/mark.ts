import { type Acting, DONE, type Done, lineOf, type StepOf } from "./acting.ts";

/** Writes down which keys are exposed, before anything else and without the lease: it must not be lost to another run. */
export async function mark(acting: Acting, step: StepOf<"mark">): Promise<Done> {
  const { world, subject, profile, ledger } = acting;
  const owner = { account: subject.account, userId: subject.iamUser?.id ?? "" };
  await world.custody.mark(subject.user, step, { owner, replicaRegions: profile.replicaRegions });
  ledger.stage((record) => record, lineOf(acting, "marked", { keyId: step.exposures[0]?.keyId ?? null }));
  return DONE;
}
