import type { Window } from "./window.ts";

/** When and how long, all in milliseconds. `docs/architecture.md` shows the defaults on a time line. */
export interface RotationPolicy {
  /** Age at which the current key is due. */
  readonly rotateAfterMs: number;
  /** From the day the key is due to the day its replacement should be everywhere; then an alert. */
  readonly deliverWithinMs: number;
  /** How long the old key must have been silent. */
  readonly quietForMs: number;
  /** The longest silence of a consumer that still lives; null where none was declared. */
  readonly idleAtMostMs: number | null;
  /** How long a key is Inactive before it is deleted. */
  readonly soakForMs: number;
  /** No key outlives this unnoticed. */
  readonly maxAgeMs: number;
  /** An exposed key is cut then, whatever stands in the way. */
  readonly cutExposedWithinMs: number;
  /** How long readers of custody may keep a pair in a cache. */
  readonly cacheForMs: number;
  /** Whether a hand-made key is replaced when it is due, or at once. */
  readonly adopt: "when-due" | "at-once";
  /** Whether the replacement must be seen in use by somebody else before the old key goes. */
  readonly adoption: "required" | "optional";
  /** When delivering, promoting and deactivating may happen; null: always. */
  readonly window: Window | null;
}

/** One kind of user: whom it may serve, where its pair goes, and its policy. */
export interface Profile {
  readonly name: string;
  /** The users this profile may serve, by exact name or by a path that ends in a slash. */
  readonly users: readonly string[];
  readonly policy: RotationPolicy;
  /** The consumers read custody with the very pair they hold (laptops, CI), so that a read of it is no other use. */
  readonly isPulled: boolean;
  /** By what names they sign, where they pull and name themselves: each that holds the pair has one of its own. */
  readonly readers: readonly string[];
  /** The owner's word that no SMTP password was derived from the key; null where it was not given. */
  readonly smtp: "none" | null;
  /** Regions in which the consumers call, and in which a new pair must therefore answer. At least one. */
  readonly regions: readonly string[];
  /** Regions whose CloudTrail is not asked, each with the reason why not. */
  readonly unaskedRegions: Readonly<Record<string, string>>;
  /** Regions to which custody is replicated. */
  readonly replicaRegions: readonly string[];
}

/** The lag that last-used figures must be given (facts: the sibling feature says "usually within four hours"). */
export const LAST_USED_LAG_MS = 4 * 3_600_000;
/** Uses within this span are reported as the first of them. */
export const LAST_USED_COLLAPSE_MS = 15 * 60_000;
/** The longest life of temporary credentials that a key can make (STS API, GetSessionToken and GetFederationToken). */
export const SESSION_MAX_MS = 36 * 3_600_000;

/** Quiet: how long an old key must be silent before it may go, by the profile's declared rhythm. */
export function quietMs(policy: RotationPolicy): number {
  return Math.max(policy.quietForMs, policy.idleAtMostMs ?? 0);
}
