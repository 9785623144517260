import type { EventHistory, TrailEvent } from "../../cloud/event-history.ts";
import type { Regions } from "../../cloud/regions.ts";
import { asRotationError } from "../../rotation/errors.ts";
import type { Answer, Question, Sighting, Use } from "../../rotation/observation.ts";
import { days, instant, latest } from "../../rotation/time.ts";
import type { Instant } from "../../rotation/time.ts";
import type { Clock, EvidenceContext } from "../../rotation/world.ts";

/** How far back Event history reaches. */
const KEPT_MS = days(90);
const PAGE_SIZE_MAX = 50;
const USER_AGENT_LENGTH_MAX = 60;

type CloudTrailQuestion = Extract<Question, { readonly source: "cloudtrail" }>;
type CloudTrailAnswer = Extract<Answer, { readonly source: "cloudtrail" }>;

interface CloudTrailSources {
  readonly history: EventHistory;
  readonly regions: Regions;
  readonly clock: Clock;
  /** What the names of custody secrets begin with; the user's name follows. */
  readonly custodyPrefix: string;
}

interface RegionAnswer {
  readonly region: string;
  readonly use: Use;
  readonly handOverAt: Instant | null;
}

/**
 * The management events that a key signed, in every enabled Region but those left out by name. It never shows data
 * events, so that it may veto and never approve. One Region that could not be asked to the end makes it unknown,
 * unless another has seen a use.
 */
export async function askCloudTrail(
  sources: CloudTrailSources,
  question: CloudTrailQuestion,
  context: EvidenceContext,
): Promise<CloudTrailAnswer> {
  const { keyId, from } = question;
  const unasked = context.unaskedRegions;
  const answer = { source: "cloudtrail", keyId, from, regionsUnasked: unasked } as const;
  try {
    const enabled = await sources.regions.enabled();
    const asked = enabled.filter((region) => !Object.hasOwn(unasked, region));
    const window = windowOf(from, sources.clock.now());
    const answers = await Promise.all(
      asked.map((region) => askRegion(sources, { question, context, region, ...window })),
    );
    const handOverAt = latest(...answers.map((each) => each.handOverAt));
    return { ...answer, use: merge(answers, window), handOverAt, regionsAsked: asked };
  } catch (thrown) {
    const because = asRotationError(thrown, "asking CloudTrail").message;
    return { ...answer, use: { verdict: "unknown", because }, handOverAt: null, regionsAsked: [] };
  }
}

interface Window {
  readonly from: Instant;
  readonly to: Instant;
}

const windowOf = (from: Instant, now: Instant): Window => ({
  from: instant(Math.max(from, now - KEPT_MS)),
  to: now,
});

interface RegionQuestion extends Window {
  readonly question: CloudTrailQuestion;
  readonly context: EvidenceContext;
  readonly region: string;
}

/** Reads until the first event that is a use; before it, and apart from it, the newest hand-over. */
async function askRegion(
  { history, custodyPrefix }: CloudTrailSources,
  { question, context, region, from, to }: RegionQuestion,
): Promise<RegionAnswer> {
  const isApart = question.handOversApart;
  const custodyName = custodyPrefix + context.user;
  let handOverAt: Instant | null = null;
  try {
    const events = history.search({
      region,
      by: "AccessKeyId",
      value: question.keyId,
      from,
      pageSize: isApart ? PAGE_SIZE_MAX : 1,
    });
    for await (const event of events) {
      if (isApart && isHandOver(event, custodyName)) {
        handOverAt = latest(handOverAt, event.at);
        continue;
      }
      return { region, handOverAt, use: { verdict: "used", latest: sighting(event, region) } };
    }
    return { region, handOverAt, use: { verdict: "unused", from, to } };
  } catch (thrown) {
    const because = asRotationError(thrown, `asking CloudTrail in ${region}`).message;
    return { region, handOverAt, use: { verdict: "unknown", because } };
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

function sighting(event: TrailEvent, region: string): Sighting {
  const address = event.sourceAddress ?? "an unknown address";
  const agent = (event.userAgent ?? "an unknown agent").split(" ", 1)[0] ?? "";
  return {
    at: event.at,
    service: event.service,
    region,
    detail: `${event.name} from ${address} by ${agent.slice(0, USER_AGENT_LENGTH_MAX)}`,
  };
}

function merge(answers: readonly RegionAnswer[], window: Window): Use {
  const uses = answers.map(({ use }) => use);
  const used = uses
    .filter((use) => use.verdict === "used")
    .toSorted((one, other) => other.latest.at - one.latest.at)[0];
  if (used !== undefined) return used;
  const unknown = uses.find((use) => use.verdict === "unknown");
  if (unknown !== undefined) return unknown;
  if (answers.length === 0) return { verdict: "unknown", because: "no Region was asked" };
  return { verdict: "unused", ...window };
}
