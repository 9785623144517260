import type { TrailEvent } from "../../cloud/event-history.ts";
import type { DerivedSession } from "../../rotation/observation.ts";
import { SESSION_MAX_MS } from "../../rotation/policy.ts";
import { hours, instant, type Instant, minutes, plus, seconds } from "../../rotation/time.ts";

/** The longest that each lasts. Source: STS API, AssumeRole, GetFederationToken and GetSessionToken (DurationSeconds). */
const LASTS_MAX_MS: Readonly<Record<string, number>> = {
  AssumeRole: hours(12),
  GetFederationToken: SESSION_MAX_MS,
  GetSessionToken: SESSION_MAX_MS,
};
/** How many are told of: those that end last. A client may make one a minute. */
const TOLD_MAX = 5;

/** The session that an event has made, which the key itself signed; null where it has made none. */
export function sessionOf({ service, name, errorCode, at, ...event }: TrailEvent): DerivedSession | null {
  const lastsMaxMs = service === "sts" && errorCode === null ? LASTS_MAX_MS[name] : undefined;
  if (lastsMaxMs === undefined) return null;
  const { credentials, assumedRoleUser, federatedUser } = event.responseElements;
  const asked = Number(event.requestParameters["durationSeconds"]);
  const lastsMs = asked > 0 ? Math.min(seconds(asked), lastsMaxMs) : lastsMaxMs;
  // A date that lies nowhere near is one in another spelling.
  const told = endIn(memberOf(credentials, "expiration"));
  const isLikely = told !== null && told > at && told <= plus(at, lastsMaxMs + minutes(5));
  const principal = memberOf(assumedRoleUser, "arn") ?? memberOf(federatedUser, "arn");
  return { event: name, at, endsAt: isLikely ? told : plus(at, lastsMs), principal };
}

/** Those that end last. */
export function lastEnding(sessions: readonly DerivedSession[]): readonly DerivedSession[] {
  return sessions.toSorted((one, other) => other.endsAt - one.endsAt).slice(0, TOLD_MAX);
}

/** STS writes "Jul 18, 2023, 4:07:39 PM", in UTC, where others write ISO 8601. Source: IAM User Guide, CloudTrail examples. */
function endIn(text: string | null): Instant | null {
  const epochMs = Date.parse(text?.endsWith("M") ? `${text} UTC` : (text ?? ""));
  return Number.isNaN(epochMs) ? null : instant(epochMs);
}

function memberOf(part: unknown, name: string): string | null {
  const value = (part as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  return typeof value === "string" ? value : null;
}
