import { LookupEventsCommand } from "@aws-sdk/client-cloudtrail";
import type { Event, LookupAttributeKey } from "@aws-sdk/client-cloudtrail";
import { RotationError } from "../rotation/errors.ts";
import { instant } from "../rotation/time.ts";
import type { Instant } from "../rotation/time.ts";
import type { Clock } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import { createPace } from "./pace.ts";
import type { Pace } from "./pace.ts";
import { asking } from "./translate-error.ts";

/** Below the two requests a second and Region that all callers of the account share. */
const LOOKUPS_PER_SECOND = 1.5;
/** At the pace above, a minute and more for one key in one Region; what is longer will not be told. */
const PAGES_MAX = 100;

/** One management event of CloudTrail, with the few of its fields that we use. */
export interface TrailEvent {
  readonly name: string;
  readonly at: Instant;
  /** As the source spells it before the first dot: "secretsmanager". */
  readonly service: string;
  readonly sourceAddress: string | null;
  readonly userAgent: string | null;
  readonly errorCode: string | null;
  /** The role behind a session, or whoever signed. */
  readonly principalArn: string | null;
  readonly requestParameters: Readonly<Record<string, unknown>>;
  readonly responseElements: Readonly<Record<string, unknown>>;
}

interface Search {
  readonly region: string;
  readonly by: Extract<LookupAttributeKey, "AccessKeyId" | "EventName">;
  readonly value: string;
  readonly from: Instant;
  /** 1 to 50. Only as many as the asker will look at. */
  readonly pageSize: number;
}

/** CloudTrail's Event history: management events of the last 90 days, Region by Region. */
export interface EventHistory {
  /** From now back to `from`, newest first. Throws, rather than end early, for whatever went wrong; one pace a Region for all askers. */
  search(search: Search): AsyncGenerator<TrailEvent, void>;
}

interface EventHistoryOptions {
  readonly clock: Pick<Clock, "sleep">;
  /** Requests a second in each Region. */
  readonly lookupsPerSecond?: number;
}

export function createEventHistory(
  clients: Clients,
  { clock, lookupsPerSecond = LOOKUPS_PER_SECOND }: EventHistoryOptions,
): EventHistory {
  const paces = new Map<string, Pace>();
  const paceOf = (region: string): Pace => {
    const pace = paces.get(region) ?? createPace(clock, lookupsPerSecond);
    paces.set(region, pace);
    return pace;
  };
  return { search: (search) => searchEvents(clients, search, paceOf(search.region)) };
}

async function* searchEvents(clients: Clients, search: Search, pace: Pace): AsyncGenerator<TrailEvent, void> {
  const { region, by, value, from, pageSize } = search;
  const doing = `searching CloudTrail in ${region} for ${value}`;
  let token: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    // A token is good only with the very parameters that it was given for.
    const command = new LookupEventsCommand({
      LookupAttributes: [{ AttributeKey: by, AttributeValue: value }],
      // Events are dated in whole seconds: one of the very second in which the window begins must be in it.
      StartTime: new Date(Math.floor(from / 1_000) * 1_000),
      MaxResults: pageSize,
      NextToken: token,
    });
    await pace();
    const answer = await asking(doing, clients.cloudtrailIn(region).send(command));
    for (const event of answer.Events ?? []) yield parseEvent(event, doing);
    token = answer.NextToken;
    if (token === undefined) return;
  }
  throw new RotationError("LimitReached", `${doing}, more than ${String(PAGES_MAX)} pages`);
}

function parseEvent(event: Event, doing: string): TrailEvent {
  const record = asObject(parseJson(event.CloudTrailEvent));
  if (event.EventTime === undefined || event.EventName === undefined) {
    throw new RotationError("Unreachable", `${doing}, an event has no name or time`);
  }
  const identity = asObject(record["userIdentity"]);
  const issuer = asObject(asObject(identity["sessionContext"])["sessionIssuer"]);
  return {
    name: event.EventName,
    at: instant(event.EventTime.getTime()),
    service: (event.EventSource ?? "unknown").split(".", 1)[0] ?? "unknown",
    sourceAddress: asText(record["sourceIPAddress"]),
    userAgent: asText(record["userAgent"]),
    errorCode: asText(record["errorCode"]),
    principalArn: asText(issuer["arn"]) ?? asText(identity["arn"]),
    requestParameters: asObject(record["requestParameters"]),
    responseElements: asObject(record["responseElements"]),
  };
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    // An event whose record cannot be read is still an event: its name and time stand outside the record.
    return null;
  }
}

/** A member that is no object counts as an empty one: records differ from service to service. */
export const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

const asText = (value: unknown): string | null => (typeof value === "string" ? value : null);
