import { destinationsBehind } from "../../decide/deliveries.ts";
import { isExposed } from "../../decide/exposure.ts";
import type { Decision } from "../../rotation/decision.ts";
import type { RotationError } from "../../rotation/errors.ts";
import type { AccessKeyId } from "../../rotation/keys.ts";
import type { Custody, CustodyVersion } from "../../rotation/observation.ts";
import type { Rollback } from "../../rotation/record.ts";
import { latest, minutes, seconds } from "../../rotation/time.ts";
import type { World } from "../../rotation/world.ts";
import { type Acting, withKey } from "../acting.ts";
import { deliver } from "../deliver.ts";
import { prove } from "../prove.ts";
import { type Begun, type Errand, mustBeOurs, refused, withUser, word } from "./begin.ts";
import { activate } from "./reactivate.ts";

/** The clocks of two runs may differ by minutes. */
const TAKEN_JUST_NOW_MS = minutes(5);
const SETTLES_MS = seconds(15);

type Present = Extract<Custody, { readonly kind: "present" }>;
type Plan = Pick<Rollback, "to" | "from"> & { readonly custody: Present; readonly target: CustodyVersion };

/**
 * The previous pair is current again, everywhere. The user is held first, so that no sweep undoes what is half done;
 * then it is made active, proved, delivered, and AWSCURRENT moves back. Said again it goes on where it stopped, and said
 * again after that does nothing, until the hold is released.
 */
export function rollback(world: World, errand: Errand, keyId: AccessKeyId | null): Promise<string> {
  return withUser(world, errand, async (begun) => {
    const plan = planOf(begun, keyId);
    const { ledger, parts } = begun;
    const { to, from } = plan;
    const isDone = ledger.record().rollback?.isDone === true && parts.currentId === to && parts.pendingId === null;
    if (isDone && begun.isHeld) return `${to} is current again already, and the user is held`;
    const at = world.clock.now();
    const line = word(begun, "rolling back", to);
    await ledger.save((record) => ({ ...record, rollback: { at, to, from, isDone: false } }), line);
    if (!begun.isHeld) await world.directory.hold(errand.user, `rolled back to ${to}`);
    if (isTaken(begun, to)) await giveBack(begun, to);
    await handOver(begun, plan);
    await moveBack(begun, plan);
    const stored = destinationsBehind({ ...begun.observation, record: ledger.record() }, to).map(({ name }) => name);
    const where = stored.length === 0 ? "everywhere" : `and stored at ${stored.join(", ")}, where it is not live yet`;
    return `${to} is current again, ${where}; the user is held until it is released`;
  });
}

/** Right after a deactivation IAM's listing may show the key as it was, and the record knows better. */
function isTaken({ observation: { keys, record } }: Begun, to: AccessKeyId): boolean {
  const isOnRecord = (record.keys[to]?.deactivation?.answeredAt ?? null) !== null;
  return isOnRecord || keys.some(({ id, status }) => id === to && status === "inactive");
}

/**
 * Active again, and known to be. Where it was taken a moment ago, that is on its way still: the key answers, then it does
 * not for a second, and then it does. Source: IAM User Guide, "Changes that I make are not always immediately visible".
 */
async function giveBack(begun: Begun, to: AccessKeyId): Promise<void> {
  const { world, observation } = begun;
  const takenAt = observation.record.keys[to]?.inactiveSince ?? null;
  const isOnItsWay = takenAt !== null && world.clock.now() - takenAt < TAKEN_JUST_NOW_MS;
  await activate(begun, to);
  if (isOnItsWay) await world.clock.sleep(SETTLES_MS);
}

