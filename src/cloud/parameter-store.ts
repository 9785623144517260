import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import type { Secret } from "../rotation/secret.ts";
import { createJsonService, type JsonServiceOptions } from "./json-service.ts";
import { readJson } from "./read-json.ts";

/** A filter by the whole name finds one parameter; but a page may be empty, and another follow it. */
const PAGES_MAX = 100;

export type ParameterStoreOptions = Omit<JsonServiceOptions, "service" | "target">;

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

/** The two calls of Parameter Store. Every method throws `RotationError` and nothing else. */
export type ParameterStore = ReturnType<typeof createParameterStore>;

/** One Region's Parameter Store by its JSON protocol: the SDK's client would add 88 kB for two calls. */
export function createParameterStore(options: ParameterStoreOptions) {
  // Repeated only when it was throttled, and so did nothing: each write makes a version.
  const ask = createJsonService({ ...options, service: "ssm", target: "AmazonSSM" });
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
