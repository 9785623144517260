import { randomUUID } from "node:crypto";
import { ServiceError } from "../../test/world/call.ts";
import { isCloudflareUrl } from "../../test/world/wire/cloudflare-handler.ts";
import { decode, encodeError, spellingOf } from "../../test/world/wire/protocols.ts";
import type { Encoded } from "../../test/world/wire/protocols.ts";
import { parseAuthorization } from "../../test/world/wire/signature.ts";
import type { RawRequest } from "../../test/world/wire/signature.ts";

/** What can befall a request, and what each is. */
export const FAULTS = {
  killed: "SIGKILL as the request arrives, which is not carried out",
  "killed-done": "SIGKILL when the request is carried out, before its answer",
  error: "a 500, once",
  "error-always": "a 500 to this request and to every other of its kind until the sweep ends",
  throttled: "a refusal for too many requests, once",
  lost: "carried out, and the line cut before the answer",
  stalled: "carried out, and the answer held back for one and a half times the client's time-out",
  late: "held back for one and a half times the client's time-out, and carried out only then",
} as const;

export type FaultName = keyof typeof FAULTS;

export const isFault = (name: string): name is FaultName => Object.hasOwn(FAULTS, name);

/** Both wait for real time-outs, and need no processor meanwhile. */
export const isSlow = (fault: FaultName): boolean => fault === "stalled" || fault === "late";

/** One and a half times what `src/cloud/clients.ts` and `src/compose.ts` give an answer. */
export const stallMs = (request: RawRequest): number => (isCloudflareUrl(request.url) ? 30_000 : 22_500);

/** A request as the tables name it: `iam.CreateAccessKey`, `cloudflare.PATCH secrets-bulk`. */
export function nameOf(request: RawRequest): string {
  if (isCloudflareUrl(request.url)) {
    const [, path = ""] = request.url.split(/\/scripts\/[^/]+\//);
    return `cloudflare.${request.method} ${path.replace(/[/?].*/, "")}`;
  }
  const authorization = parseAuthorization(request.headers.authorization);
  const service = authorization?.service ?? "unsigned";
  return `${service}.${decode(service, spellingOf(service, request), request).operation}`;
}

/** The query services spell throttling without "Exception". */
const throttling = (service: string): string =>
  ["iam", "sts", "sns"].includes(service) ? "Throttling" : "ThrottlingException";

/** An answer that the request was not carried out, in the spelling of its service. */
export function failureOf(request: RawRequest, fault: "error" | "throttled"): Encoded {
  const isThrottled = fault === "throttled";
  if (isCloudflareUrl(request.url)) {
    const error = isThrottled ? { code: 971, message: "Please wait" } : { code: 10_013, message: "An unknown error" };
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ success: false, result: null, messages: [], errors: [error] });
    return { status: isThrottled ? 429 : 500, headers, body };
  }
  const service = parseAuthorization(request.headers.authorization)?.service ?? "";
  const error = isThrottled
    ? new ServiceError(throttling(service), "Rate exceeded", 400)
    : new ServiceError("InternalFailure", "injected", 500);
  return encodeError(spellingOf(service, request), error, randomUUID());
}
