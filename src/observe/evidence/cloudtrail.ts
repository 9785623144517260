import type { SearchEvents, TrailEvent } from "../../cloud/event-history.ts";
import type { EnabledRegions } from "../../cloud/regions.ts";
import { asRotationError } from "../../rotation/errors.ts";
import type { Answer, DerivedSession, Question, Sighting, Use } from "../../rotation/observation.ts";
import { SESSION_MAX_MS } from "../../rotation/policy.ts";
import { days, instant, latest, plus, type Instant } from "../../rotation/time.ts";
import type { Clock, EvidenceContext } from "../../rotation/world.ts";
import { lastEnding, sessionOf } from "./sessions.ts";

/** How far back Event history reaches. */
const KEPT_MS = days(90);
export const PAGE_SIZE_MAX = 50;
/** So many calls before the window are looked at for sessions. Not to know of one costs a day and a half at the most. */
const PAST_EVENTS_MAX = 500;
const USER_AGENT_LENGTH_MAX = 60;

type CloudTrailQuestion = Extract<Question, { readonly source: "cloudtrail" }>;
type CloudTrailAnswer = Extract<Answer, { readonly source: "cloudtrail" }>;

export interface CloudTrailSources {
  readonly search: SearchEvents;
  readonly enabledRegions: EnabledRegions;
  readonly clock: Clock;
  /** What the names of custody secrets begin with; the user's name follows. */
  readonly custodyPrefix: string;
}

type Window = { readonly from: Instant; readonly to: Instant };
/** What is asked of every Region. Without hand-overs apart there is no custody, and each read is a use like any other. */
interface RegionQuestion extends Pick<CloudTrailAnswer, "keyId" | "sessionsFrom"> {
  readonly window: Window;
  readonly custody: ReadCustody | null;
}
type RegionAnswer = Pick<CloudTrailAnswer, "use" | "handOverAt" | "sessions" | "sessionsFrom">;

/** The instant from which Event history can answer a question. */
export const startOfWindow = (from: Instant, now: Instant): Instant => instant(Math.max(from, now - KEPT_MS));

/**
 * The management events that a key signed, in every enabled Region but those left out by name. It never shows data
 * events, so that it may veto and never approve. One Region that could not be asked to the end makes it unknown,
 * unless another has seen a use.
 */
export async function askCloudTrail(
  { search, enabledRegions, clock, custodyPrefix }: CloudTrailSources,
  { keyId, from, handOversApart, sessionsFrom = null }: CloudTrailQuestion,
  { user, unaskedRegions: regionsUnasked, readers = [] }: EvidenceContext,
): Promise<CloudTrailAnswer> {
  const answer = { source: "cloudtrail", keyId, from, regionsUnasked } as const;
  try {
    const enabled = await enabledRegions();
    const regionsAsked = enabled.filter((region) => !Object.hasOwn(regionsUnasked, region));
    const now = clock.now();
    const window = { from: startOfWindow(from, now), to: now };
    const custody = handOversApart ? { name: custodyPrefix + user, readers } : null;
    const question = { keyId, window, custody, sessionsFrom };
    const answers = await Promise.all(regionsAsked.map((region) => askRegion(search, region, question)));
    const handOverAt = latest(...answers.map((each) => each.handOverAt));
    const sessions = lastEnding(answers.flatMap((each) => each.sessions));
    const looked = {
      sessions,
      sessionsFrom: answers.every((each) => each.sessionsFrom !== null) ? sessionsFrom : null,
    };
    return { ...answer, use: merge(answers) ?? { verdict: "unused", ...window }, handOverAt, ...looked, regionsAsked };
  } catch (thrown) {
    const because = asRotationError(thrown, "asking CloudTrail").message;
    const use = { verdict: "unknown", because } as const;
    return { ...answer, use, handOverAt: null, sessions: [], sessionsFrom, regionsAsked: [] };
  }
}

/**
 * Reads until the first event that is a use; before it, and apart from it, the newest hand-over. Where sessions are asked
 * for, it then reads on to where they begin: each of them was made by an event of the key's own.
 */
