import {
  LookupEventsCommand,
  type Event,
  type LookupAttributeKey,
  type LookupEventsResponse,
} from "@aws-sdk/client-cloudtrail";
import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import { instant, type Instant, minutes } from "../rotation/time.ts";
import type { Clock } from "../rotation/world.ts";
import { perRegion, type Clients } from "./clients.ts";
import { createPace } from "./pace.ts";
import { readJson } from "./read-json.ts";
import { asking } from "./translate-error.ts";

/** So often one page is asked for in all, each time at the Region's own pace, which slows down meanwhile. */
const TRIES_MAX = 5;
/** With less time than this left of the run nothing is tried again: the other users' work comes first. */
const TIME_TO_TRY_AGAIN_MS = minutes(5);
/** At that pace a minute and more for one key in one Region; what is longer will not be told. */
const PAGES_MAX = 100;

/** A member that is missing or of another kind counts as an empty one: records differ from service to service. */
const Text = z.catch(z.nullable(z.string()), null);
const Members = z.catch(z.record(z.string(), z.unknown()), {});
const Principal = z.catch(z.optional(z.object({ arn: Text })), undefined);
const Session = z.catch(z.optional(z.object({ sessionIssuer: Principal })), undefined);
const TrailRecord = z.pipe(
  z.object({
    sourceIPAddress: Text,
    userAgent: Text,
    errorCode: Text,
    userIdentity: z.catch(z.optional(z.object({ arn: Text, sessionContext: Session })), undefined),
    requestParameters: Members,
    responseElements: Members,
  }),
  z.transform(({ sourceIPAddress: sourceAddress, userIdentity: { arn, sessionContext } = { arn: null }, ...more }) => {
    return { ...more, sourceAddress, principalArn: sessionContext?.sessionIssuer?.arn ?? arn };
  }),
);

/** One management event of CloudTrail, with the few of its fields that we use. */
export interface TrailEvent extends Readonly<z.infer<typeof TrailRecord>> {
  readonly name: string;
  readonly at: Instant;
  /** As the source spells it before the first dot: "secretsmanager". */
  readonly service: string;
}

interface Search {
  readonly region: string;
  readonly by: Extract<LookupAttributeKey, "AccessKeyId" | "EventName">;
  readonly value: string;
  readonly from: Instant;
  /** 1 to 50. Only as many as the asker will look at. */
  readonly pageSize: number;
}

/** Searches the management events of one Region, newest first, back to `from`. Throws rather than end early. */
export type SearchEvents = (search: Search) => AsyncGenerator<TrailEvent, void>;

/** Event history, at one pace a Region for all askers. */
export function createEventHistory(clients: Clients, clock: Clock, perSecond: number): SearchEvents {
  const paceIn = perRegion(() => createPace(clock, perSecond));
  /** The client asks once: what it repeated by itself would go beside the pace, and be throttled again. */
  async function lookUp(region: string, command: LookupEventsCommand, doing: string): Promise<LookupEventsResponse> {
    const pace = paceIn(region);
    for (let tried = 1; ; tried += 1) {
      await pace.turn();
      try {
        const answer = await asking(doing, clients.cloudtrailIn(region).send(command));
        pace.asBefore();
        return answer;
      } catch (thrown) {
        const { code } = thrown as RotationError;
        if (code === "Throttled") pace.slower();
        const isPassing = code === "Throttled" || code === "Unreachable";
        if (!isPassing || tried === TRIES_MAX || clock.remainingMs() < TIME_TO_TRY_AGAIN_MS) throw thrown;
      }
    }
  }
  return async function* ({ region, by, value, from, pageSize }) {
    const doing = `asking cloudtrail:LookupEvents in ${region} for ${value}`;
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
      const answer = await lookUp(region, command, doing);
      for (const event of answer.Events ?? []) yield parseEvent(event, doing);
      token = answer.NextToken;
      if (token === undefined) return;
    }
    throw new RotationError("LimitReached", `${doing}, more than ${String(PAGES_MAX)} pages`);
  };
}

function parseEvent({ EventTime, EventName, EventSource, CloudTrailEvent }: Event, doing: string): TrailEvent {
  if (EventTime === undefined || EventName === undefined) {
    throw new RotationError("Unreachable", `${doing}, an event has no name or time`);
  }
  const [service = "unknown"] = (EventSource ?? "unknown").split(".", 1);
  // An event whose record cannot be read is still an event: its name and time stand outside the record.
  const record = readJson(TrailRecord, CloudTrailEvent) ?? TrailRecord.parse({});
  return { ...record, name: EventName, at: instant(EventTime.getTime()), service };
}
