import type { Exposure } from "../rotation/exposure.ts";
import { type Acting, DONE, type Done, lineOf, type StepOf } from "./acting.ts";

/** Writes down which keys are exposed, before anything else and without the lease: it must not be lost to another run. */
export async function mark(acting: Acting, step: StepOf<"mark">): Promise<Done> {
  const { world, subject, profile, ledger } = acting;
  const owner = { account: subject.account, userId: subject.iamUser?.id ?? "" };
  const marks = { exposures: [...step.exposures, ...toldOf(acting)], quarantine: step.quarantine };
  await world.custody.mark(subject.user, marks, { owner, replicaRegions: profile.replicaRegions });
  ledger.stage((record) => record, lineOf(acting, "marked", { keyId: step.exposures[0]?.keyId ?? null }));
  return DONE;
}

/** What this run was told, and perhaps could not write down: a quarantine that is on record asks about no key again. */
function toldOf({ subject, observation }: Acting): readonly Exposure[] {
  const told = subject.exposures ?? [];
  // A mark that was refused has no time, so that its key is cut in this run.
  return told.map(({ keyId, at, by }) => ({ keyId, at: at > 0 ? at : observation.observedAt, by }));
}
