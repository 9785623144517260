import type { CloudAnswer, ServiceError } from "../call.ts";
import { parseForm, queryAnswer, queryError, xml } from "./query-protocol.ts";
import { decodeRest, parseJson } from "./rest-protocol.ts";
import type { RawRequest } from "./signature.ts";

/** Bytes to send. */
export interface Encoded {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request understood, and how its answer is spelled. */
export interface Decoded {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  answer(answer: CloudAnswer, requestId: string): Encoded;
}

export type Spelling = "query" | "json" | "rest-json" | "s3";

const XML = { "content-type": "text/xml" };

/** How a request is spelled: by its own headers, and where they do not tell, by the service. */
export function spellingOf(service: string, { headers }: RawRequest): Spelling {
  if (headers["x-amz-target"] !== undefined) return "json";
  const isForm = headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
  if (isForm === true) return "query";
  return service === "s3" ? "s3" : "rest-json";
}

/** Understands a request. Throws ServiceError for one that makes no sense. */
export function decode(service: string, spelling: Spelling, request: RawRequest): Decoded {
  switch (spelling) {
    case "query": {
      const { action, input } = parseForm(request.body.toString("utf8"));
      return {
        operation: action,
        input,
        answer: (answer, id) => ok(XML, queryAnswer(action, answer, id)),
      };
    }
    case "json": {
      const operation = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
      const type = { "content-type": request.headers["content-type"] ?? "application/json" };
      const input = withTimes(service, parseJson(request.body));
      return { operation, input, answer: (answer) => ok(type, json(answer)) };
    }
    case "rest-json": {
      const type = { "content-type": "application/json" };
      return { ...decodeRest(service, request), answer: (answer) => ok(type, json(answer)) };
    }
    case "s3": {
      const decoded = decodeRest(service, request);
      return { ...decoded, answer: (answer) => s3Answer(decoded.operation, answer) };
    }
  }
}

/** An error in the spelling that the service has for it. */
export function encodeError(spelling: Spelling, error: ServiceError, requestId: string): Encoded {
  const { code, message, status } = error;
  switch (spelling) {
    case "query":
      return { status, headers: XML, body: queryError(code, message, requestId) };
    case "s3":
      return {
        status,
        headers: { "content-type": "application/xml" },
        body: `<Error>${xml({ Code: code, Message: message, RequestId: requestId }, null)}</Error>`,
      };
    case "rest-json":
      return {
        status,
        headers: { "content-type": "application/json", "x-amzn-errortype": code },
        body: JSON.stringify({ message }),
      };
    case "json":
      return {
        status,
        headers: { "content-type": "application/x-amz-json-1.1" },
        body: JSON.stringify({ __type: code, message }),
      };
  }
}

const ok = (headers: Readonly<Record<string, string>>, body: string): Encoded => ({
  status: 200,
  headers,
  body,
});

/** The JSON protocols spell an instant in seconds since the epoch. */
const json = (answer: CloudAnswer): string => JSON.stringify(spellDates(answer));

function spellDates(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1_000;
  if (Array.isArray(value)) return value.map(spellDates);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, below]) => [name, spellDates(below)]));
}

/** CloudTrail's window is the one input of a modelled service that holds instants. */
function withTimes(service: string, input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (service !== "cloudtrail") return input;
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) =>
      typeof value === "number" && name.endsWith("Time") ? [name, value * 1_000] : [name, value],
    ),
  );
}

/** An object's body is sent as it is; whatever else S3 answers is XML, its lists without a wrapper. */
function s3Answer(operation: string, { Body: body, ...answer }: CloudAnswer): Encoded {
  if (operation === "GetObject") {
    return ok({ "content-type": "application/octet-stream" }, typeof body === "string" ? body : "");
  }
  const type = { "content-type": "application/xml" };
  if (Object.keys(answer).length === 0) return ok(type, "");
  return ok(type, `<${operation}Result>${xml(answer, null)}</${operation}Result>`);
}
