import { realpath } from "node:fs/promises";
import { execPath } from "node:process";
import { RotationError } from "../../rotation/errors.ts";
import type { CliCommand, Terminal, Typed } from "../command.ts";
import { bytesOf, profileIn, withProfile } from "./profile-text.ts";
import { configFile, credentialsFile, pairIn } from "./profiles.ts";
import { OPTIONS, readingOf, type Reading } from "./renewal.ts";
import { changeWhole, readWhole } from "./whole-file.ts";

const USAGE =
  "<new profile> --user <user> [--profile <source>] [--reader <name>] [--region <region>] [--secret <name>]";
const SETTING = "credential_process";

export const INSTALL_PROFILE: CliCommand = {
  name: "install-profile",
  usage: USAGE,
  summary: "Makes an AWS profile that always has the user's current pair.",
  help: `Writes a profile into ~/.aws/config whose credential_process is this program. The first pair is taken from the profile named by
--profile, "default" where it is not said, which stays as it is. Said twice it acts once.

  keyturn install-profile flowid --user flowid-dev-user --profile default --reader laptop-a
  AWS_PROFILE=flowid aws sts get-caller-identity`,
  options: { ...OPTIONS, profile: { type: "string" } },
  async run(typed, terminal) {
    const reading = readingOf(typed, terminal);
    const [name] = typed.positionals;
    if (reading === null || name === undefined || !/^[\w.-]+$/.test(name)) {
      terminal.err(`Usage: keyturn install-profile ${USAGE}\n`);
      return 2;
    }
    if (reading.region === null) {
      terminal.err(
        "Say --region: where the secret is. The profile has it written down, whatever the environment says later.\n",
      );
      return 2;
    }
    await refuseShadowed(name, typed, terminal);
    const file = configFile(terminal);
    const command = commandLine(await realpath(process.argv[1] ?? ""), reading, typed);
    await changeWhole(file, (text) => configured(text, name, command), false);
    terminal.out(`The profile ${name} of ${file} has the current pair of ${reading.user} from now on.\n`);
    return 0;
  },
};

/** A pair typed into a profile comes before its credential_process. Source: AWS SDKs and Tools Reference Guide, standardized providers. */
async function refuseShadowed(name: string, { values }: Typed, terminal: Terminal): Promise<void> {
  const file = credentialsFile(terminal);
  const text = await readWhole(file);
  if ((profileIn(text ?? "", name)?.value("aws_access_key_id") ?? null) !== null) {
    const said = `${file} holds a pair under [${name}], which AWS's tools would take instead: choose another name`;
    throw new RotationError("Misconfigured", `making the profile ${name}, ${said}`);
  }
  // It must be there to begin with.
  pairIn(text, typeof values["profile"] === "string" ? values["profile"] : "default", file);
}

function configured(text: string, name: string, command: string): string | null {
  const section = name === "default" ? name : `profile ${name}`;
  const found = profileIn(text, section);
  const settings = { [SETTING]: bytesOf(command) };
  if (found === null) return withProfile(text, section, settings);
  const other = ["role_arn", "sso_session", "sso_start_url", "web_identity_token_file", "aws_access_key_id"];
  const shadow = other.find((setting) => found.value(setting) !== null);
  if (shadow !== undefined) {
    const said = `it has ${shadow}, and would have two sources of credentials: choose another name`;
    throw new RotationError("Misconfigured", `making the profile ${name}, ${said}`);
  }
  const changed = found.with(settings);
  return changed === text ? null : changed;
}

/** The words as both a shell and the AWS CLI's own splitting read them: in double quotes, where nothing stands that they would change. */
function commandLine(program: string, { user, reader, region, secretId }: Reading, { values }: Typed): string {
  const options = { user, profile: values["profile"], reader, region, secret: values["secret"] && secretId };
  const words = Object.entries(options).flatMap(([name, value]) => (value ? [`--${name}`, String(value)] : []));
  // Windows starts no script by itself.
  const start = process.platform === "win32" ? [execPath, program] : [program];
  const line = [...start.map((path) => `"${path}"`), "credential-process", ...words.map(quoted)].join(" ");
  const isPlain = start.every(
    (path) => !/["$`!\r\n]/.test(path) && (process.platform === "win32" || !path.includes("\\")),
  );
  if (isPlain) return line;
  throw new RotationError("Misconfigured", `making a profile, ${program} has a character that no profile can name`);
}

const quoted = (word: string): string => {
  if (/["$`!\\\r\n]/.test(word))
    throw new RotationError("Misconfigured", `making a profile, "${word}" cannot stand in it`);
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `"${word}"`;
};
