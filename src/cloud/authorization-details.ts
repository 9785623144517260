import { GetAccountAuthorizationDetailsCommand } from "@aws-sdk/client-iam";
import type {
  AttachedPolicy,
  GroupDetail,
  IAMClient,
  ManagedPolicyDetail,
  PolicyDetail,
  UserDetail,
} from "@aws-sdk/client-iam";
import type { SmtpRight } from "../rotation/keys.ts";
import { markerOf, readPages } from "./pages.ts";
import { smtpRight } from "./smtp-right.ts";

/** The most that IAM gives; a page may all the same be shorter. */
const PAGE_ITEMS = 1_000;

/** Users with all that their policies say, as one listing gives them. */
export interface AuthorizationDetails {
  readonly users: readonly UserDetail[];
  /** Whether the user's own, its groups' and its attached policies let it send mail by SMTP. */
  smtpRightOf(user: UserDetail): SmtpRight;
}

/** Reads all users, groups and policies of the account, all pages. Throws rather than return a part. */
export async function readAuthorizationDetails(iam: IAMClient): Promise<AuthorizationDetails> {
  const pages = await readPages("listing users with their tags and policies", async (Marker) => {
    const answer = await iam.send(
      new GetAccountAuthorizationDetailsCommand({
        Filter: ["User", "Group", "LocalManagedPolicy", "AWSManagedPolicy"],
        MaxItems: PAGE_ITEMS,
        Marker,
      }),
    );
    return { items: [answer], next: markerOf(answer) };
  });
  const groups = new Map(pages.flatMap((page) => page.GroupDetailList ?? []).map((group) => [group.GroupName, group]));
  const policies = new Map(pages.flatMap((page) => page.Policies ?? []).map((policy) => [policy.Arn, policy]));
  return {
    users: pages.flatMap((page) => page.UserDetailList ?? []),
    smtpRightOf: (user) => smtpRight(documentsOf(user, groups, policies)),
  };
}

type Named<T> = ReadonlyMap<string | undefined, T>;

/** The policy documents that bear on a user; null for each that the listing does not hold. */
function documentsOf(
  user: UserDetail,
  groups: Named<GroupDetail>,
  policies: Named<ManagedPolicyDetail>,
): readonly (string | null)[] {
  const memberships = (user.GroupList ?? []).map((name) => groups.get(name) ?? null);
  return [
    ...inline(user.UserPolicyList),
    ...attached(user.AttachedManagedPolicies, policies),
    ...memberships.flatMap((group) =>
      group === null
        ? [null]
        : [...inline(group.GroupPolicyList), ...attached(group.AttachedManagedPolicies, policies)],
    ),
  ];
}

const inline = (list: readonly PolicyDetail[] | undefined): readonly (string | null)[] =>
  (list ?? []).map(({ PolicyDocument }) => decode(PolicyDocument));

const attached = (
  list: readonly AttachedPolicy[] | undefined,
  policies: Named<ManagedPolicyDetail>,
): readonly (string | null)[] =>
  (list ?? []).map(({ PolicyArn }) => {
    const versions = policies.get(PolicyArn)?.PolicyVersionList ?? [];
    return decode(versions.find((version) => version.IsDefaultVersion === true)?.Document);
  });

/** IAM gives policy documents URL-encoded (RFC 3986). */
function decode(document: string | undefined): string | null {
  if (document === undefined) return null;
  try {
    return decodeURIComponent(document);
  } catch {
    // A document that is not URL-encoded is one that we cannot read.
    return null;
  }
}