/** What shall be current again, in the place of what. Refused where that pair is not to be had. */
function planOf({ observation, parts, errand, isHeld }: Begun, named: AccessKeyId | null): Plan {
  const { custody, record, keys } = observation;
  if (custody.kind !== "present") throw refused(errand, "the user has no custody, and so no pair to go back to");
  const { current, pending, previous } = custody;
  // A hold that stands since the last rollback says that this is the same one, told twice.
  const last = record.rollback ?? null;
  const isTold = isHeld && last !== null && (!last.isDone || last.to === current?.keyId);
  const told = isTold ? last : null;
  const to = named ?? told?.to ?? (pending === null ? previous : current)?.keyId ?? null;
  if (to === null) throw refused(errand, "custody holds no earlier pair: the key before was made by hand");
  if (to === pending?.keyId) throw refused(errand, `${to} is the replacement, which is not current yet`);
  if (isExposed(observation, to)) throw refused(errand, `${to} is exposed, and no consumer gets it back`);
  const target = [current, previous].find((version) => version?.keyId === to);
  if (!target) throw refused(errand, `custody holds no pair of ${to}`);
  if (!keys.some(({ id }) => id === to)) throw refused(errand, `${to} was deleted`);
  const other = [pending, current, previous].find((version) => version !== null && version.keyId !== to);
  const from = told?.to === to ? told.from : (other?.keyId ?? null);
  if (told === null && pending === null && parts.currentId === to) throw refused(errand, `${to} is the current key`);
  return { to, from, custody, target };
}

/** Only a pair that answers goes out, and only to where another went: those that read custody get it by the label. */
async function handOver(begun: Begun, { to }: Plan): Promise<void> {
  const { observation, ledger } = begun;
  const behind = destinationsBehind({ ...observation, record: ledger.record() }, to);
  if (behind.length === 0 && begun.parts.currentId === to) return;
  const proving = actingFor(begun, to, []);
  const proof = await prove(proving, { kind: "prove", keyId: to });
  if (proof.kind !== "done") throw unfinished(begun, proof.because);
  for (const { name } of behind) {
    await mustBeOurs(begun);
    const step = { kind: "deliver", keyId: to, destination: name, isConfirming: false } as const;
    const result = await deliver(actingFor(begun, to, [to]), step);
    if (result.kind !== "done") throw unfinished(begun, result.because);
  }
}

const unfinished = ({ errand }: Begun, because: string): RotationError =>
  refused(errand, `${because}; the user stays held, and rollback said again goes on from here`);

async function moveBack(begun: Begun, { to, from, custody, target }: Plan): Promise<void> {
  const { world, errand, ledger } = begun;
  await ledger.save((record) => record);
  await mustBeOurs(begun);
  if (custody.pending !== null && custody.pending.keyId !== null) {
    await world.custody.withdrawPending(errand.user, custody.pending.keyId);
  }
  const isMoved = custody.current?.versionId !== target.versionId;
  if (isMoved) await world.custody.promote(errand.user, target, custody.current);
  const at = world.clock.now();
  // Whoever used the pair before it was replaced says nothing of whom it has now.
  const releasedAt = latest(at, ledger.record().keys[to]?.reactivatedAt ?? null);
  const change = { releasedAt, ...(isMoved ? { promotedAt: at, adoptedAt: null } : {}) };
  ledger.stage(
    (record) => ({ ...withKey(record, to, change), intent: null, rollback: { at, to, from, isDone: true } }),
    word(begun, "rolled back", to),
  );
}

/** The ordinary steps' own view, of a key that is Active by now. */
function actingFor(begun: Begun, to: AccessKeyId, proved: readonly AccessKeyId[]): Acting {
  const { world, subject, profile, ledger } = begun;
  const keys = begun.observation.keys.map((key) => (key.id === to ? { ...key, status: "active" as const } : key));
  const observation = { ...begun.observation, keys, proved, record: ledger.record() };
  const because = `an operator rolls back to ${to}`;
  const decision: Decision = { rule: "operator", reason: "RollbackAsked", because, step: { kind: "prove", keyId: to } };
  return { world, subject, profile, observation, decision, ledger, made: null, there: null };
}
