import { RotationError } from "../../../src/rotation/errors.ts";
import { userName } from "../../../src/rotation/keys.ts";
import type { IamUser, SmtpRight } from "../../../src/rotation/keys.ts";
import type { Directory } from "../../../src/rotation/world.ts";
import type { CloudAnswer } from "../call.ts";
import { listIn, optionalTextIn, partIn, tagsIn, textIn } from "./answers.ts";
import type { Session } from "./session.ts";
import { smtpRight } from "./smtp-right.ts";

/** Enrolment tags of every stage, and the hold. */
const TAG = /^keyturn(-.+)?$/;

function userFrom(answer: CloudAnswer, smtp: SmtpRight): IamUser {
  return {
    name: userName(textIn(answer, "UserName")),
    id: textIn(answer, "UserId"),
    arn: textIn(answer, "Arn"),
    path: textIn(answer, "Path"),
    tags: tagsIn(answer, "lower-case"),
    smtp,
  };
}

const defaultDocument = (policy: CloudAnswer): string | null => {
  const version = listIn(policy, "PolicyVersionList").find((candidate) => candidate["IsDefaultVersion"] === true);
  return version === undefined ? null : optionalTextIn(version, "Document");
};

/** Everything that the listing tells, gathered from all pages before any of it is used. */
interface Details {
  readonly users: CloudAnswer[];
  readonly groups: CloudAnswer[];
  readonly policies: CloudAnswer[];
}

async function allDetails({ ask }: Session): Promise<Details> {
  const details: Details = { users: [], groups: [], policies: [] };
  let marker: string | null = null;
  do {
    const answer: CloudAnswer = await ask("listing the enrolled users", {
      service: "iam",
      operation: "GetAccountAuthorizationDetails",
      input: {
        Filter: ["User", "Group", "LocalManagedPolicy", "AWSManagedPolicy"],
        MaxItems: 1_000,
        ...(marker === null ? {} : { Marker: marker }),
      },
    });
    details.users.push(...listIn(answer, "UserDetailList"));
    details.groups.push(...listIn(answer, "GroupDetailList"));
    details.policies.push(...listIn(answer, "Policies"));
    marker = answer["IsTruncated"] === true ? textIn(answer, "Marker") : null;
  } while (marker !== null);
  return details;
}

/** The documents of all policies that bind a user: its own, the attached ones, those of its groups. */
function documentsOf(user: CloudAnswer, details: Details): (string | null)[] {
  const managed = new Map(details.policies.map((policy) => [textIn(policy, "Arn"), defaultDocument(policy)]));
  const names = (user["GroupList"] ?? []) as readonly string[];
  const groups = names.map((name) => details.groups.find((group) => textIn(group, "GroupName") === name));
  const inline = [
    ...listIn(user, "UserPolicyList"),
    ...groups.flatMap((group) => (group === undefined ? [] : listIn(group, "GroupPolicyList"))),
  ];
  const attached = [user, ...groups].flatMap((bearer) =>
    bearer === undefined ? [] : listIn(bearer, "AttachedManagedPolicies"),
  );
  return [
    ...inline.map((policy) => optionalTextIn(policy, "PolicyDocument")),
    ...attached.map((policy) => managed.get(textIn(policy, "PolicyArn")) ?? null),
    // A group that is not in the listing has policies that we do not know.
    ...groups.filter((group) => group === undefined).map(() => null),
  ];
}

export function directDirectory(session: Session): Directory {
  return {
    async tagged() {
      const details = await allDetails(session);
      return details.users
        .filter((user) => Object.keys(tagsIn(user, "lower-case")).some((key) => TAG.test(key)))
        .map((user) => userFrom(user, smtpRight(documentsOf(user, details))));
    },
    async read(user) {
      try {
        const answer = await session.ask(`reading the user ${user}`, {
          service: "iam",
          operation: "GetUser",
          input: { UserName: user },
        });
        return userFrom(partIn(answer, "User"), "unknown");
      } catch (thrown) {
        if (thrown instanceof RotationError && thrown.code === "NotFound") return null;
        throw thrown;
      }
    },
  };
}
