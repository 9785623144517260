import { ServiceError } from "./call.ts";
import type { CloudAnswer } from "./call.ts";
import { secondsDate } from "./caller.ts";
import type { Operations, Received } from "./caller.ts";
import { eventRegion, isManagementEvent } from "./event-kind.ts";
import type { Lags } from "./iam-state.ts";
import { optionalNumber, optionalText, structures, text } from "./input.ts";
import { uuid } from "./random.ts";
import type { SeededRandom } from "./random.ts";

const KEPT_MS = 90 * 86_400_000;
const PAGE_MAX = 50;
const CALLS_A_SECOND_MAX = 2;
/** Never written to an event (Secrets Manager API; of a parameter, `HIDDEN_DUE_TO_SECURITY_REASONS` stands there). */
const WITHHELD = new Set(["SecretString", "SecretBinary", "RotationToken", "Value"]);

interface TrailEvent {
  readonly id: string;
  readonly atMs: number;
  readonly received: Received;
  readonly answer: CloudAnswer | null;
  readonly errorCode: string | null;
}

/**
 * Event history of every Region: management events only, of requests that were authenticated; late; 90 days; newest
 * first; two requests a second in each Region (CloudTrail API).
 */
export class CloudTrail {
  /** Whether the limit of two requests a second holds. */
  isThrottling = true;
  /** Whether a page that matches nothing comes with a token, before the one that has the events. */
  hasEmptyPages = false;
  /**
   * Whether a window that begins within a second leaves out the events of that second, which are dated at its beginning.
   * Nothing says how StartTime is compared; this is the worse reading.
   */
  hasExactStart = false;
  /** What else must be so for a call to be kept: a simulation of months keeps what is ever looked up. Null keeps all. */
  isOfInterest: ((received: Received) => boolean) | null = null;
  readonly operations: Operations;
  readonly #account: string;
  readonly #random: SeededRandom;
  readonly #lags: Lags;
  /** Events by Region, and once more by Region and those attributes that are asked for often. */
  readonly #events = new Map<string, TrailEvent[]>();
  readonly #lookups = new Map<string, number[]>();

  constructor(account: string, random: SeededRandom, lags: Lags) {
    this.#account = account;
    this.#random = random;
    this.#lags = lags;
    this.operations = { LookupEvents: (received) => this.#lookupEvents(received) };
  }

  /** Keeps what happened, if it is of the kind that Event history shows. */
  record(received: Received, answer: CloudAnswer | null, errorCode: string | null): void {
    if (!isManagementEvent(received.service, received.operation)) return;
    if (this.isOfInterest !== null && !this.isOfInterest(received)) return;
    const region = eventRegion(received.service, received.region);
    const event: TrailEvent = {
      id: uuid(this.#random),
      atMs: received.nowMs,
      received,
      answer,
      errorCode,
    };
    this.#keep(region, event);
    this.#keep(indexOf(region, "AccessKeyId", received.caller.keyId), event);
    this.#keep(indexOf(region, "EventName", received.operation), event);
  }

  /** Adds to a list, and lets go of what is past its time there. */
  #keep(list: string, event: TrailEvent): void {
    const events = this.#events.get(list) ?? [];
    this.#events.set(list, events);
    events.push(event);
    const kept = events.findIndex(({ atMs }) => atMs >= event.atMs - KEPT_MS);
    if (kept > 100) events.splice(0, kept);
  }

  /** The events of a Region, oldest first; fewer where the attribute has a list of its own. */
  #candidates(region: string, input: Readonly<Record<string, unknown>>): readonly TrailEvent[] {
    const [attribute] = structures(input, "LookupAttributes");
    const key = attribute?.["AttributeKey"];
    const isListed = key === "AccessKeyId" || key === "EventName";
    const list = isListed ? indexOf(region, key, attribute?.["AttributeValue"]) : region;
    return this.#events.get(list) ?? [];
  }

