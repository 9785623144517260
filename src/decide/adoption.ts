import { isOurFootprint } from "../rotation/footprint.ts";
import { memoryOf } from "./answers.ts";
import { lastDeliveredAt } from "./deliveries.ts";
import { latestUse, type Replaced, unusedForMs } from "./quiet.ts";

/**
 * Whether the replacement may be taken to be in use: seen in use by somebody else than us, or the profile does not ask
 * for it, or it is waived because nobody had used the old key either.
 */
export function adoptionOf(replaced: Replaced): "seen" | "optional" | "waived" | "missing" {
  const { observation, profile, current } = replaced;
  if ((memoryOf(observation, current.id)?.adoptedAt ?? null) !== null) return "seen";
  if (isWaived(replaced)) return "waived";
  return profile.policy.adoption === "optional" ? "optional" : "missing";
}

/** Nobody used the old key for 90 days (or its declared silence) before the delivery, nor since; or in its whole, long life. */
function isWaived({ observation, profile, old, current, now }: Replaced): boolean {
  const memory = memoryOf(observation, old.id);
  const promotedAt = memoryOf(observation, current.id)?.promotedAt ?? null;
  if (memory === null || promotedAt === null) return false;
  const use = latestUse(memory, false);
  // The whole life of a key made last week says nothing: its consumer may work once a month.
  const isLongLived = now - old.createdAt >= Math.min(unusedForMs(profile), profile.policy.rotateAfterMs);
  if (use === null) return isLongLived;
  // The latest use is a probe of ours, and nobody else was ever seen before it: a record younger than the key cannot say so.
  const knowsAll = observation.record.since <= old.createdAt && memory.adoptedAt === null;
  if (knowsAll && isLongLived && isOurFootprint(use.at, memory.probes)) return true;
  const deliveredAt = lastDeliveredAt(observation, current.id) ?? promotedAt;
  return use.at < deliveredAt && deliveredAt - use.at >= unusedForMs(profile);
}
