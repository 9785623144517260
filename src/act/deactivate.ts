import { RotationError, must } from "../rotation/errors.ts";
import type { Observation } from "../rotation/observation.ts";
import type { HistoryEntry } from "../rotation/world.ts";
import { type Acting, DONE, type Done, lineOf, type Refusal, type StepOf, withKey, withUnheard } from "./acting.ts";
import { dossierOf } from "./dossier.ts";
import { keptAt } from "./kept.ts";
import { recheck } from "./recheck.ts";

/**
 * Takes the old key out of use. Decided twice, and on record with its evidence before the call: a deactivation whose
 * answer is lost must not look like somebody else's hand.
 */
export async function deactivate(acting: Acting, step: StepOf<"deactivate">): Promise<Done | Refusal> {
  const { world, profile, ledger, decision } = acting;
  const { keyId } = step;
  const kept = await keptAt(acting);
  const second = await recheck(acting, step);
  if (second.kind !== "same") return second;
  assertReplaced(second.fresh, step);

  const { details, lines } = dossierOf(second, profile, keyId);
  const proof = [...lines, ...kept];
  const unheard = {
    code: "KeyDeactivated",
    keyId,
    at: world.clock.now(),
    lines: [decision.because, ...proof],
  } as const;
  // An exposed key that was cut is told as long as it is there.
  const isCut = step.exposedBy !== undefined;
  ledger.stage(() => (isCut ? second.fresh.record : withUnheard(second.fresh.record, unheard)));
  await takeAway(acting, step, lineOf(acting, "deactivating", { keyId, details: { ...details, lines: proof } }));
  return { ...DONE, proof: [...(second.decision.details ?? []), ...proof] };
}

/** On record before the call, and its answer after it. */
export async function takeAway(
  { world, subject, ledger }: Acting,
  { keyId, quietSince, isWaived, isAsked = false, exposedBy }: Omit<StepOf<"deactivate">, "kind">,
  line: HistoryEntry,
): Promise<void> {
  const why = { isWaived, ...(isAsked ? { isAsked } : {}), ...(exposedBy === undefined ? {} : { exposedBy }) };
  // One before that had no answer may have been heard all the same.
  const before = ledger.record().keys[keyId]?.deactivation ?? null;
  const begun = { at: world.clock.now(), answeredAt: null, quietSince, ...why };
  await ledger.save((record) => withKey(record, keyId, { deactivation: begun }), line);
  await world.accessKeys.setStatus(subject.user, keyId, "inactive").catch(async (error: unknown) => {
    const isRefused = error instanceof RotationError && !error.outcomeUnknown;
    if (isRefused) await ledger.save((record) => withKey(record, keyId, { deactivation: before }));
    throw error;
  });
  const answeredAt = world.clock.now();
  const answered = { inactiveSince: answeredAt, deactivation: { ...begun, answeredAt } };
  ledger.stage((record) => withKey(record, keyId, answered));
}

/** What must be true of the world, whatever was decided: somebody else is in the key's place, or it is exposed. */
function assertReplaced({ keys, custody, notes }: Observation, step: StepOf<"deactivate">): void {
  if (notes.exposures.some(({ keyId }) => keyId === step.keyId)) return;
  const held = custody.kind === "present" ? [custody.current?.keyId, custody.pending?.keyId] : [];
  must(!held.includes(step.keyId), `${step.keyId} is neither current nor pending`);
  const isOtherActive = keys.some(({ id, status }) => id !== step.keyId && status === "active");
  must(isOtherActive, `another key than ${step.keyId} is active`);
}
