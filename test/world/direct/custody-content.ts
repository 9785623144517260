import { hash } from "node:crypto";
import { RotationError } from "../../../src/rotation/errors.ts";
import { accessKeyId } from "../../../src/rotation/keys.ts";
import type { AccessKeyId, Credential } from "../../../src/rotation/keys.ts";
import type { CustodyIntent } from "../../../src/rotation/observation.ts";
import { Secret } from "../../../src/rotation/secret.ts";
import { instant } from "../../../src/rotation/time.ts";

const tokens = new Map<AccessKeyId, string>();
const TOKENS_MAX = 1_000;

/** The version id of a pair: repeating a store names the same version. Every look at custody asks for it again. */
export function versionToken(id: AccessKeyId): string {
  const token = tokens.get(id) ?? hash("sha256", id, "hex");
  if (tokens.size >= TOKENS_MAX) tokens.clear();
  tokens.set(id, token);
  return token;
}

export const pairText = (credential: Credential): string =>
  JSON.stringify({
    Version: 1,
    AccessKeyId: credential.id,
    SecretAccessKey: credential.secret.reveal(),
  });

export const intentText = (intent: CustodyIntent): string =>
  JSON.stringify({ Version: 1, Intent: { At: intent.at, Before: intent.before } });

/** What a version holds. */
export type Content =
  | { readonly kind: "marker" }
  | { readonly kind: "pair"; readonly credential: Credential }
  | { readonly kind: "intent"; readonly intent: CustodyIntent };

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}

function intentIn(value: unknown): CustodyIntent | null {
  if (typeof value !== "object" || value === null) return null;
  const { At, Before } = value as Record<string, unknown>;
  if (typeof At !== "number" || !Array.isArray(Before)) return null;
  return { at: instant(At), before: Before.map((id) => accessKeyId(String(id))) };
}

const contents = new Map<string, Content>();

/** What a version holds; what is none of ours throws `Misconfigured` without quoting it. Parsed once, as it never changes. */
export function contentOf(text: string, doing: string): Content {
  const content = contents.get(text) ?? read(text, doing);
  if (contents.size >= TOKENS_MAX) contents.clear();
  contents.set(text, content);
  return content;
}

function read(text: string, doing: string): Content {
  const value = parsed(text);
  const id = value?.["AccessKeyId"];
  const secret = value?.["SecretAccessKey"];
  const intent = intentIn(value?.["Intent"]);
  if (value === null || value["Version"] !== 1) {
    throw new RotationError("Misconfigured", `${doing}, a version is not in the format of custody`);
  }
  if (typeof id === "string" && typeof secret === "string") {
    return { kind: "pair", credential: { id: accessKeyId(id), secret: new Secret(secret) } };
  }
  if (intent !== null) return { kind: "intent", intent };
  if (Object.keys(value).length === 1) return { kind: "marker" };
  throw new RotationError("Misconfigured", `${doing}, a version is neither marker, pair nor intent`);
}