  #lookupEvents(received: Received): CloudAnswer {
    const { input, nowMs, region } = received;
    this.#throttle(region, nowMs);
    const matches = attributeOf(input);
    const start = optionalNumber(input, "StartTime") ?? 0;
    const from = this.hasExactStart ? start : secondsDate(start).getTime();
    const to = optionalNumber(input, "EndTime") ?? nowMs;
    const size = pageSize(input);
    const offset = startOf(input);
    const found = this.#candidates(region, input)
      .filter(({ atMs }) => atMs + this.#lags.cloudTrailMs <= nowMs && atMs >= nowMs - KEPT_MS)
      .map((event) => ({ event, eventMs: secondsDate(event.atMs).getTime() }))
      .filter(({ event, eventMs }) => eventMs >= from && eventMs <= to && matches(event))
      .map(({ event }) => event)
      .reverse();
    const isEmptyPage = this.hasEmptyPages && offset === null;
    const skipped = offset ?? 0;
    const events = isEmptyPage ? [] : found.slice(skipped, skipped + size);
    const next = skipped + events.length;
    const hasMore = isEmptyPage || next < found.length;
    return {
      Events: events.map((event) => this.#answer(event)),
      ...(hasMore ? { NextToken: tokenOf(next, input) } : {}),
    };
  }

  #throttle(region: string, nowMs: number): void {
    const recent = (this.#lookups.get(region) ?? []).filter((atMs) => atMs > nowMs - 1_000);
    if (this.isThrottling && recent.length >= CALLS_A_SECOND_MAX) {
      throw new ServiceError("ThrottlingException", "Rate exceeded");
    }
    this.#lookups.set(region, [...recent, nowMs]);
  }

  #answer(event: TrailEvent): CloudAnswer {
    const { service, operation, caller } = event.received;
    return {
      EventId: event.id,
      EventName: operation,
      ReadOnly: String(isReadOnly(operation)),
      AccessKeyId: caller.keyId,
      EventTime: secondsDate(event.atMs),
      EventSource: `${service}.amazonaws.com`,
      Username: caller.name,
      Resources: resourcesOf(event).map(([ResourceType, ResourceName]) => ({
        ResourceType,
        ResourceName,
      })),
      CloudTrailEvent: JSON.stringify(this.#recordOf(event)),
    };
  }

  /** The record as a trail would deliver it. */
  #recordOf(event: TrailEvent): Readonly<Record<string, unknown>> {
    const { service, operation, caller, input, sourceAddress, userAgent, region } = event.received;
    return {
      eventVersion: "1.11",
      userIdentity: identityOf(caller, this.#account, event.atMs),
      eventTime: spelled(event.atMs),
      eventSource: `${service}.amazonaws.com`,
      eventName: operation,
      awsRegion: eventRegion(service, region),
      sourceIPAddress: sourceAddress,
      userAgent,
      ...(event.errorCode === null ? {} : { errorCode: event.errorCode }),
      requestParameters: parametersOf(input),
      responseElements: event.answer === null ? null : elementsOf(operation, event.answer),
      requestID: event.id,
      eventID: event.id,
      readOnly: isReadOnly(operation),
      eventType: "AwsApiCall",
      managementEvent: true,
      recipientAccountId: this.#account,
      eventCategory: "Management",
    };
  }
}

const indexOf = (region: string, key: string, value: unknown): string => `${region} ${key} ${String(value)}`;

const isReadOnly = (operation: string): boolean => /^(Get|List|Describe|Lookup|Head|Search|Filter)/.test(operation);

/** ISO 8601 to the second. */
const spelled = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`;

const camel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

function parametersOf(input: Readonly<Record<string, unknown>>): Record<string, unknown> | null {
  const kept = Object.entries(input).filter(([name]) => !WITHHELD.has(name));
  return kept.length === 0 ? null : Object.fromEntries(kept.map(([name, value]) => [camel(name), value]));
}

/** Only the answers whose record matters to us, and never the secret. */
function elementsOf(operation: string, answer: CloudAnswer): Readonly<Record<string, unknown>> | null {
  if (answer["Credentials"] !== undefined) return sessionElements(answer);
  if (operation !== "CreateAccessKey") return null;
  const key = answer["AccessKey"] as Readonly<Record<string, unknown>>;
  const created = key["CreateDate"] as Date;
  return {
    accessKey: {
      accessKeyId: key["AccessKeyId"],
      status: key["Status"],
      userName: key["UserName"],
      createDate: spelled(created.getTime()),
    },
  };
}

/** STS's answer without its secrets. It spells the end as people do (IAM User Guide, CloudTrail examples). */
function sessionElements(answer: CloudAnswer): Readonly<Record<string, unknown>> {
  const made = answer["Credentials"] as Readonly<Record<string, unknown>>;
  const end = (made["Expiration"] as Date).toLocaleString("en-US", {
    timeZone: "UTC",
    dateStyle: "medium",
    timeStyle: "medium",
  });
  const credentials = { accessKeyId: made["AccessKeyId"], sessionToken: "(withheld)", expiration: end };
  const who = Object.entries(answer).filter(([name]) => name !== "Credentials");
  const spelled = who.map(([name, value]) => [camel(name), camelMembers(value)]);
  return { credentials, ...Object.fromEntries(spelled) };
}

const camelMembers = (part: unknown): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(part as object).map(([name, value]) => [camel(name), value]));

function identityOf(caller: Received["caller"], accountId: string, atMs: number): Readonly<Record<string, unknown>> {
  const common = {
    principalId: caller.uniqueId,
    arn: caller.arn,
    accountId,
    accessKeyId: caller.keyId,
  };
  if (caller.role === null) return { type: "IAMUser", ...common, userName: caller.name };
  return {
    type: "AssumedRole",
    ...common,
    sessionContext: {
      sessionIssuer: {
        type: "Role",
        principalId: caller.role.uniqueId,
        arn: caller.role.arn,
        accountId,
        userName: caller.role.name,
      },
      attributes: { creationDate: spelled(atMs), mfaAuthenticated: "false" },
    },
  };
}

function resourcesOf({ received, answer }: TrailEvent): [string, string][] {
  const { service, input } = received;
  const created = answer?.["AccessKey"] as Readonly<Record<string, unknown>> | undefined;
  const keyId = created?.["AccessKeyId"] ?? input["AccessKeyId"];
  const found: [string, unknown][] = [
    ["AWS::IAM::AccessKey", service === "iam" ? keyId : undefined],
    ["AWS::IAM::User", service === "iam" ? input["UserName"] : undefined],
    ["AWS::SecretsManager::Secret", input["SecretId"]],
  ];
  return found.filter((pair): pair is [string, string] => typeof pair[1] === "string");
}

/** Exactly one attribute a call, or none (CloudTrail API). */
function attributeOf(input: Readonly<Record<string, unknown>>): (event: TrailEvent) => boolean {
  const attributes = structures(input, "LookupAttributes");
  const [first] = attributes;
  if (attributes.length > 1) {
    throw new ServiceError("InvalidLookupAttributesException", "at most one attribute in a call");
  }
  if (first === undefined) return () => true;
  const key = text(first, "AttributeKey");
  const value = text(first, "AttributeValue");
  switch (key) {
    case "AccessKeyId":
      return ({ received }) => received.caller.keyId === value;
    case "Username":
      return ({ received }) => received.caller.name === value;
    case "EventName":
      return ({ received }) => received.operation === value;
    case "EventSource":
      return ({ received }) => `${received.service}.amazonaws.com` === value;
    case "EventId":
      return ({ id }) => id === value;
    case "ReadOnly":
      return ({ received }) => String(isReadOnly(received.operation)) === value;
    case "ResourceName":
      return (event) => resourcesOf(event).some(([, name]) => name === value);
    case "ResourceType":
      return (event) => resourcesOf(event).some(([type]) => type === value);
    default:
      throw new ServiceError("InvalidLookupAttributesException", `${key} is no lookup attribute`);
  }
}

function pageSize(input: Readonly<Record<string, unknown>>): number {
  const size = optionalNumber(input, "MaxResults") ?? PAGE_MAX;
  if (size >= 1 && size <= PAGE_MAX) return size;
  throw new ServiceError("InvalidMaxResultsException", "MaxResults is from 1 to 50");
}

/** A token is good only for the parameters it was made for (CloudTrail API). */
const fingerprint = (input: Readonly<Record<string, unknown>>): string =>
  JSON.stringify([
    input["LookupAttributes"] ?? [],
    input["StartTime"] ?? null,
    input["EndTime"] ?? null,
    pageSize(input),
  ]);

const tokenOf = (offset: number, input: Readonly<Record<string, unknown>>): string =>
  Buffer.from(JSON.stringify([offset, fingerprint(input)])).toString("base64");

function startOf(input: Readonly<Record<string, unknown>>): number | null {
  const token = optionalText(input, "NextToken");
  if (token === null) return null;
  const refusal = new ServiceError("InvalidNextTokenException", "the token is not for these parameters");
  const decoded = Buffer.from(token, "base64").toString();
  if (!decoded.startsWith("[")) throw refusal;
  const [offset, print] = JSON.parse(decoded) as [number, string];
  if (print !== fingerprint(input)) throw refusal;
  return offset;
}
