import type { SearchEvents, TrailEvent } from "../../cloud/event-history.ts";
import type { EnabledRegions } from "../../cloud/regions.ts";
import { asRotationError } from "../../rotation/errors.ts";
import type { Answer, Question, Sighting, Use } from "../../rotation/observation.ts";
import { days, instant, latest, type Instant } from "../../rotation/time.ts";
import type { Clock, EvidenceContext } from "../../rotation/world.ts";

/** How far back Event history reaches. */
const KEPT_MS = days(90);
const PAGE_SIZE_MAX = 50;
const USER_AGENT_LENGTH_MAX = 60;

type CloudTrailQuestion = Extract<Question, { readonly source: "cloudtrail" }>;
type CloudTrailAnswer = Extract<Answer, { readonly source: "cloudtrail" }>;

interface CloudTrailSources {
  readonly search: SearchEvents;
  readonly enabledRegions: EnabledRegions;
  readonly clock: Clock;
  /** What the names of custody secrets begin with; the user's name follows. */
  readonly custodyPrefix: string;
}

type Window = { readonly from: Instant; readonly to: Instant };
/** What is asked of every Region. Reads of the custody named are hand-overs; with null they are uses like any other. */
type RegionQuestion = { readonly keyId: string; readonly window: Window; readonly custodyName: string | null };
type RegionAnswer = Pick<CloudTrailAnswer, "use" | "handOverAt">;

/** The instant from which Event history can answer a question. */
export const startOfWindow = (from: Instant, now: Instant): Instant => instant(Math.max(from, now - KEPT_MS));

/**
 * The management events that a key signed, in every enabled Region but those left out by name. It never shows data
 * events, so that it may veto and never approve. One Region that could not be asked to the end makes it unknown,
 * unless another has seen a use.
 */
export async function askCloudTrail(
  { search, enabledRegions, clock, custodyPrefix }: CloudTrailSources,
  { keyId, from, handOversApart }: CloudTrailQuestion,
  { user, unaskedRegions: regionsUnasked }: EvidenceContext,
): Promise<CloudTrailAnswer> {
  const answer = { source: "cloudtrail", keyId, from, regionsUnasked } as const;
  try {
    const enabled = await enabledRegions();
    const regionsAsked = enabled.filter((region) => !Object.hasOwn(regionsUnasked, region));
    const now = clock.now();
    const window = { from: startOfWindow(from, now), to: now };
    const question = { keyId, window, custodyName: handOversApart ? custodyPrefix + user : null };
    const answers = await Promise.all(regionsAsked.map((region) => askRegion(search, region, question)));
    const handOverAt = latest(...answers.map((each) => each.handOverAt));
    return { ...answer, use: merge(answers) ?? { verdict: "unused", ...window }, handOverAt, regionsAsked };
  } catch (thrown) {
    const because = asRotationError(thrown, "asking CloudTrail").message;
    return { ...answer, use: { verdict: "unknown", because }, handOverAt: null, regionsAsked: [] };
  }
}

/** Reads until the first event that is a use; before it, and apart from it, the newest hand-over. */
async function askRegion(search: SearchEvents, region: string, question: RegionQuestion): Promise<RegionAnswer> {
  const { keyId, window, custodyName } = question;
  const pageSize = custodyName === null ? 1 : PAGE_SIZE_MAX;
  let handOverAt: Instant | null = null;
  try {
    for await (const event of search({ region, by: "AccessKeyId", value: keyId, from: window.from, pageSize })) {
      if (custodyName === null || !isHandOver(event, custodyName)) {
        return { handOverAt, use: { verdict: "used", latest: sighting(event, region) } };
      }
      handOverAt = latest(handOverAt, event.at);
    }
    return { handOverAt, use: { verdict: "unused", ...window } };
  } catch (thrown) {
    const because = asRotationError(thrown, `asking CloudTrail in ${region}`).message;
    return { handOverAt, use: { verdict: "unknown", because } };
  }
}

/** A read of the user's own custody, by the secret's name or by its ARN, which ends in six characters more. */
export function isHandOver(event: TrailEvent, custodyName: string): boolean {
  if (event.service !== "secretsmanager" || event.name !== "GetSecretValue") return false;
  const secretId = event.requestParameters["secretId"];
  if (typeof secretId !== "string" || event.errorCode !== null) return false;
  if (secretId === custodyName) return true;
  const [name = "", ...more] = secretId.split(":").slice(6);
  const isArn = secretId.startsWith("arn:") && more.length === 0;
  return isArn && name.startsWith(`${custodyName}-`) && name.length === custodyName.length + 7;
}

function sighting({ at, service, name, sourceAddress, userAgent }: TrailEvent, region: string): Sighting {
  const [agent = ""] = (userAgent ?? "an unknown agent").split(" ", 1);
  const by = agent.slice(0, USER_AGENT_LENGTH_MAX);
  return { at, service, region, detail: `${name} from ${sourceAddress ?? "an unknown address"} by ${by}` };
}

/** The latest use, or why there may be one; null when every Region was asked and saw none. */
function merge(answers: readonly RegionAnswer[]): Use | null {
  if (answers.length === 0) return { verdict: "unknown", because: "no Region was asked" };
  const uses = answers.map(({ use }) => use);
  const [used] = uses.filter((use) => use.verdict === "used").toSorted((one, other) => other.latest.at - one.latest.at);
  return used ?? uses.find((use) => use.verdict === "unknown") ?? null;
}
