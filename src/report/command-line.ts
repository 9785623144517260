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
      return invoke({ command: typed, user });
    case "release":
      return invoke({ command: typed, user, key });
    case "forget":
      return invoke({ command: typed, user, destination: "…" });
    case "activate":
      return `aws iam update-access-key --user-name ${user} --access-key-id ${key} --status Active`;
    case "untag-hold":
      return `aws iam untag-user --user-name ${user} --tag-keys keyturn-hold`;
  }
}

const invoke = (event: object): string => `npx sls invoke -f keyturn -d '${JSON.stringify(event)}'`;
