import type { SmtpRight } from "../../../src/rotation/keys.ts";

const ACTION = "ses:sendrawemail";

const asList = (value: unknown): readonly string[] => {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
};

/** IAM's wildcards: `*` any run of characters, `?` one; actions are compared without case. */
function matches(pattern: string): boolean {
  const source = pattern
    .toLowerCase()
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(ACTION);
}

function allows(statement: unknown): boolean {
  if (typeof statement !== "object" || statement === null) return false;
  const { Effect, Action, NotAction } = statement as Readonly<Record<string, unknown>>;
  if (Effect !== "Allow") return false;
  if (NotAction !== undefined) return !asList(NotAction).some(matches);
  return asList(Action).some(matches);
}

const known = new Map<string, boolean>();
const KNOWN_MAX = 1_000;

/** Every sweep is shown the same documents: each text is read once. */
function allowsMail(encoded: string): boolean {
  const said = known.get(encoded);
  if (said !== undefined) return said;
  const { Statement } = JSON.parse(decodeURIComponent(encoded)) as { Statement?: unknown };
  const statements: readonly unknown[] = Array.isArray(Statement) ? Statement : [Statement];
  const isAllowed = statements.some(allows);
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(encoded, isAllowed);
  return isAllowed;
}

/** Whether any of these policies allows mail by SMTP. Null is a policy whose document could not be read. */
export function smtpRight(documents: readonly (string | null)[]): SmtpRight {
  let isAllTold = true;
  for (const encoded of documents) {
    if (encoded === null) {
      isAllTold = false;
      continue;
    }
    if (allowsMail(encoded)) return "allowed";
  }
  return isAllTold ? "none" : "unknown";
}
