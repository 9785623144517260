import { isOurFootprint } from "../rotation/footprint.ts";
import type { AccessKey } from "../rotation/keys.ts";
import type { Observation, Sighting } from "../rotation/observation.ts";
import type { Profile } from "../rotation/policy.ts";
import type { KeyRecord } from "../rotation/record.ts";
import { days } from "../rotation/time.ts";
import { memoryOf } from "./answers.ts";
import { lastDeliveredAt } from "./deliveries.ts";
import { latestUse } from "./quiet.ts";

const UNUSED_FOR_MS = days(90);
/**
 * Whether the replacement may be taken to be in use: seen in use by somebody else than us, or the profile does not ask
 * for it, or it is waived because nobody had used the old key either.
 */
export function adoptionOf(
  observation: Observation,
  profile: Profile,
  keys: { readonly old: AccessKey; readonly current: AccessKey },
): "seen" | "optional" | "waived" | "missing" {
  if ((memoryOf(observation.record, keys.current.id)?.adoptedAt ?? null) !== null) return "seen";
  if (isWaived(observation, profile, keys)) return "waived";
  return profile.policy.adoption === "optional" ? "optional" : "missing";
}

/** Nobody used the old key for 90 days (or its declared silence, or its whole life) before the delivery, nor since. */
function isWaived(
  observation: Observation,
  profile: Profile,
  keys: { readonly old: AccessKey; readonly current: AccessKey },
): boolean {
  const old = memoryOf(observation.record, keys.old.id);
  const promotedAt = memoryOf(observation.record, keys.current.id)?.promotedAt ?? null;
  if (old === null || promotedAt === null) return false;
  const deliveredAt = lastDeliveredAt(observation, keys.current.id) ?? promotedAt;
  const use = latestUse(old, false);
  if (use === null || isOwnProbe(observation, keys.old, old, use)) return true;
  const silence = Math.max(UNUSED_FOR_MS, profile.policy.idleAtMostMs ?? 0);
  return use.at < deliveredAt && deliveredAt - use.at >= silence;
}

/**
 * The latest use is a probe of ours, and nobody else was ever seen before it. A record younger than the key does not
 * know all of its probes, and cannot say so.
 */
function isOwnProbe({ record }: Observation, key: AccessKey, memory: KeyRecord, use: Sighting): boolean {
  if (record.since > key.createdAt || memory.adoptedAt !== null) return false;
  return isOurFootprint(use.at, memory.probes);
}
