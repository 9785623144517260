import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { RotationError } from "../../rotation/errors.ts";
import { accessKeyId, type Credential } from "../../rotation/keys.ts";
import { Secret } from "../../rotation/secret.ts";
import type { Terminal } from "../command.ts";

/** What is wrong with a profile in a credentials file, and the way out. Never says what the secret is. */
interface Finding {
  readonly said: string;
  readonly wayOut: string;
}

export interface ProfileRead {
  readonly findings: readonly Finding[];
  /** Null where there is no whole pair. */
  readonly pair: Credential | null;
  readonly isTemporary: boolean;
}

export const credentialsFile = ({ env, home }: Terminal): string =>
  env["AWS_SHARED_CREDENTIALS_FILE"] || join(home, ".aws", "credentials");

/** The file's text; null where there is none. Throws `Misconfigured` for one that cannot be read. */
export async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return null;
    const because = `${String((thrown as NodeJS.ErrnoException).code)}. See that it is a file, and that you may read it`;
    throw new RotationError("Misconfigured", `reading ${file}, ${because}`, { cause: thrown });
  }
}

const SECRET_LENGTH = 40;
const AGAIN =
  "Run `aws configure --profile <name>` again, or correct the line in an editor that shows such characters.";
const finding = (said: string, wayOut = AGAIN): Finding => ({ said, wayOut });

/** Reads one profile as the SDKs do, and says what they trip over in silence. Source: AWS SDKs reference, shared files. */
export function readProfile(text: string, profile: string): ProfileRead {
  const body = text.replace(/^\uFEFF/, "");
  const findings = [
    text === body
      ? []
      : finding(
          "The file begins with a byte order mark, which hides its first profile.",
          "Save it as UTF-8 without BOM.",
        ),
    /\r/.test(body)
      ? finding(
          "Lines end with a carriage return, which some tools take for a part of the value.",
          "Save the file with Unix line ends (LF).",
        )
      : [],
  ].flat();
  const known = [...body.matchAll(/^\s*\[([^\]\r\n]+)\]/gm)].map(([, name = ""]) => name.trim());
  findings.push(...repeated(known.map((name) => `[${name}]`)));
  const written = settingsOf(body, profile);
  if (written === null) {
    const said = `There is no profile [${profile}] in the file; it has ${known.join(", ") || "none"}.`;
    return {
      findings: [
        ...findings,
        finding(said, "Name one of these with --profile, or run `aws configure --profile <name>`."),
      ],
      pair: null,
      isTemporary: false,
    };
  }
  findings.push(...repeated(written.map(([name]) => name)));
  const settings = new Map(written);
  for (const [name, value] of settings) findings.push(...blemishes(name, value));
  const [id, secret] = ["aws_access_key_id", "aws_secret_access_key"].map((name) => settings.get(name)?.trim() ?? "");
  const isTemporary = settings.has("aws_session_token");
  if (isTemporary)
    findings.push(finding("The profile holds a session token: it is no access key of a user, and ends by itself."));
  findings.push(...malformed(id ?? "", secret ?? ""));
  const pair = id && secret ? { id: accessKeyId(id), secret: new Secret(secret) } : null;
  return { findings, pair, isTemporary };
}

function settingsOf(body: string, profile: string): (readonly [name: string, value: string])[] | null {
  let settings: (readonly [string, string])[] | null = null;
  let isInside = false;
  for (const line of body.split("\n")) {
    const [, section] = /^\s*\[([^\]]+)\]/.exec(line) ?? [];
    if (section !== undefined) isInside = section.trim() === profile;
    const [, name = "", value = ""] = /^\s*([^=#;[\s]+)\s*=[^\S\r\n]?(.*)$/s.exec(line) ?? [];
    if (isInside) settings ??= [];
    if (isInside && name !== "") settings?.push([name.toLowerCase(), value]);
  }
  return settings;
}

/** The AWS CLI then reads nothing of the whole file, and others take the last. Source: Python's configparser. */
function repeated(names: readonly string[]): readonly Finding[] {
  const twice = [...new Set(names.filter((name, index) => names.indexOf(name) < index))];
  return twice.map((name) => finding(`${name} is there twice.`, "Keep one of them."));
}

function blemishes(name: string, value: string): readonly Finding[] {
  const held = value.replace(/\r$/, "");
  return [
    /\s$/.test(held) ? finding(`${name} ends with a space or a tab.`) : [],
    /^\s/.test(held) ? finding(`${name} begins with more than one space.`) : [],
    /^["'].*["']\s*$/.test(held) ? finding(`${name} stands in quotes, which count as a part of it.`) : [],
    /[\u0080-\uFFFF]/.test(held) ? finding(`${name} has a character that is not ASCII, perhaps an invisible one.`) : [],
  ].flat();
}

function malformed(id: string, secret: string): readonly Finding[] {
  return [
    id === "" ? finding("aws_access_key_id is missing.") : [],
    id !== "" && !/^(AKIA|ASIA)[A-Z2-7]{12,124}$/.test(id)
      ? finding("aws_access_key_id is no access key id: those begin with AKIA and have capital letters and digits.")
      : [],
    secret === "" ? finding("aws_secret_access_key is missing.") : [],
    secret !== "" && secret.length !== SECRET_LENGTH
      ? finding(
          `aws_secret_access_key has ${String(secret.length)} characters; a secret key has ${String(SECRET_LENGTH)}.`,
        )
      : [],
  ].flat();
}
