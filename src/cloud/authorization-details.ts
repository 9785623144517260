import { paginateGetAccountAuthorizationDetails } from "@aws-sdk/client-iam";
import type { AttachedPolicy, IAMClient, PolicyDetail, UserDetail } from "@aws-sdk/client-iam";
import type { SmtpRight } from "../rotation/keys.ts";
import { readPages } from "./pages.ts";
import { smtpRight } from "./smtp-right.ts";

/** The most that IAM gives; a page may all the same be shorter. */
const PAGE_ITEMS = 1_000;

/** All users of the account with their tags, and whether their policies let them send mail by SMTP. Never a part. */
export async function listWithSmtpRights(iam: IAMClient) {
  const listing = paginateGetAccountAuthorizationDetails(
    { client: iam, pageSize: PAGE_ITEMS },
    { Filter: ["User", "Group", "LocalManagedPolicy", "AWSManagedPolicy"] },
  );
  const pages = await readPages("listing users with their tags and policies", listing);
  const ofPolicy = new Map(
    pages
      .flatMap(({ Policies = [] }) => Policies)
      .map(({ Arn, PolicyVersionList = [] }) => [Arn, PolicyVersionList.find((one) => one.IsDefaultVersion)?.Document]),
  );
  const documentsOf = (inline: readonly PolicyDetail[] = [], attached: readonly AttachedPolicy[] = []) => [
    ...inline.map(({ PolicyDocument }) => decode(PolicyDocument)),
    ...attached.map(({ PolicyArn }) => decode(ofPolicy.get(PolicyArn))),
  ];
  const ofGroup = new Map(
    pages
      .flatMap(({ GroupDetailList = [] }) => GroupDetailList)
      .map((group) => [group.GroupName, documentsOf(group.GroupPolicyList, group.AttachedManagedPolicies)]),
  );
  const smtpOf = ({ UserPolicyList, AttachedManagedPolicies, GroupList = [] }: UserDetail): SmtpRight =>
    smtpRight([
      ...documentsOf(UserPolicyList, AttachedManagedPolicies),
      ...GroupList.flatMap((name) => ofGroup.get(name) ?? [null]),
    ]);
  return pages
    .flatMap(({ UserDetailList = [] }) => UserDetailList)
    .map((user) => ({ user, smtp: smtpOf(user), quarantines: quarantinesOf(user) }));
}

/** What AWS attaches to the user of a key that was found in public. Its versions differ in what they deny. */
export const QUARANTINE = /AWSCompromisedKeyQuarantine(V\d+)?$/;

const quarantinesOf = ({ AttachedManagedPolicies = [] }: UserDetail): readonly string[] =>
  AttachedManagedPolicies.flatMap(({ PolicyArn }) => PolicyArn?.match(QUARANTINE)?.[0] ?? []).toSorted();

/** IAM gives policy documents URL-encoded (RFC 3986). Null for one that is not there, or is not so encoded. */
function decode(document: string | undefined): string | null {
  try {
    return document === undefined ? null : decodeURIComponent(document);
  } catch {
    return null;
  }
}
