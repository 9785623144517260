import { AwsClient } from "aws4fetch";
import * as z from "zod/mini";
import type { AwsClock } from "./clock.ts";
import { readJson } from "./read-json.ts";
import { retryThrottled, type Waiting } from "./retry.ts";
import { translateError } from "./translate-error.ts";

export interface JsonServiceOptions extends Waiting {
  /** As signatures name it: "ssm". */
  readonly service: string;
  /** What stands before the operation's name: "AmazonSSM". */
  readonly target: string;
  readonly region: string;
  readonly endpoint: string;
  /** What signs a call. */
  readonly credentials: () => Promise<Readonly<Pick<AwsClient, "accessKeyId" | "secretAccessKey">>>;
  /** Hears the `Date` of each answer. */
  readonly clock: Pick<AwsClock, "sleep" | "hear">;
  /** Of one request, answer included. */
  readonly timeoutMs: number;
}

/** Asks, and resolves to the text of a good answer; again only when throttled. Throws `RotationError` and nothing else. */
export type AskService = (doing: string, operation: string, input: object) => Promise<string>;

const Refusal = z.object({ __type: z.string(), message: z.optional(z.string()) });

/** A service that speaks AWS's JSON 1.1, of which a few calls are needed: an SDK client would add 25 to 90 kB for each. */
export function createJsonService(options: JsonServiceOptions): AskService {
  return (doing, operation, input) =>
    retryThrottled(options, () => exchange(options, operation, input).catch(translated(doing)));
}

/** Resolves to the text of a good answer. Any other is thrown in the form of the SDK's errors. */
async function exchange(options: JsonServiceOptions, operation: string, input: object): Promise<string> {
  const { service, target, region, clock, timeoutMs } = options;
  const aws = new AwsClient({ ...(await options.credentials()), service, region, retries: 0 });
  const response = await aws.fetch(options.endpoint, {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `${target}.${operation}` },
    body: JSON.stringify(input),
    redirect: "error",
    signal: AbortSignal.timeout(timeoutMs),
  });
  clock.hear(response.headers.get("date") ?? undefined);
  const text = await response.text();
  if (response.ok) return text;
  const { __type: type = "Unknown", message } = readJson(Refusal, text) ?? {};
  const $metadata = {
    httpStatusCode: response.status,
    requestId: response.headers.get("x-amzn-requestid") ?? undefined,
  };
  throw Object.assign(new Error(message), { name: type.replace(/^.*#/, ""), $metadata });
}

/** A cut line bears its code within the TypeError that fetch throws, which may quote the request itself. */
const translated = (doing: string) => (thrown: unknown) => {
  const { name, cause } = thrown as { readonly name: string; readonly cause?: { readonly code?: string } };
  throw translateError(name === "TypeError" ? { name, code: cause?.code ?? "none" } : thrown, doing);
};
