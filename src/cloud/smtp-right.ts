import * as z from "zod/mini";
import type { SmtpRight } from "../rotation/keys.ts";
import { readJson } from "./read-json.ts";

/**
 * Whether one of these policy documents lets its user send mail by SMTP, as any that allows `ses:SendRawEmail` does:
 * conditions, denials and boundaries are not weighed. A null or unreadable one is `unknown` unless another allows it.
 */
export function smtpRight(documents: readonly (string | null)[]): SmtpRight {
  const verdicts = documents.flatMap((text) => readJson(Verdicts, text ?? "") ?? ["unknown"]);
  if (verdicts.includes("allowed")) return "allowed";
  return verdicts.includes("unknown") ? "unknown" : "none";
}

/** Actions are compared without case; `*` stands for any characters, `?` for one. */
function matchesSendRaw(pattern: string): boolean {
  const source = pattern
    .replaceAll(/[\\^$.+|()[\]{}]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "i").test("ses:SendRawEmail");
}

const verdict = (isAllowed: boolean): SmtpRight => (isAllowed ? "allowed" : "none");
const Patterns = z.union([
  z.array(z.string()),
  z.pipe(
    z.string(),
    z.transform((one: string) => [one]),
  ),
]);
const Effect = z.literal("Allow");

/** What a policy document says, a verdict a statement. */
const Denied = z.pipe(
  z.object({ Effect: z.literal("Deny") }),
  z.transform(() => verdict(false)),
);
const Allowed = z.pipe(
  z.object({ Effect, Action: Patterns }),
  z.transform(({ Action }) => verdict(Action.some(matchesSendRaw))),
);
const AllowedButFor = z.pipe(
  z.object({ Effect, Action: z.optional(z.never()), NotAction: Patterns }),
  z.transform(({ NotAction }) => verdict(!NotAction.some(matchesSendRaw))),
);
const Statement = z.catch(z.union([Denied, Allowed, AllowedButFor]), "unknown");
const Verdicts = z.pipe(
  z.object({
    Statement: z.union([
      z.array(Statement),
      z.pipe(
        Statement,
        z.transform((one: SmtpRight) => [one]),
      ),
    ]),
  }),
  z.transform((document) => document.Statement),
);
