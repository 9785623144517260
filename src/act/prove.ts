import { RotationError } from "../rotation/errors.ts";
import { PLANNED_PROBE_MS, PROBE_LASTS_MS } from "../rotation/footprint.ts";
import type { AccessKeyId, Credential } from "../rotation/keys.ts";
import type { Probe, UserRecord } from "../rotation/record.ts";
import { type Instant, minutes, plus, seconds } from "../rotation/time.ts";
import type { World } from "../rotation/world.ts";
import {
  type Acting,
  DONE,
  type Done,
  doneWith,
  pairOf,
  type Refusal,
  type StepOf,
  withdrawn,
  withKey,
} from "./acting.ts";

/** IAM is eventually consistent, each Region for itself: one answer may come from a host that is ahead of the others. */
const ANSWERS_IN_A_ROW = 3;
const BETWEEN_ANSWERS_MS = 250;
const AFTER_REFUSAL_MS = seconds(2);
/** One that was deleted works for some seconds more, and IAM's listing does not tell it from one that was just made. */
const DELETED_WORKS_FOR_MS = minutes(1);
/** A probe of ours must not outlive the time that its footprint is given. */
const PROVING_MAX_MS = PROBE_LASTS_MS - seconds(10);
/** A destination that is blocked for months costs a probe every six hours, and the journal's item has a size. */
const PROBES_KEPT_MAX = 200;

/**
 * Signs GetCallerIdentity with the new pair in every Region of the profile until it answers steadily. It proves that the
 * pair is whole and known; it says nothing about what the user is allowed.
 */
export async function prove(acting: Acting, { keyId }: StepOf<"prove">): Promise<Done | Refusal> {
  const { world, subject, profile, observation, ledger } = acting;
  const isListed = observation.keys.some(({ id }) => id === keyId);
  if (!isListed) await world.clock.sleep(DELETED_WORKS_FOR_MS);
  const from = world.clock.now();
  // A probe is on record before it is sent: by itself, or by the intent under which this run made the key.
  const isPlanned = ledger.isHeld() && isPlannedBy(ledger.record(), keyId, from);
  if (isPlanned) ledger.stage((record) => withProbe(record, keyId, from));
  else await ledger.save((record) => withProbe(record, keyId, from));
  const credential = await pairOf(acting, keyId);
  const arn = subject.iamUser?.arn ?? "";
  const steady = await Promise.all(
    profile.regions.map((region) => answersSteadily(world, credential, { region, arn })),
  );
  const to = world.clock.now();
  ledger.stage((record) => withKey(record, keyId, { probes: ended(record, keyId, { from, to }) }));
  const refusal = steady.find((answer) => answer !== null);
  if (refusal !== undefined && refusal !== null) return withdrawn(refusal);
  // One that IAM did not list is there, and is looked at once more.
  if (!isListed) return DONE;
  return doneWith(acting, { proved: [...observation.proved, keyId] });
}

function isPlannedBy({ intent }: UserRecord, keyId: AccessKeyId, now: Instant): boolean {
  return intent?.created === keyId && now <= plus(intent.at, PLANNED_PROBE_MS - PROBE_LASTS_MS);
}

function ended(record: UserRecord, keyId: AccessKeyId, probe: Probe): readonly Probe[] {
  return [...(record.keys[keyId]?.probes.slice(0, -1) ?? []), probe];
}

/** The record with a probe begun. */
function withProbe(record: UserRecord, keyId: AccessKeyId, from: Instant): UserRecord {
  const kept = record.keys[keyId]?.probes.slice(1 - PROBES_KEPT_MAX) ?? [];
  return withKey(record, keyId, { probes: [...kept, { from, to: null }] });
}

/** Null when it did; else what the last refusal was. */
async function answersSteadily(
  world: Pick<World, "prover" | "clock">,
  credential: Credential,
  { region, arn }: { readonly region: string; readonly arn: string },
): Promise<string | null> {
  const startedAt = world.clock.now();
  let inARow = 0;
  let refusal = "no answer yet";
  while (world.clock.now() - startedAt < PROVING_MAX_MS) {
    const answer = await world.prover.callerArn(credential, region);
    if (answer.kind === "answered" && answer.arn !== arn) {
      throw new RotationError("Bug", `proving ${credential.id}, it answers as ${answer.arn} and not as ${arn}`);
    }
    inARow = answer.kind === "answered" ? inARow + 1 : 0;
    if (inARow >= ANSWERS_IN_A_ROW) return null;
    if (answer.kind === "refused") refusal = answer.because;
    await world.clock.sleep(answer.kind === "answered" ? BETWEEN_ANSWERS_MS : AFTER_REFUSAL_MS);
  }
  return `${credential.id} does not answer steadily in ${region} yet: ${refusal}`;
}
