import * as z from "zod";
import { DestinationOptions } from "../destinations/index.ts";
import type { Profile } from "../rotation/policy.ts";
import { Duration } from "./duration.ts";

/** A user name as IAM accepts it, or a path that begins and ends with a slash. Source: IAM API, CreateUser (UserName, Path). */
const USER = /^([\w+=,.@-]{1,64}|\/([\u0021-\u007E]{1,510}\/)?)$/;
const UserPattern = z.string().regex(USER, "an IAM user name, or a path that begins and ends with a slash");

const REGION = /^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/;
export const Region = z.string().regex(REGION, 'the name of an AWS Region, such as "us-east-1"');

const Reason = z
  .string()
  .trim()
  .regex(/^\S+(\s+\S+){2,}/, "the reason, as a sentence of three words or more");

/** A profile as `keyturn.config.ts` writes it. The defaults are here and nowhere else. */
export const ProfileInput = z.strictObject({
  /** The users that the profile may serve; the tag on a user only opts in. */
  users: z.array(UserPattern).min(1, "at least one user name or path"),
  destinations: z.array(DestinationOptions).min(1, "at least one destination"),
  /** How many machines or processes hold the pair. */
  consumers: z.int().min(1, "a whole number of 1 or more").default(1),
  /** The consumers fetch the new pair from custody with the pair they hold. */
  pulls: z.boolean().default(false),
  rotateAfter: Duration.prefault("75d"),
  deliverWithin: Duration.prefault("1d"),
  quietFor: Duration.prefault("10d"),
  /** The longest silence of a consumer that still lives. */
  idleAtMost: Duration.optional(),
  soakFor: Duration.prefault("7d"),
  maxAge: Duration.prefault("90d"),
  /** An exposed key is cut then, whatever stands in the way. */
  cutExposedWithin: Duration.prefault("1h"),
  cacheFor: Duration.prefault("1h"),
  /** How long code that began before a delivery may go on: five minutes, or the `max_delay` of Durable Objects. */
  drainFor: Duration.prefault("5min"),
  adopt: z.enum(["when-due", "at-once"]).default("when-due"),
  adoption: z.enum(["required", "optional"]).default("required"),
  /** The owner's word that no SMTP password was derived from the key. */
  smtp: z.literal("none").optional(),
  /** Where the consumers call AWS. */
  regions: z.array(Region).min(1, "at least one Region").default(["us-east-1"]),
  /** Regions whose CloudTrail is not asked, each with the reason. */
  unaskedRegions: z.record(Region, Reason).default({}),
  replicaRegions: z.array(Region).default([]),
  /** Why a quiet below 48 h is long enough for every consumer of this profile. */
  acceptShortQuiet: Reason.optional(),
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
    // Both begin with the delivery, and quiet begins after the longer.
    cacheForMs: Math.max(read.cacheFor, read.drainFor),
    adopt,
    adoption,
  };
  const given = { name, users, regions, unaskedRegions, replicaRegions, destinations };
  return { ...given, policy, isPulled: read.pulls, smtp: read.smtp ?? null };
}
