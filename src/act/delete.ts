import { must } from "../rotation/errors.ts";
import type { Observation } from "../rotation/observation.ts";
import type { AccessKeyId } from "../rotation/keys.ts";
import type { UserRecord } from "../rotation/record.ts";
import { type Acting, DONE, type Done, lineOf, type Refusal, type StepOf, withUnheard } from "./acting.ts";
import { dossierOf } from "./dossier.ts";
import { recheck } from "./recheck.ts";

/** The one step that cannot be undone: decided twice, and on record with its evidence before the call. */
export async function deleteKey(acting: Acting, step: StepOf<"delete">): Promise<Done | Refusal> {
  const { world, subject, profile, ledger, decision } = acting;
  const second = await recheck(acting, step);
  if (second.kind !== "same") return second;
  const isOrphan = decision.reason === "OrphanProvedOurs";
  assertDeletable(second.fresh, step.keyId, isOrphan || decision.reason === "KeyExposed");

  const { details, lines: proof } = dossierOf(second, profile, step.keyId);
  const line = lineOf(acting, "deleting", { keyId: step.keyId, details });
  const unheard = {
    code: "KeyDeleted",
    keyId: step.keyId,
    at: world.clock.now(),
    lines: [decision.because, ...proof],
  } as const;
  await ledger.save(() => withUnheard(second.fresh.record, unheard), line);
  await world.accessKeys.delete(subject.user, step.keyId);
  const now = world.clock.now();
  ledger.stage((record) => {
    const without = forget(record, step.keyId, subject.iamUser?.tags[step.keyId.toLowerCase()] !== undefined);
    if (!isOrphan) return without;
    return { ...without, intent: null, orphans: { count: record.orphans.count + 1, lastAt: now } };
  });
  return { ...DONE, proof };
}

function assertDeletable({ keys, custody }: Observation, id: AccessKeyId, mayBeActive: boolean): void {
  const key = keys.find((found) => found.id === id);
  const held = custody.kind === "present" ? [custody.current?.keyId, custody.pending?.keyId] : [];
  must(!held.includes(id), `${id} is neither current nor pending`);
  must(mayBeActive || key?.status === "inactive", `${id} is Inactive`);
}

/** A key that people described stays on record for some days more: by that its description is known to be a leftover. */
function forget(record: UserRecord, id: AccessKeyId, isDescribed: boolean): UserRecord {
  const keys = Object.fromEntries(Object.entries(record.keys).filter(([known]) => isDescribed || known !== id));
  // An intent that names it as one that was there would have somebody else taken it away.
  const intent = record.intent && { ...record.intent, before: record.intent.before.filter((known) => known !== id) };
  return { ...record, keys, intent };
}
