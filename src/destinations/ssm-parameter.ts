import * as z from "zod/mini";
import type { Parameter, ParameterStore } from "../cloud/parameter-store.ts";
import { RotationError } from "../rotation/errors.ts";
import type { Destination } from "../rotation/world.ts";
import { createOneText, type Look, markOf } from "./parts/one-text.ts";

/** What SSM encrypts under where no key is named. */
const OWN_KEY = "alias/aws/ssm";

export type SsmParameterOptions = z.infer<typeof SsmParameterOptions>;
export const SsmParameterOptions = z.strictObject({
  kind: z.literal("ssm-parameter"),
  /** The parameter's whole name. Source of its form: SSM API, PutParameter (Name). */
  name: z.string().check(
    z.maxLength(900),
    z.regex(/^(\/[\w.-]+){1,15}$/, "a path such as /app/aws-key, of at most 15 parts"),
    z.refine((name) => !/^\/(aws|ssm)/i.test(name), "must not begin with aws or ssm, which are the service's own"),
  ),
  region: z.string().check(z.regex(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/, 'the name of an AWS Region, such as "us-east-1"')),
  /** Under what the parameter is encrypted, as DescribeParameters names it. Left out: the account's alias/aws/ssm. */
  kmsKeyId: z.optional(
    z
      .string()
      .check(
        z.regex(/^(alias\/[\w/-]+|[\da-f-]{36}|mrk-[\da-f]{32}|arn:aws:kms:\S+)$/, "the id, ARN or alias of a KMS key"),
      ),
  ),
});

/** What the options alone say. */
export function ssmParameterFacts({ name, region }: SsmParameterOptions) {
  const place = `ssm-parameter:${region}${name}`;
  return { name: place, slots: [place], readsCustody: false };
}

/** A SecureString of Systems Manager's Parameter Store. Its metadata are all that is read: no right to any value is needed. */
export function createSsmParameter(options: SsmParameterOptions, parameters: ParameterStore): Destination {
  const { name, region, kmsKeyId } = options;
  async function find(): Promise<Parameter> {
    const found = await parameters.find(name);
    if (found !== null) return found;
    const mend = "Correct the name, or make it once as a SecureString with any text";
    throw new RotationError("NotFound", `reading parameter ${name}, ${region} has none, and none is created. ${mend}`);
  }
  return createOneText(ssmParameterFacts(options), {
    look: async () => lookAt(await find(), kmsKeyId ?? OWN_KEY),
    async write(text) {
      const made = await parameters.overwrite(name, text, kmsKeyId);
      // SSM has said that the pair is put. That it cannot be read back, or not yet, takes nothing from that but the mark.
      const after = await find().catch(() => null);
      return after !== null && after.Version === made ? lookAt(after, OWN_KEY).mark : null;
    },
  });
}

function lookAt({ Type, Version, LastModifiedDate, KeyId = OWN_KEY }: Parameter, kmsKeyId: string): Look {
  const mark = markOf(Version, String(LastModifiedDate));
  if (Type !== "SecureString") {
    return { mark, blocked: `the parameter is a ${Type}, which shows its value. Make it anew as a SecureString` };
  }
  if (KeyId === kmsKeyId) return { mark, blocked: null };
  // A value is encrypted under the key that its own call names, whatever the one before was encrypted under.
  return { mark, blocked: `the parameter is encrypted under ${KeyId}, and not under ${kmsKeyId}. Correct kmsKeyId` };
}