async function askRegion(search: SearchEvents, region: string, question: RegionQuestion): Promise<RegionAnswer> {
  const { keyId: value, window, custody, sessionsFrom } = question;
  const pageSize = custody === null && sessionsFrom === null ? 1 : PAGE_SIZE_MAX;
  const sessions: DerivedSession[] = [];
  let handOverAt: Instant | null = null;
  let use: Use = { verdict: "unused", ...window };
  const from = sessionsFrom ?? window.from;
  let past = 0;
  try {
    for await (const event of search({ region, by: "AccessKeyId", value, from, pageSize })) {
      sessions.push(...[sessionOf(event)].filter((session) => session !== null));
      // Events are dated in whole seconds: one of the very second in which the window begins is in it.
      if (event.at < window.from - (window.from % 1_000)) past += 1;
      if (past > PAST_EVENTS_MAX) return { handOverAt, use, sessions: [longestBefore(window.from)], sessionsFrom };
      if (past > 0) continue;
      if (custody !== null && isHandOver(event, custody)) handOverAt = latest(handOverAt, event.at);
      else if (use.verdict === "unused") use = { verdict: "used", latest: sighting(event, region) };
      // A use within the window moves the silence, and so the time in which a session can matter.
      if (use.verdict === "used" && (sessionsFrom === null || event.at > window.from)) {
        return { handOverAt, use, sessions, sessionsFrom: null };
      }
    }
    return { handOverAt, use, sessions, sessionsFrom };
  } catch (thrown) {
    const because = asRotationError(thrown, `asking CloudTrail in ${region}`).message;
    return { handOverAt, use: { verdict: "unknown", because }, sessions: [], sessionsFrom };
  }
}

/** What may have been made before an instant, by one of the calls that nobody has looked at. */
function longestBefore(at: Instant): DerivedSession {
  return { event: "one of too many calls", at, endsAt: plus(at, SESSION_MAX_MS), principal: null };
}

/** A user's custody secret, and who of those that hold the pair say who they are. */
interface ReadCustody {
  readonly name: string;
  readonly readers: readonly string[];
}

/**
 * A read of the user's own custody by a named reader. By anybody else it is a use like any other: then somebody holds the
 * pair whom the profile does not know.
 */
export function isHandOver(event: TrailEvent, { name, readers }: ReadCustody): boolean {
  return readers.includes(readerOf(event) ?? "") && isCustodyRead(event, name);
}

/** A read of a custody secret, by its name or by its ARN, which ends in six characters more. */
export function isCustodyRead(event: TrailEvent, custodyName: string): boolean {
  if (event.service !== "secretsmanager" || event.name !== "GetSecretValue") return false;
  const secretId = event.requestParameters["secretId"];
  if (typeof secretId !== "string" || event.errorCode !== null) return false;
  if (secretId === custodyName) return true;
  const [name = "", ...more] = secretId.split(":").slice(6);
  const isArn = secretId.startsWith("arn:") && more.length === 0;
  return isArn && name.startsWith(`${custodyName}-`) && name.length === custodyName.length + 7;
}

function sighting(event: TrailEvent, region: string): Sighting {
  const { at, service, name } = event;
  return { at, service, region, detail: `${name} from ${addressOf(event)} by ${agentOf(event)}` };
}

export const addressOf = ({ sourceAddress }: TrailEvent): string => sourceAddress ?? "an unknown address";

/** What a user agent calls itself first: "aws-cli/2.15.0". */
export function agentOf({ userAgent }: TrailEvent): string {
  if (userAgent === null || userAgent === "") return "an unknown agent";
  return (userAgent.split(" ", 1)[0] ?? "").slice(0, USER_AGENT_LENGTH_MAX);
}

/**
 * Who of the readers made a call: AWS SDKs and CLIs put "app/<id>" into the user agent, and a reader's id is its name after
 * "keyturn-" (AWS SDKs and Tools Reference Guide, application ID). Null for everybody else.
 */
export function readerOf({ userAgent }: Pick<TrailEvent, "userAgent">): string | null {
  return /(?:^| )app\/keyturn-(\S+)/.exec(userAgent ?? "")?.[1] ?? null;
}

/** The latest use, or why there may be one; null when every Region was asked and saw none. */
function merge(answers: readonly RegionAnswer[]): Use | null {
  if (answers.length === 0) return { verdict: "unknown", because: "no Region was asked" };
  const uses = answers.map(({ use }) => use);
  const [used] = uses.filter((use) => use.verdict === "used").toSorted((one, other) => other.latest.at - one.latest.at);
  return used ?? uses.find((use) => use.verdict === "unknown") ?? null;
}
