import { openOperator, type Operator } from "../../cloud/operator.ts";
import { type IamUser, userName } from "../../rotation/keys.ts";
import type { Examined } from "../checks.ts";
import type { CliCommand, Terminal } from "../command.ts";
import { keepCustody, type Deposit } from "../custody.ts";
import { credentialsFile, readProfile, readText } from "../profile/credentials-file.ts";
import { nearest } from "../did-you-mean.ts";
import { Refused, TypedWrongly, withFunction } from "../function.ts";
import { isAsked, outText, required, text, words } from "../typed.ts";
import { describeSweep, type Swept } from "./sweep.ts";

type Profile = Examined["profiles"][number];

const ENROLL: CliCommand = {
  name: "enroll",
  usage: "<user> --as <profile> [--deposit --pair-from <AWS profile>]",
  summary: "Has a user's keys rotated from now on, with your own rights.",
  help: `Makes the user's secret (with a marker in it, and no pair), lets the user read it where the profile's consumers do,
tags the user, and shows its first plan. Nothing is rotated by this. Said twice it acts once; cut short, say it again.

With --deposit the pair that the user's consumers hold is put into the secret, read from ~/.aws/credentials and tried
first: readers of the secret have it at once, and the first rotation has a way back.

It needs iam:GetUser, iam:TagUser, and of Secrets Manager CreateSecret, DescribeSecret, TagResource, Get- and PutResourcePolicy;
to deposit also GetSecretValue, PutSecretValue and UpdateSecretVersionStage.

  keyturn enroll cloudflare-cognito-admin --as cognito-admin
  keyturn enroll flowid-dev-user --as flowid --deposit --pair-from default`,
  options: { as: { type: "string" }, deposit: { type: "boolean" }, "pair-from": { type: "string" } },
  async run(typed, terminal) {
    const [user] = words(typed, ["<user>"]);
    const name = required(typed, "as", "cognito-admin");
    const from = isAsked(typed, "deposit") ? required(typed, "pair-from", "default") : null;
    if (from === null && text(typed, "pair-from") !== undefined)
      throw new TypedWrongly("--pair-from goes with --deposit.");
    const pair = from === null ? null : await depositOf(from, terminal);
    return withFunction(typed, terminal, async (ask) => {
      const told = (await ask({ command: "doctor", profile: name })) as Examined;
      const profile = profileNamed(name, told);
      await asOperator(terminal, (operator) => enroll(operator, terminal, { user, profile, told, pair }));
      const plan = (await ask({ command: "plan", users: [user] })) as Swept;
      outText(terminal, `\n${user} is enrolled as ${name}. What would be done next:`);
      describeSweep(terminal, plan);
      return plan.status === "ok" ? 0 : 1;
    });
  },
};

function profileNamed(name: string, { profiles, checks }: Examined): Profile {
  const profile = profiles.find((each) => each.name === name);
  const known = profiles.map((each) => each.name);
  if (profile === undefined) {
    const meant = nearest(name, known);
    throw new TypedWrongly(
      `There is no profile ${name}${meant === null ? "." : `: did you mean ${meant}?`} There are ${known.join(", ")}.`,
    );
  }
  const blocked = checks.find(({ check, verdict }) => check.startsWith(`${name}: `) && verdict !== "ok");
  if (blocked === undefined) return profile;
  throw new Refused(`Nothing could be delivered: ${blocked.check}: ${blocked.said}\n${blocked.wayOut ?? ""}`);
}

async function depositOf(awsProfile: string, terminal: Terminal): Promise<Deposit> {
  const file = credentialsFile(terminal);
  const read = readProfile((await readText(file)) ?? "", awsProfile);
  if (read.pair !== null && !read.isTemporary && read.findings.length === 0) return read.pair;
  throw new Refused(
    `[${awsProfile}] in ${file} holds no pair that could be deposited: \`keyturn doctor --profile ${awsProfile}\` says why.`,
  );
}

async function asOperator<T>(terminal: Terminal, work: (operator: Operator) => Promise<T>): Promise<T> {
  const operator = await openOperator(terminal.env["AWS_ENDPOINT_URL"]);
  try {
    return await work(operator);
  } finally {
    operator.close();
  }
}

