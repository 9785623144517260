import type { AccessKeyId, UserName } from "../rotation/keys.ts";
import type { Typed } from "../rotation/notice.ts";

/** What to type, with what is known filled in: a name in a notice may be copied as it stands. */
export function commandOf(
  typed: Typed,
  { user, keyId }: { readonly user: UserName; readonly keyId: AccessKeyId | null },
): string {
  const key = keyId ?? "AKIA…";
  switch (typed) {
    case "explain":
    case "rotate":
      return `npx keyturn ${typed} ${user}`;
    case "release-hold":
      return `npx keyturn release ${user}`;
    case "hold":
      return `npx keyturn hold ${user} --reason "…"`;
    case "forget":
      return `npx keyturn forget ${user} "…"`;
    case "adopt":
    case "reactivate":
    case "release":
    case "retire":
    case "revoke":
      return `npx keyturn ${typed} ${user} ${key}`;
  }
}
