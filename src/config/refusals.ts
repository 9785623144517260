import { factsOf } from "../destinations/index.ts";
import { LAST_USED_COLLAPSE_MS, LAST_USED_LAG_MS, quietMs, type RotationPolicy } from "../rotation/policy.ts";
import { describeMs, hours } from "../rotation/time.ts";
import { longestGapMs } from "../rotation/window.ts";
import { type ProfileRead, profileOf } from "./profile-input.ts";

/** A quiet below this misses every consumer that works once a day, and is accepted only in so many words. */
const QUIET_MIN_MS = hours(48);
/** The last uses of a key become known this long after they happened, and must be known before it is deleted. */
const SOAK_MIN_MS = LAST_USED_LAG_MS + LAST_USED_COLLAPSE_MS;

/** A setting that is refused: where it stands, what was found there, and what is allowed. */
export type Refusal = { readonly path: string; readonly found: string; readonly allowed: string };

/** A profile that was read, and is to be weighed. */
export type NamedProfile = { readonly name: string; readonly read: ProfileRead };

/** What cannot be in one profile by itself, although each of its settings could. */
export function profileRefusals({ name, read }: NamedProfile): Refusal[] {
  const { policy, isPulled } = profileOf(name, read);
  const found = [
    ...refusedSums(policy, isPulled),
    ...refusedRhythm(read, policy),
    ...refusedReaders(read),
    ...refusedDestinations(read),
  ];
  return found.map((refusal) => ({ ...refusal, path: `profiles.${name}.${refusal.path}` }));
}

/** Every sum that does not come out: no key may outlive maxAge, and one rotation must end before the next begins. */
function refusedSums(policy: RotationPolicy, isPulled: boolean): Refusal[] {
  const { rotateAfterMs, deliverWithinMs, soakForMs, maxAgeMs } = policy;
  // The delivery may wait for the window to open, and so may the deactivation.
  const waitMs = longestWaitMs(policy, isPulled) + 2 * longestGapMs(policy.window);
  const retiredByMs = rotateAfterMs + deliverWithinMs + waitMs;
  const deletedByMs = deliverWithinMs + waitMs + soakForMs;
  const found: Refusal[] = [];
  if (retiredByMs > maxAgeMs) {
    found.push({
      path: "rotateAfter",
      found: `${describeMs(rotateAfterMs)}, so that with deliverWithin and a wait of ${describeMs(waitMs)} the old key goes at ${describeMs(retiredByMs)}`,
      allowed: `at most ${describeMs(maxAgeMs - deliverWithinMs - waitMs)}, or a longer maxAge (now ${describeMs(maxAgeMs)})`,
    });
  }
  if (rotateAfterMs <= deletedByMs) {
    found.push({
      path: "rotateAfter",
      found: `${describeMs(rotateAfterMs)}, while the key before it goes only at ${describeMs(deletedByMs)} (deliverWithin, wait and soakFor)`,
      allowed: `more than ${describeMs(deletedByMs)}, or a shorter soakFor`,
    });
  }
  if (soakForMs < SOAK_MIN_MS) {
    const allowed = `at least ${describeMs(SOAK_MIN_MS)}, because uses become known that late`;
    found.push({ path: "soakFor", found: describeMs(soakForMs), allowed });
  }
  return found;
}

/**
 * How long, after the replacement is everywhere, an old key still stays active when all goes well. The consumers of a
 * profile that pulls fetch their pair with the old key: that hand-over may come as late as idleAtMost, and restarts quietFor.
 */
function longestWaitMs(policy: RotationPolicy, isPulled: boolean): number {
  const silenceMs = isPulled ? (policy.idleAtMostMs ?? 0) + policy.quietForMs : quietMs(policy);
  return silenceMs + policy.cacheForMs + LAST_USED_LAG_MS;
}

/** Silences that would be taken for the end of a consumer that still lives. */
function refusedRhythm(read: ProfileRead, policy: RotationPolicy): Refusal[] {
  const found: Refusal[] = [];
  // A hand-over restarts quietFor alone, so an old key of a profile that pulls is given no more.
  const shortestMs = read.pulls ? policy.quietForMs : quietMs(policy);
  if (shortestMs < QUIET_MIN_MS && read.acceptShortQuiet === undefined) {
    const allowed = `at least ${describeMs(QUIET_MIN_MS)}, or acceptShortQuiet with the reason why less is enough`;
    found.push({ path: "quietFor", found: `a quiet of ${describeMs(shortestMs)}`, allowed });
  }
  const why = needsIdleAtMost(read);
  if (why !== null && read.idleAtMost === undefined) {
    const allowed = 'the longest silence of a consumer that still lives, such as "28d"';
    found.push({ path: "idleAtMost", found: `nothing, in a profile ${why}`, allowed });
  }
  return found;
}

/** Why the longest silence must be declared; null when it need not be. With one consumer last-used speaks for all of them. */
function needsIdleAtMost({ consumers, pulls, adoption }: ProfileRead): string | null {
  if (consumers > 1) return `with ${String(consumers)} consumers`;
  if (pulls) return "that pulls";
  return adoption === "optional" ? "with optional adoption" : null;
}

/** Two that share a name would be taken for one, and the second for handed over with the first. */
function refusedReaders({ readers, consumers, pulls }: ProfileRead): Refusal[] {
  if (readers.length === 0) return [];
  const names = new Set(readers).size;
  const found = `${String(names)} names of readers`;
  if (!pulls) return [{ path: "readers", found, allowed: "none in a profile that does not pull" }];
  if (names === readers.length && names >= consumers) return [];
  return [{ path: "readers", found, allowed: `one for each of the ${String(consumers)} consumers, or none at all` }];
}

function refusedDestinations(read: ProfileRead): Refusal[] {
  const destinations = read.destinations.map(factsOf);
  const found: Refusal[] = [];
  if (read.pulls && !destinations.some(({ readsCustody }) => readsCustody)) {
    const allowed = 'a destination of kind "secrets-manager" among them';
    found.push({ path: "destinations", found: "none that shows custody, in a profile that pulls", allowed });
  }
  for (const [index, { name, slots }] of destinations.entries()) {
    const path = `destinations.${String(index)}`;
    const before = destinations.slice(0, index);
    const shared = slots.find((slot) => before.some((other) => other.slots.includes(slot)));
    if (before.some((other) => other.name === name)) {
      found.push({ path, found: `a second "${name}"`, allowed: "each destination once" });
    } else if (shared !== undefined) {
      found.push({ path, found: `"${shared}", taken twice`, allowed: "a place of its own" });
    }
  }
  return found;
}

/** Users that two profiles claim: their tag could then choose where their secret goes. */
export function sharedUsers(profiles: readonly NamedProfile[]): Refusal[] {
  return profiles.flatMap(({ name, read }, position) => {
    const before = profiles.slice(0, position);
    return read.users.flatMap((user, index) => {
      const other = before.find((one) => one.read.users.some((claimed) => overlap(claimed, user)));
      if (other === undefined) return [];
      const found = `"${user}", which profile ${other.name} serves too`;
      return { path: `profiles.${name}.users.${String(index)}`, found, allowed: "each user in one profile" };
    });
  });
}

/** IAM compares user names without case; paths are compared as they are written. */
function overlap(one: string, other: string): boolean {
  if (one.endsWith("/") && other.endsWith("/")) return one.startsWith(other) || other.startsWith(one);
  return one.toLowerCase() === other.toLowerCase();
}
