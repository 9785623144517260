import { isOurFootprint, knowsWholeLife } from "../rotation/footprint.ts";
import type { Profile } from "../rotation/policy.ts";
import { days } from "../rotation/time.ts";
import { memoryOf } from "./answers.ts";
import { lastDeliveredAt } from "./deliveries.ts";
import { latestUse, type Replaced, unusedForMs } from "./quiet.ts";

/** A month, and some days of lateness: who works so seldom may not have met a younger key yet. */
const MONTHLY_MS = days(35);

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
  const isLongLived = now - old.createdAt >= wholeLifeMs(profile);
  if (use === null) return isLongLived;
  // The latest use is a probe of ours, and nobody else was ever seen before it: a record younger than the key cannot say so.
  const knowsAll = knowsWholeLife(observation.record, old) && memory.adoptedAt === null;
  if (knowsAll && isLongLived && isOurFootprint(use.at, memory.probes)) return true;
  const deliveredAt = lastDeliveredAt(observation, current.id) ?? promotedAt;
  return use.at < deliveredAt && deliveredAt - use.at >= unusedForMs(profile);
}

/** How old a key must be for its whole life to say anything: as old as keys get, and never less than a monthly rhythm. */
function wholeLifeMs(profile: Profile): number {
  return Math.max(MONTHLY_MS, Math.min(unusedForMs(profile), profile.policy.rotateAfterMs));
}
