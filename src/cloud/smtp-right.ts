import type { SmtpRight } from "../rotation/keys.ts";

const SEND_RAW = "ses:sendrawemail";

/**
 * Whether any of these policy documents lets its user send mail by SMTP. Conditions, denials and boundaries are not
 * weighed: whatever allows `ses:SendRawEmail` anywhere is `allowed`. A document that cannot be read, or that is null
 * because it was not found, is `unknown` unless another one allows it.
 */
export function smtpRight(documents: readonly (string | null)[]): SmtpRight {
  const verdicts = documents.map((text) => (text === null ? "unknown" : judge(text)));
  if (verdicts.includes("allowed")) return "allowed";
  return verdicts.includes("unknown") ? "unknown" : "none";
}

function judge(text: string): SmtpRight {
  const document = parse(text);
  if (!isObject(document) || document["Statement"] === undefined) return "unknown";
  const statements = asList(document["Statement"]).map(judgeStatement);
  if (statements.includes("allowed")) return "allowed";
  return statements.includes("unknown") ? "unknown" : "none";
}

function judgeStatement(statement: unknown): SmtpRight {
  if (!isObject(statement)) return "unknown";
  const { Effect, Action, NotAction } = statement as Readonly<Record<string, unknown>>;
  if (Effect === "Deny") return "none";
  const isNegated = Action === undefined;
  const patterns = asList(isNegated ? NotAction : Action);
  if (Effect !== "Allow" || !patterns.every((pattern) => typeof pattern === "string")) return "unknown";
  const isNamed = patterns.some(matchesSendRaw);
  return isNamed === isNegated ? "none" : "allowed";
}

/** Actions are compared without case; `*` stands for any characters, `?` for one. */
function matchesSendRaw(pattern: string): boolean {
  const source = pattern
    .toLowerCase()
    .replaceAll(/[\\^$.+|()[\]{}]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(SEND_RAW);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A document that is no JSON is judged unknown by the caller.
    return null;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);
