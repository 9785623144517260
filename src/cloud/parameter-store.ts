import { AwsClient } from "aws4fetch";
import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import type { Secret } from "../rotation/secret.ts";
import type { AwsClock } from "./clock.ts";
import { readJson } from "./read-json.ts";
import { retryThrottled, type Waiting } from "./retry.ts";
import { translateError } from "./translate-error.ts";

/** A filter by the whole name finds one parameter; but a page may be empty, and another follow it. */
const PAGES_MAX = 100;

export interface ParameterStoreOptions extends Waiting {
  readonly region: string;
  readonly endpoint: string;
  /** What signs a call. */
  readonly credentials: () => Promise<Readonly<Pick<AwsClient, "accessKeyId" | "secretAccessKey">>>;
  /** Hears the `Date` of each answer. */
  readonly clock: Pick<AwsClock, "sleep" | "hear">;
  /** Of one request, answer included. */
  readonly timeoutMs: number;
}

/** What DescribeParameters says of a parameter: never its value, not even encrypted. */
export type Parameter = z.infer<typeof Parameter>;
const Parameter = z.object({
  Type: z.string(),
  Version: z.number(),
  /** Seconds since the epoch. */
  LastModifiedDate: z.number(),
  /** As it was given when the value was last put. */
  KeyId: z.optional(z.string()),
});
const Described = z.object({ Parameters: z.array(Parameter), NextToken: z.nullish(z.string()) });
const Put = z.object({ Version: z.number() });
const Refusal = z.object({ __type: z.string(), message: z.optional(z.string()) });

type Operation = "DescribeParameters" | "PutParameter";

/** The two calls of Parameter Store. Every method throws `RotationError` and nothing else. */
export type ParameterStore = ReturnType<typeof createParameterStore>;

/** One Region's Parameter Store by its JSON protocol: the SDK's client would add 88 kB for two calls. */
export function createParameterStore(options: ParameterStoreOptions) {
  /** Repeated only when it was throttled, and so did nothing: each write makes a version. */
  const ask = (doing: string, operation: Operation, input: object): Promise<string> =>
    retryThrottled(options, () => exchange(options, operation, input).catch(translated(doing)));
  return {
    /** Null when all pages say that there is no such parameter. */
    async find(name: string): Promise<Parameter | null> {
      const doing = `reading parameter ${name}`;
      const input = { ParameterFilters: [{ Key: "Name", Option: "Equals", Values: [name] }] };
      let next: { readonly NextToken?: string } | null = {};
      for (let page = 1; page <= PAGES_MAX && next !== null; page += 1) {
        const said: z.infer<typeof Described> | null = readJson(
          Described,
          await ask(doing, "DescribeParameters", { ...input, ...next }),
        );
        if (said === null) throw new RotationError("Unreachable", `${doing}, the answer has an unknown shape`);
        if (said.Parameters[0] !== undefined) return said.Parameters[0];
        next = said.NextToken ? { NextToken: said.NextToken } : null;
      }
      if (next === null) return null;
      throw new RotationError("Unreachable", `${doing}, more than ${String(PAGES_MAX)} pages`);
    },
    /** Gives the version's number, if it was told. Without a type, nothing is made where there is none (SSM API, PutParameter). */
    async overwrite(Name: string, value: Secret, KeyId: string | undefined): Promise<number | null> {
      const input = { Name, Value: value.reveal(), KeyId, Overwrite: true };
      return readJson(Put, await ask(`overwriting parameter ${Name}`, "PutParameter", input))?.Version ?? null;
    },
  };
}

/** Resolves to the text of a good answer. Any other is thrown in the form of the SDK's errors. */
async function exchange(options: ParameterStoreOptions, operation: Operation, input: object): Promise<string> {
  const { region, clock, timeoutMs } = options;
  const aws = new AwsClient({ ...(await options.credentials()), service: "ssm", region, retries: 0 });
  const response = await aws.fetch(options.endpoint, {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `AmazonSSM.${operation}` },
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
