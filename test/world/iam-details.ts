import type { CloudAnswer } from "./call.ts";
import { secondsDate } from "./caller.ts";
import type { PolicyDocument, SimulatedGroup, SimulatedUser } from "./iam-state.ts";
import { optionalNumber, optionalText, page, texts } from "./input.ts";

/** The part of IAM that GetAccountAuthorizationDetails shows. */
interface Shown {
  readonly users: ReadonlyMap<string, SimulatedUser>;
  readonly groups: ReadonlyMap<string, SimulatedGroup>;
  readonly policies: ReadonlyMap<string, PolicyDocument>;
  readonly pageSize: number;
}

interface Item {
  readonly list: "UserDetailList" | "GroupDetailList" | "Policies";
  readonly detail: CloudAnswer;
}

const spelled = new WeakMap<PolicyDocument, string>();

/** Policy documents come as URL-encoded JSON (service model). One is replaced, and never changed. */
function encoded(document: PolicyDocument): string {
  const known = spelled.get(document);
  if (known !== undefined) return known;
  const text = encodeURIComponent(JSON.stringify(document));
  spelled.set(document, text);
  return text;
}

const EMPTY: PolicyDocument = { Version: "2012-10-17", Statement: [] };

const policyName = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1);

const inlineList = (inline: Readonly<Record<string, PolicyDocument>>): CloudAnswer[] =>
  Object.entries(inline).map(([PolicyName, document]) => ({
    PolicyName,
    PolicyDocument: encoded(document),
  }));

const attachedList = (attached: readonly string[]): CloudAnswer[] =>
  attached.map((arn) => ({ PolicyName: policyName(arn), PolicyArn: arn }));

const userItem = (user: SimulatedUser): Item => ({
  list: "UserDetailList",
  detail: {
    Path: user.path,
    UserName: user.name,
    UserId: user.id,
    Arn: user.arn,
    CreateDate: secondsDate(user.createdAtMs),
    UserPolicyList: inlineList(user.inline),
    GroupList: [...user.groups],
    AttachedManagedPolicies: attachedList(user.attached),
    Tags: user.tags,
  },
});

const groupItem = (group: SimulatedGroup): Item => ({
  list: "GroupDetailList",
  detail: {
    Path: "/",
    GroupName: group.name,
    GroupPolicyList: inlineList(group.inline),
    AttachedManagedPolicies: attachedList(group.attached),
  },
});

const policyItem = (arn: string, document: PolicyDocument): Item => ({
  list: "Policies",
  detail: {
    PolicyName: policyName(arn),
    Arn: arn,
    DefaultVersionId: "v2",
    PolicyVersionList: [
      { VersionId: "v2", IsDefaultVersion: true, Document: encoded(document) },
      {
        VersionId: "v1",
        IsDefaultVersion: false,
        Document: encoded(EMPTY),
      },
    ],
  },
});

const isAwsManaged = (arn: string): boolean => arn.startsWith("arn:aws:iam::aws:policy/");

/**
 * Users with tags and policies, groups and managed policies, in one paged list of which a page may be short, and may
 * lack a whole list (IAM API). No access keys are in it.
 */
export function accountAuthorizationDetails(iam: Shown, input: Readonly<Record<string, unknown>>): CloudAnswer {
  const filter = texts(input, "Filter");
  const asked = (kind: string): boolean => filter.length === 0 || filter.includes(kind);
  const policies = [...iam.policies].filter(([arn]) =>
    asked(isAwsManaged(arn) ? "AWSManagedPolicy" : "LocalManagedPolicy"),
  );
  // Only what is on the page is written out.
  const all: (() => Item)[] = [
    ...(asked("User") ? [...iam.users.values()].map((user) => () => userItem(user)) : []),
    ...(asked("Group") ? [...iam.groups.values()].map((group) => () => groupItem(group)) : []),
    ...policies.map(
      ([arn, document]) =>
        () =>
          policyItem(arn, document),
    ),
  ];
  const size = Math.min(optionalNumber(input, "MaxItems") ?? 100, iam.pageSize);
  const [shown, marker] = page(all, optionalText(input, "Marker"), size);
  const items = shown.map((write) => write());
  const of = (list: Item["list"]): CloudAnswer[] =>
    items.filter((item) => item.list === list).map(({ detail }) => detail);
  return {
    UserDetailList: of("UserDetailList"),
    GroupDetailList: of("GroupDetailList"),
    RoleDetailList: [],
    Policies: of("Policies"),
    IsTruncated: marker !== null,
    ...(marker === null ? {} : { Marker: marker }),
  };
}
