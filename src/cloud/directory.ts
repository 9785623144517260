import * as sdk from "@aws-sdk/client-iam";
import type { IAMClient, Tag, User, UserDetail } from "@aws-sdk/client-iam";
import { RotationError } from "../rotation/errors.ts";
import { userName, type IamUser, type SmtpRight } from "../rotation/keys.ts";
import type { Directory } from "../rotation/world.ts";
import { listWithSmtpRights } from "./authorization-details.ts";
import type { Clients } from "./clients.ts";
import { readKeyReport } from "./credential-report.ts";
import { readPages } from "./pages.ts";
import { retryThrottled, type Waiting } from "./retry.ts";
import { asking, finding } from "./translate-error.ts";

const PAGE_ITEMS = 1_000;
const TAG_READS_AT_ONCE = 5;

interface DirectoryOptions extends Waiting {
  /** The tag keys that make a user ours to look at: the stage's enrolment tag and the hold tag. */
  readonly tagKeys: readonly string[];
  /** Only users below this path are listed, with `smtp` `unknown`, since policies are not read. Null lists everybody. */
  readonly pathPrefix: string | null;
  /** The tag by which an operator holds a user. */
  readonly holdTag: string;
}

/** IAM's users. */
export function createDirectory({ iam, iamOnce }: Clients, options: DirectoryOptions): Directory {
  const { tagKeys, pathPrefix, holdTag } = options;
  const wanted = tagKeys.map((key) => key.toLowerCase());
  return {
    async tagged() {
      const all = pathPrefix === null ? await listAccount(iam) : await listPath(iam, pathPrefix);
      return all.filter(({ tags }) => wanted.some((key) => Object.hasOwn(tags, key)));
    },
    async read(name) {
      const answer = await finding(`reading user ${name}`, iam.send(new sdk.GetUserCommand({ UserName: name })));
      return answer === null ? null : parseUser(answer.User, answer.User?.Tags, "unknown");
    },
    async hold(name, reason) {
      const doing = reason === null ? `ending the hold of ${name}` : `holding ${name}`;
      const tag = { UserName: name, Tags: [{ Key: holdTag, Value: reason ?? "" }] };
      const untag = { UserName: name, TagKeys: [holdTag] };
      // As with descriptions, the SDK would take "50 tags" for throttling.
      await retryThrottled(options, async () => {
        if (reason === null) await asking(doing, iamOnce.send(new sdk.UntagUserCommand(untag)));
        else await asking(doing, iamOnce.send(new sdk.TagUserCommand(tag)));
      });
    },
    keyReport: () => readKeyReport(iam, options.clock),
  };
}

async function listAccount(iam: IAMClient): Promise<readonly IamUser[]> {
  const users = await listWithSmtpRights(iam);
  return users.map(({ user, smtp, quarantines }) => ({ ...parseUser(user, user.Tags, smtp), quarantines }));
}

/** Lists the users below a path and reads their tags, a few at a time. A user deleted in the meantime is left out. */
async function listPath(iam: IAMClient, pathPrefix: string): Promise<readonly IamUser[]> {
  const listing = sdk.paginateListUsers({ client: iam, pageSize: PAGE_ITEMS }, { PathPrefix: pathPrefix });
  const pages = await readPages(`listing the users below ${pathPrefix}`, listing);
  const found: IamUser[] = [];
  const rest = pages.flatMap(({ Users = [] }) => Users).values();
  const work = async (): Promise<void> => {
    for (const user of rest) {
      const doing = `reading the tags of ${user.UserName ?? ""}`;
      const tagPages = sdk.paginateListUserTags({ client: iam }, { UserName: user.UserName });
      const tags = (await finding(doing, readPages(doing, tagPages)))?.flatMap(({ Tags = [] }) => Tags);
      if (tags !== undefined) found.push(parseUser(user, tags, "unknown"));
    }
  };
  await Promise.all(Array.from({ length: TAG_READS_AT_ONCE }, work));
  return found;
}

function parseUser(user: User | UserDetail | undefined, tags: readonly Tag[] | undefined, smtp: SmtpRight): IamUser {
  const { UserName, UserId, Arn, Path } = user ?? {};
  if (UserName === undefined || UserId === undefined || Arn === undefined) {
    throw new RotationError("Unreachable", "reading users, one has no name, id or ARN");
  }
  return {
    name: userName(UserName),
    id: UserId,
    arn: Arn,
    path: Path ?? "/",
    tags: Object.fromEntries((tags ?? []).map(({ Key, Value }) => [(Key ?? "").toLowerCase(), Value ?? ""])),
    smtp,
  };
}
