import { ageDays, beyondPolicyMs, DAY_MS, type KeyStory, type Report, type UserStory } from "./story.ts";

const HEADS = [
  "user",
  "profile",
  "key id",
  "status",
  "created",
  "age in days",
  "policy in days",
  "past policy",
  "user last rotated",
  "promoted",
  "deactivated",
  "deleted",
  "evidence",
  "error",
];

/** A line a key, as RFC 4180 has it. No cell is a formula for the spreadsheet that opens it. */
export function csvOf({ at, users }: Report): string {
  const rows = users.flatMap((user) => {
    const keys = user.keys.map((key) => [...rowOf(user, key, at), user.error ?? ""]);
    return keys.length > 0
      ? keys
      : [[user.user, user.profile ?? "", ...HEADS.slice(3).map(() => ""), user.error ?? ""]];
  });
  return [HEADS, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function rowOf(user: UserStory, key: KeyStory, at: string): string[] {
  const beyond = beyondPolicyMs(key, user, at);
  const evidence = key.evidence.flatMap((one) => [`${one.at} ${one.what}: ${one.because ?? ""}`, ...(one.lines ?? [])]);
  return [
    user.user,
    user.profile ?? "",
    key.id,
    key.status,
    key.createdAt ?? "",
    String(ageDays(key, at) ?? ""),
    user.maxAgeMs === null ? "" : String(user.maxAgeMs / DAY_MS),
    beyond === null ? "" : beyond >= 0 ? "yes" : "no",
    user.rotatedAt ?? "",
    key.promotedAt ?? "",
    key.deactivatedAt ?? "",
    key.deletedAt ?? "",
    evidence.join("\n"),
  ];
}

/**
 * A spreadsheet runs what begins so; an apostrophe makes it text. Source: OWASP, CSV injection. Where it separates by
 * semicolons or tabs, what follows one of them begins a cell, and what follows a line's end always may.
 */
function cell(text: string): string {
  const safe = text.replaceAll(/(^|[;\t\r\n])(?=[\s"']*[=+\-@])/g, "$1'");
  const marked = /^[\t\r]/.test(safe) ? `'${safe}` : safe;
  return /[",;\t\r\n]/.test(marked) ? `"${marked.replaceAll('"', '""')}"` : marked;
}
