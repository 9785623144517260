import { RotationError, must } from "../rotation/errors.ts";
import type { Observation } from "../rotation/observation.ts";
import { type Acting, DONE, type Done, lineOf, type Refusal, type StepOf, withKey, withUnheard } from "./acting.ts";
import { dossierOf } from "./dossier.ts";
import { recheck } from "./recheck.ts";

/**
 * Takes the old key out of use. Decided twice, and on record with its evidence before the call: a deactivation whose
 * answer is lost must not look like somebody else's hand.
 */
export async function deactivate(acting: Acting, step: StepOf<"deactivate">): Promise<Done | Refusal> {
  const { world, subject, profile, ledger, decision } = acting;
  const { keyId, quietSince, isWaived } = step;
  const second = await recheck(acting, step);
  if (second.kind !== "same") return second;
  assertReplaced(second.fresh, step);

  const begun = { at: world.clock.now(), answeredAt: null, quietSince, isWaived };
  const { details, lines: proof } = dossierOf(second, profile, keyId);
  const line = lineOf(acting, "deactivating", { keyId, details });
  const unheard = { code: "KeyDeactivated", keyId, at: begun.at, lines: [decision.because, ...proof] } as const;
  await ledger.save(() => withUnheard(withKey(second.fresh.record, keyId, { deactivation: begun }), unheard), line);
  await world.accessKeys.setStatus(subject.user, keyId, "inactive").catch(async (error: unknown) => {
    const isRefused = error instanceof RotationError && !error.outcomeUnknown;
    if (isRefused) await ledger.save((record) => withKey(record, keyId, { deactivation: null }));
    throw error;
  });
  const answeredAt = world.clock.now();
  const answered = { inactiveSince: answeredAt, deactivation: { ...begun, answeredAt } };
  ledger.stage((record) => withKey(record, keyId, answered));
  return { ...DONE, proof };
}

/** What must be true of the world, whatever was decided: somebody else is in the key's place. */
function assertReplaced({ keys, custody }: Observation, step: StepOf<"deactivate">): void {
  const held = custody.kind === "present" ? [custody.current?.keyId, custody.pending?.keyId] : [];
  must(!held.includes(step.keyId), `${step.keyId} is neither current nor pending`);
  const isOtherActive = keys.some(({ id, status }) => id !== step.keyId && status === "active");
  must(isOtherActive, `another key than ${step.keyId} is active`);
}
