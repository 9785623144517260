import * as z from "zod/mini";
import { DestinationOptions, drainMsOf } from "../destinations/index.ts";
import type { Profile } from "../rotation/policy.ts";
import { Duration } from "./duration.ts";
import { WindowInput } from "./window-input.ts";

/** A user name as IAM accepts it, or a path that begins and ends with a slash. Source: IAM API, CreateUser (UserName, Path). */
const USER = /^([\w+=,.@-]{1,64}|\/([\u0021-\u007E]{1,510}\/)?)$/;
const UserPattern = z.string().check(z.regex(USER, "an IAM user name, or a path that begins and ends with a slash"));

const REGION = /^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/;
export const Region = z.string().check(z.regex(REGION, 'the name of an AWS Region, such as "us-east-1"'));

const Reason = z
  .string()
  .check(z.trim(), z.regex(/^\S+(\s+\S+){2,}/, "the reason, as a sentence of three words or more"));

/** With "keyturn-" before it an application id, which has 50 characters at the most (AWS SDKs and Tools Reference Guide). */
const Reader = z
  .string()
  .check(z.regex(/^[\w.-]{1,42}$/, "a name of at most 42 letters, digits, dots, hyphens and underscores"));

/** A profile as `keyturn.config.ts` writes it. The defaults are here and nowhere else. */
export const ProfileInput = z.strictObject({
  /** The users that the profile may serve; the tag on a user only opts in. */
  users: z.array(UserPattern).check(z.minLength(1, "at least one user name or path")),
  destinations: z.array(DestinationOptions).check(z.minLength(1, "at least one destination")),
  /** How many machines or processes hold the pair. */
  consumers: z._default(z.int().check(z.minimum(1, "a whole number of 1 or more")), 1),
  /** The consumers fetch the new pair from custody with the pair they hold. */
  pulls: z._default(z.boolean(), false),
  /** A name for each of them, by which it signs ("app/keyturn-<name>" in its user agent). Without, a pull is a use. */
  readers: z._default(z.array(Reader), []),
  rotateAfter: z.prefault(Duration, "75d"),
  deliverWithin: z.prefault(Duration, "1d"),
  quietFor: z.prefault(Duration, "10d"),
  /** The longest silence of a consumer that still lives. */
  idleAtMost: z.optional(Duration),
  soakFor: z.prefault(Duration, "7d"),
  maxAge: z.prefault(Duration, "90d"),
  /** An exposed key is cut then, whatever stands in the way. */
  cutExposedWithin: z.prefault(Duration, "1h"),
  cacheFor: z.prefault(Duration, "1h"),
  /** How long code that began before a delivery may go on: five minutes, or the `max_delay` of Durable Objects. */
  drainFor: z.prefault(Duration, "5min"),
  adopt: z._default(z.enum(["when-due", "at-once"]), "when-due"),
  adoption: z._default(z.enum(["required", "optional"]), "required"),
  /** When the pair may be handed over, and the old key taken away: "Mon-Thu 09:00-16:00 Europe/Berlin". Default: always. */
  window: z.optional(WindowInput),
  /** The owner's word that no SMTP password was derived from the key. */
  smtp: z.optional(z.literal("none")),
  /** Where the consumers call AWS. */
  regions: z._default(z.array(Region).check(z.minLength(1, "at least one Region")), ["us-east-1"]),
  /** Regions whose CloudTrail is not asked, each with the reason. */
  unaskedRegions: z._default(z.record(Region, Reason), {}),
  replicaRegions: z._default(z.array(Region), []),
  /** Why a quiet below 48 h is long enough for every consumer of this profile. */
  acceptShortQuiet: z.optional(Reason),
});
export type ProfileInput = z.input<typeof ProfileInput>;

/** A profile that was read, before it was weighed. */
export type ProfileRead = z.output<typeof ProfileInput>;

/** A profile with its destinations: what `compose` builds adapters from. */
export interface ConfiguredProfile extends Profile {
  readonly destinations: readonly DestinationOptions[];
}

/** The profile in the program's own words, and with its units. */
export function profileOf(name: string, read: ProfileRead): ConfiguredProfile {
  const { users, adopt, adoption, regions, unaskedRegions, replicaRegions, destinations } = read;
  const policy = {
    rotateAfterMs: read.rotateAfter,
    deliverWithinMs: read.deliverWithin,
    quietForMs: read.quietFor,
    idleAtMostMs: read.idleAtMost ?? null,
    soakForMs: read.soakFor,
    maxAgeMs: read.maxAge,
    cutExposedWithinMs: read.cutExposedWithin,
    // All begin with the delivery, and quiet begins after the longest.
    cacheForMs: Math.max(read.cacheFor, read.drainFor, ...destinations.map(drainMsOf)),
    adopt,
    adoption,
    window: read.window ?? null,
  };
  const given = { name, users, regions, unaskedRegions, replicaRegions, destinations };
  return { ...given, policy, isPulled: read.pulls, readers: read.readers, smtp: read.smtp ?? null };
}