const READING = {
  made: "the user may read it, and nobody was let in beside",
  there: "the user may read it already",
  foreign: "it has a policy of its own, which is left: see that the user may read what is current in it",
} as const;

interface Enrolling {
  readonly user: string;
  readonly profile: Profile;
  readonly told: Examined;
  readonly pair: Deposit | null;
}

/** The tag comes last: until then the function does nothing with the user, and whatever was cut short is done again. */
async function enroll(operator: Operator, terminal: Terminal, { user, profile, told, pair }: Enrolling): Promise<void> {
  const { account } = await operator.identity.read();
  if (account !== told.account)
    throw new Refused(`Your credentials are of account ${account}, and the function is in ${told.account}.`);
  const iamUser = await operator.directory.read(userName(user));
  if (iamUser === null) throw new Refused(`There is no user ${user} in account ${account}.`);
  mayEnrol(iamUser, profile, told.enrolmentTag);
  const step = (said: string): void => outText(terminal, `- ${said}`);
  const name = `${told.enrolmentTag}/${user}`;
  await keepCustody(operator, { name, account, iamUser, pair, step });
  if (profile.readsCustody) {
    step(READING[await operator.letRead(name, iamUser.arn)]);
  }
  const isTagged = iamUser.tags[told.enrolmentTag] === profile.name;
  if (!isTagged) await operator.tag(user, told.enrolmentTag, profile.name);
  step(`${user} ${isTagged ? "was tagged already" : "is tagged"}: ${told.enrolmentTag}=${profile.name}`);
}

function mayEnrol({ name, path, tags }: IamUser, profile: Profile, enrolmentTag: string): void {
  const isServed = profile.users.some((entry) => (entry.endsWith("/") ? path.startsWith(entry) : entry === name));
  if (!isServed) {
    throw new Refused(
      `The profile ${profile.name} may serve ${profile.users.join(", ")}. Add ${name} in keyturn.config.ts, and deploy.`,
    );
  }
  const other = Object.entries(tags).find(
    ([key, value]) => /^keyturn(-(?!hold$).+)?$/.test(key) && (key !== enrolmentTag || value !== profile.name),
  );
  if (other !== undefined)
    throw new Refused(`${name} is enrolled already, by ${other.join("=")}. Say \`keyturn unenroll ${name}\` first.`);
}

const UNENROLL: CliCommand = {
  name: "unenroll",
  usage: "<user> [--anyway]",
  summary: "Leaves a user's keys alone for good, as they are now.",
  help: `Takes the enrolment tag away, with your own rights (iam:UntagUser). The keys stay, and so does the secret, from
which consumers may be reading. In the middle of a rotation it is refused, for both keys would stay: let it end, or
say --anyway.

  keyturn unenroll flowid-dev-user`,
  options: { anyway: { type: "boolean" } },
  async run(typed, terminal) {
    const [user] = words(typed, ["<user>"]);
    return withFunction(typed, terminal, async (ask) => {
      const status = (await ask({ command: "status", users: [user] })) as {
        readonly enrolmentTag: string;
        readonly users: readonly { readonly phase: string; readonly keys: readonly unknown[] }[];
      };
      const { phase = "at rest", keys = [] } = status.users[0] ?? {};
      // A user that is held, or could not be read, may be in the middle of one all the same.
      const isUnderWay = ["replacing", "waiting", "soaking", "unreadable"].includes(phase) || keys.length > 1;
      if (isUnderWay && !isAsked(typed, "anyway")) {
        throw new Refused(
          phase === "unreadable"
            ? `Whether ${user} is in the middle of a rotation cannot be told: see \`keyturn status ${user}\`, or say --anyway.`
            : `${user} is in the middle of a rotation (${phase}), and two keys would stay. Let it end, or say --anyway.`,
        );
      }
      const tag = status.enrolmentTag;
      await asOperator(terminal, async (operator) => {
        if ((await operator.directory.read(userName(user))) === null) throw new Refused(`There is no user ${user}.`);
        await operator.untag(user, tag);
      });
      outText(
        terminal,
        `${user} is no longer enrolled. Its keys stay as they are, and so does the secret ${tag}/${user}.`,
      );
      return 0;
    });
  },
};

/** With the operator's own rights: the function may not tag, so that nobody who invokes it chooses whom it serves. */
export const ENROLMENT: readonly CliCommand[] = [ENROLL, UNENROLL];
