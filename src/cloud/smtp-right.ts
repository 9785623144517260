import * as z from "zod";
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
const Patterns = z.union([z.array(z.string()), z.string().transform((one) => [one])]);
const Effect = z.literal("Allow");

/** What a policy document says, a verdict a statement. */
const Statement = z
  .union([
    z.object({ Effect: z.literal("Deny") }).transform(() => verdict(false)),
    z.object({ Effect, Action: Patterns }).transform(({ Action }) => verdict(Action.some(matchesSendRaw))),
    z
      .object({ Effect, Action: z.never().optional(), NotAction: Patterns })
      .transform(({ NotAction }) => verdict(!NotAction.some(matchesSendRaw))),
  ])
  .catch("unknown");
const Verdicts = z
  .object({ Statement: z.union([z.array(Statement), Statement.transform((one) => [one])]) })
  .transform((document) => document.Statement);
