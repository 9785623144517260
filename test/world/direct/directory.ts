import { RotationError } from "../../../src/rotation/errors.ts";
import { userName } from "../../../src/rotation/keys.ts";
import type { IamUser, SmtpRight, UserName } from "../../../src/rotation/keys.ts";
import { instant } from "../../../src/rotation/time.ts";
import type { Directory, KeyReport, ReportedKey } from "../../../src/rotation/world.ts";
import { ServiceError } from "../call.ts";
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
  const managed = (arn: string): string | null => {
    const policy = details.policies.findLast((listed) => textIn(listed, "Arn") === arn);
    return policy === undefined ? null : defaultDocument(policy);
  };
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
    ...attached.map((policy) => managed(textIn(policy, "PolicyArn"))),
    // A group that is not in the listing has policies that we do not know.
    ...groups.filter((group) => group === undefined).map(() => null),
  ];
}

const quarantinesOf = (user: CloudAnswer): string[] =>
  listIn(user, "AttachedManagedPolicies")
    .map((policy) => textIn(policy, "PolicyName"))
    .filter((name) => name.startsWith("AWSCompromisedKeyQuarantine"))
    .toSorted();

const REPORT_TRIES_MAX = 10;
const REPORT_ASKED_EVERY_MS = 2_000;
const NO_REPORT = ["ReportNotPresent", "ReportInProgress", "ReportExpired"];

async function keyReport({ ask, clock }: Session): Promise<KeyReport | null> {
  const generate = async (): Promise<CloudAnswer> =>
    ask("having the credential report made", { service: "iam", operation: "GenerateCredentialReport" });
  let isMade = textIn(await generate(), "State") === "COMPLETE";
  for (let tried = 1; tried < REPORT_TRIES_MAX && !isMade; tried += 1) {
    await clock.sleep(REPORT_ASKED_EVERY_MS);
    isMade = textIn(await generate(), "State") === "COMPLETE";
  }
  if (!isMade) return null;
  try {
    const answer = await ask("reading the credential report", { service: "iam", operation: "GetCredentialReport" });
    return reportIn(answer["Content"] as Buffer);
  } catch (thrown) {
    const cause = thrown instanceof RotationError ? thrown.cause : null;
    if (cause instanceof ServiceError && NO_REPORT.includes(cause.code)) return null;
    throw thrown;
  }
}

/** What was read of a report: every sweep is given the same one for hours. */
const known = new WeakMap<Buffer, KeyReport>();

function reportIn(content: Buffer): KeyReport {
  const report = known.get(content) ?? reported(content.toString());
  known.set(content, report);
  return report;
}

/** One line a user: the name may be quoted, and no other field that counts is. */
function reported(csv: string): KeyReport {
  const [header = "", ...lines] = csv.split("\n");
  const names = header.split(",");
  if (!names.includes("access_key_2_last_rotated")) {
    throw new RotationError("Unreachable", "reading the credential report, it has other columns");
  }
  const report = new Map<UserName, ReportedKey[]>();
  for (const line of lines) {
    const [, quoted, bare = ""] = /^(?:"([^"]*)"|([^,]*)),/.exec(line) ?? [];
    const name = quoted ?? bare;
    // The ARN holds the name, and so its commas: columns are counted from the end, which has none.
    const fields = line.split(",").toReversed();
    const at = (column: string): string => fields[names.length - 1 - names.indexOf(column)] ?? "";
    const keys = ["1", "2"].map((key) => ({
      isActive: at(`access_key_${key}_active`) === "true",
      changedAt: Date.parse(at(`access_key_${key}_last_rotated`)),
    }));
    if (name === "<root_account>") continue;
    const there = keys.filter(({ changedAt }) => !Number.isNaN(changedAt));
    report.set(
      userName(name),
      there.map(({ isActive, changedAt }) => ({ isActive, changedAt: instant(changedAt) })),
    );
  }
  return report;
}

export function directDirectory(session: Session): Directory {
  return {
    async tagged() {
      const details = await allDetails(session);
      return details.users
        .filter((user) => Object.keys(tagsIn(user, "lower-case")).some((key) => TAG.test(key)))
        .map((user) => ({
          ...userFrom(user, smtpRight(documentsOf(user, details))),
          quarantines: quarantinesOf(user),
        }));
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
    async hold(user, reason) {
      const Key = "keyturn-hold";
      await session.ask(`holding ${user}`, {
        service: "iam",
        operation: reason === null ? "UntagUser" : "TagUser",
        input: { UserName: user, ...(reason === null ? { TagKeys: [Key] } : { Tags: [{ Key, Value: reason }] }) },
      });
    },
    keyReport: async () => keyReport(session),
  };
}
