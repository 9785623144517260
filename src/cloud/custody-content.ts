import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import { accessKeyId, type Credential } from "../rotation/keys.ts";
import type { CustodyIntent } from "../rotation/observation.ts";
import { Secret } from "../rotation/secret.ts";
import { instant } from "../rotation/time.ts";
import { readJson } from "./read-json.ts";

/** What a version of a custody secret holds: a pair, the intent of a creation, or (an old secret's first version) neither. */
export type CustodyContent = { readonly pair: Credential | null; readonly intent: CustodyIntent | null };

/** The pair in the format of the AWS CLI's `credential_process`. */
export const formatPair = ({ id, secret }: Credential): string =>
  JSON.stringify({ Version: 1, AccessKeyId: id, SecretAccessKey: secret.reveal() });

/** What a secret holds before its first pair. */
export const formatMarker = (): string => JSON.stringify({ Version: 1 });

export const formatIntent = ({ at, before }: CustodyIntent): string =>
  JSON.stringify({ Version: 1, Intent: { At: at, Before: before } });

const Version = z.literal(1);
const Text = z.string().check(z.minLength(1));
const KeyId = z.pipe(Text, z.transform(accessKeyId));
const When = z.pipe(z.number(), z.transform(instant));
const Content = z.union([
  z.pipe(
    z.object({ Version, AccessKeyId: KeyId, SecretAccessKey: Text }),
    z.transform((held) => ({ pair: { id: held.AccessKeyId, secret: new Secret(held.SecretAccessKey) }, intent: null })),
  ),
  z.pipe(
    z.object({ Version, Intent: z.object({ At: When, Before: z.array(KeyId) }) }),
    z.transform(({ Intent }) => ({ pair: null, intent: { at: Intent.At, before: Intent.Before } })),
  ),
  z.pipe(
    z.strictObject({ Version }),
    z.transform(() => ({ pair: null, intent: null })),
  ),
]);

/** Reads what a version holds. Throws `Misconfigured` for anything else, and never says what it read. */
export function parseContent(text: string | undefined, doing: string): CustodyContent {
  const content = readJson(Content, text);
  if (content !== null) return content;
  throw new RotationError("Misconfigured", `${doing}, it holds neither a pair nor a marker`);
}
