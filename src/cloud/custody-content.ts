import { createHash } from "node:crypto";
import { RotationError } from "../rotation/errors.ts";
import { accessKeyId } from "../rotation/keys.ts";
import type { Credential } from "../rotation/keys.ts";
import type { CustodyIntent } from "../rotation/observation.ts";
import { Secret } from "../rotation/secret.ts";
import { instant } from "../rotation/time.ts";

/** What a version of a custody secret holds: a pair, the first version's nothing, or the intent of a creation. */
export type CustodyContent =
  | { readonly kind: "pair"; readonly credential: Credential }
  | { readonly kind: "marker" }
  | { readonly kind: "intent"; readonly intent: CustodyIntent };

export const MARKER = JSON.stringify({ Version: 1 });

/** The pair in the format of the AWS CLI's `credential_process`. */
export const formatPair = ({ id, secret }: Credential): string =>
  JSON.stringify({ Version: 1, AccessKeyId: id, SecretAccessKey: secret.reveal() });

export const formatIntent = ({ at, before }: CustodyIntent): string =>
  JSON.stringify({ Version: 1, Intent: { At: at, Before: before } });

/** The token, and so the version id, under which a pair is stored: the same for every try. */
export const tokenOf = (id: string): string => createHash("sha256").update(id).digest("hex");

/** Reads what a version holds. Throws `Misconfigured` for anything else, and never says what it read. */
export function parseContent(text: string | undefined, doing: string): CustodyContent {
  const content = parseJson(text);
  if (content?.["Version"] === 1) {
    const { AccessKeyId: id, SecretAccessKey: secret, Intent: intent } = content;
    if (isText(id) && isText(secret)) {
      return { kind: "pair", credential: { id: accessKeyId(id), secret: new Secret(secret) } };
    }
    const parsed = parseIntent(intent);
    if (parsed !== null) return { kind: "intent", intent: parsed };
    if (Object.keys(content).length === 1) return { kind: "marker" };
  }
  throw new RotationError("Misconfigured", `${doing}, it holds neither a pair nor a marker`);
}

function parseIntent(value: unknown): CustodyIntent | null {
  if (typeof value !== "object" || value === null) return null;
  const { At: at, Before: before } = value as { readonly At?: unknown; readonly Before?: unknown };
  if (typeof at !== "number" || !Array.isArray(before) || !before.every(isText)) return null;
  return { at: instant(at), before: before.map(accessKeyId) };
}

function parseJson(text: string | undefined): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" ? (value as Readonly<Record<string, unknown>> | null) : null;
  } catch {
    // The parser's message would quote the secret; the caller says that the content is not ours.
    return null;
  }
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
