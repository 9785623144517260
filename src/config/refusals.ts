import type { DestinationFacts } from "../destinations/index.ts";
import { describeMs } from "../rotation/time.ts";
import { contradictions, QUIET_MIN_MS, shortestQuietMs } from "./arithmetic.ts";
import { type ProfileRead, profileOf } from "./profile-input.ts";

/** A setting that is refused: where it stands, what was found there, and what is allowed. */
export interface Refusal {
  readonly path: string;
  readonly found: string;
  readonly allowed: string;
}

/** A profile that was read, and what its destinations say of themselves. */
export interface WeighedProfile {
  readonly name: string;
  readonly read: ProfileRead;
  readonly destinations: readonly DestinationFacts[];
}

/** What cannot be in one profile by itself, although each of its settings could. */
export function profileRefusals(profile: WeighedProfile): Refusal[] {
  const { name, read } = profile;
  const { policy, isPulled } = profileOf(name, read);
  const at = (setting: string): string => `profiles.${name}.${setting}`;
  const found: Refusal[] = contradictions(policy, isPulled).map(({ setting, ...rest }) => ({
    path: at(setting),
    ...rest,
  }));
  const quiet = shortestQuietMs(policy, isPulled);
  if (quiet < QUIET_MIN_MS && read.acceptShortQuiet === undefined) {
    found.push({
      path: at("quietFor"),
      found: `a quiet of ${describeMs(quiet)}`,
      allowed: `at least ${describeMs(QUIET_MIN_MS)}, or acceptShortQuiet with the reason why less is enough`,
    });
  }
  const why = needsIdleAtMost(read);
  if (why !== null && read.idleAtMost === undefined) {
    found.push({
      path: at("idleAtMost"),
      found: `nothing, in a profile ${why}`,
      allowed: 'the longest silence of a consumer that still lives, such as "28d"',
    });
  }
  if (read.pulls && !profile.destinations.some((destination) => destination.readsCustody)) {
    found.push({
      path: at("destinations"),
      found: "none that shows custody, in a profile that pulls",
      allowed: 'a destination of kind "secrets-manager" among them',
    });
  }
  return [...found, ...destinationRefusals(profile)];
}

/** Why the longest silence must be declared; null when it need not be. With one consumer last-used speaks for all of them. */
function needsIdleAtMost(read: ProfileRead): string | null {
  if (read.consumers > 1) return `with ${String(read.consumers)} consumers`;
  if (read.pulls) return "that pulls";
  if (read.adoption === "optional") return "with optional adoption";
  return null;
}

function destinationRefusals({ name, destinations }: WeighedProfile): Refusal[] {
  const found: Refusal[] = [];
  for (const [index, { name: own, slots }] of destinations.entries()) {
    const path = `profiles.${name}.destinations.${String(index)}`;
    const before = destinations.slice(0, index);
    if (before.some((other) => other.name === own)) {
      found.push({ path, found: `a second "${own}"`, allowed: "each destination once" });
      continue;
    }
    const shared = slots.find((slot) => before.some((other) => other.slots.includes(slot)));
    if (shared !== undefined) {
      found.push({ path, found: `"${shared}", taken twice`, allowed: "a place of its own" });
    }
  }
  return found;
}

/** A user that two profiles claim: its tag could then choose where its secret goes. */
export function sharedUsers(profiles: readonly WeighedProfile[]): Refusal[] {
  const found: Refusal[] = [];
  for (const [position, { name, read }] of profiles.entries()) {
    for (const [index, user] of read.users.entries()) {
      const other = profiles
        .slice(0, position)
        .find((before) => before.read.users.some((claimed) => overlap(claimed, user)));
      if (other === undefined) continue;
      found.push({
        path: `profiles.${name}.users.${String(index)}`,
        found: `"${user}", which profile ${other.name} serves too`,
        allowed: "each user in one profile",
      });
    }
  }
  return found;
}

/** IAM compares user names without case; paths are compared as they are written. */
function overlap(one: string, other: string): boolean {
  if (one.endsWith("/") && other.endsWith("/")) return one.startsWith(other) || other.startsWith(one);
  return one.toLowerCase() === other.toLowerCase();
}
