import type { IamUser, UserName } from "../rotation/keys.ts";
import type { BarredReason, Standing } from "../rotation/observation.ts";
import type { Profile } from "../rotation/policy.ts";
import type { Destinations } from "../rotation/world.ts";

export const HOLD_TAG = "keyturn-hold";
/** The enrolment tags of all stages; IAM compares tag keys without case, and `IamUser.tags` has them in lower case. */
const ENROLMENT_TAG = /^keyturn(?:-(?!(?:hold|owner)$).+)?$/;

/** The tags by which people tell us something, in one spelling: another text means that somebody told something else. */
export function wordOf({ tags }: IamUser): string {
  const ours = Object.entries(tags).filter(([key]) => key.startsWith("keyturn"));
  return JSON.stringify(ours.toSorted(([one], [other]) => one.localeCompare(other)));
}

type Barred = NonNullable<Standing["barred"]>;

/** What a sweep knows of all users, and needs to tell whether one of them is ours to touch. */
export interface Census {
  readonly profiles: Readonly<Record<string, Profile>>;
  readonly enrolmentTag: string;
  /** By slot of a destination: the enrolled users that resolve to it. */
  readonly slots: ReadonlyMap<string, readonly UserName[]>;
}

/** Which users share which destination slots. Users that may not be served anyway take no slot. */
export function takeCensus(
  users: readonly IamUser[],
  options: Pick<Census, "profiles" | "enrolmentTag"> & { readonly destinations: Destinations },
): Census {
  const slots = new Map<string, UserName[]>();
  for (const user of users) {
    const profile = options.profiles[user.tags[options.enrolmentTag] ?? ""];
    if (profile === undefined || !isServedBy(profile, user)) continue;
    for (const slot of options.destinations.of(profile.name).flatMap((found) => found.slots)) {
      slots.set(slot, [...(slots.get(slot) ?? []), user.name]);
    }
  }
  return { profiles: options.profiles, enrolmentTag: options.enrolmentTag, slots };
}

const barredBy = (reason: BarredReason, because: string): Barred => ({ reason, because });

/** Whether a user is enrolled here, and if nothing may be done to it, why. */
export function standingOf(user: IamUser | null, census: Census, destinations: Destinations): Standing {
  if (user === null) return { profile: null, barred: barredBy("NotEnrolled", "there is no such user any more") };
  const profile = user.tags[census.enrolmentTag] ?? null;
  const slots = destinations.of(profile ?? "").flatMap((found) => found.slots);
  const barred =
    notEnrolled(user, census, profile) ??
    wrongProfile(user, census, profile ?? "") ??
    held(user) ??
    slotShared(user, census, slots);
  return { profile, barred };
}

function notEnrolled(user: IamUser, { enrolmentTag }: Census, profile: string | null): Barred | null {
  const tags = Object.keys(user.tags).filter((key) => ENROLMENT_TAG.test(key));
  if (tags.length > 1) return barredBy("TwoEnrolments", `the user bears ${tags.toSorted().join(" and ")}`);
  return profile === null ? barredBy("NotEnrolled", `the user has no tag ${enrolmentTag}`) : null;
}

function wrongProfile(user: IamUser, { profiles, enrolmentTag }: Census, name: string): Barred | null {
  const profile = profiles[name];
  if (profile === undefined) {
    const known = Object.keys(profiles).join(", ");
    return barredBy("UnknownProfile", `the tag ${enrolmentTag} says "${name}", and the profiles are ${known}`);
  }
  if (isServedBy(profile, user)) return null;
  const served = profile.users.join(", ");
  return barredBy("NotServedByProfile", `the profile ${name} may serve ${served}, and not this user`);
}

/** By exact name, or by a path that ends in a slash. */
function isServedBy(profile: Profile, user: IamUser): boolean {
  return profile.users.some((entry) => (entry.endsWith("/") ? user.path.startsWith(entry) : entry === user.name));
}

function held(user: IamUser): Barred | null {
  const reason = user.tags[HOLD_TAG];
  if (reason === undefined) return null;
  return barredBy("HeldByOperator", `an operator holds the user: ${reason || "no reason given"}`);
}

function slotShared(user: IamUser, census: Census, slots: readonly string[]): Barred | null {
  for (const slot of slots) {
    const others = (census.slots.get(slot) ?? []).filter((name) => name !== user.name);
    if (others.length > 0) return barredBy("SlotShared", `${slot} is also the destination of ${others.join(", ")}`);
  }
  return null;
}
