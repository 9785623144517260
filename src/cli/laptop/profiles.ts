import { join } from "node:path";
import { RotationError } from "../../rotation/errors.ts";
import { accessKeyId, type Credential } from "../../rotation/keys.ts";
import { Secret } from "../../rotation/secret.ts";
import type { Terminal } from "../command.ts";
import { profileIn } from "./profile-text.ts";

const ID = "aws_access_key_id";
const SECRET = "aws_secret_access_key";

/** Where AWS's tools keep profiles. Source: AWS SDKs and Tools Reference Guide, location of the shared files. */
export const credentialsFile = ({ env, home }: Terminal): string =>
  env["AWS_SHARED_CREDENTIALS_FILE"] || join(home, ".aws", "credentials");
export const configFile = ({ env, home }: Terminal): string => env["AWS_CONFIG_FILE"] || join(home, ".aws", "config");

/** The pair of a profile. Throws `Misconfigured`, in words, where it holds none, or one that Keyturn does not rotate. */
export function pairIn(text: string | null, profile: string, file: string): Credential {
  if (text === null) {
    const mend = `"aws configure --profile ${profile}" makes it, or AWS_SHARED_CREDENTIALS_FILE says where it is`;
    throw new RotationError("Misconfigured", `reading ${file}, it is not there: ${mend}`);
  }
  const found = profileIn(text, profile);
  const refused = (said: string): RotationError =>
    new RotationError("Misconfigured", `reading ${file}, the profile ${profile} ${said}`);
  if (found === null) throw refused(`is not in it: "aws configure --profile ${profile}" makes it`);
  if (["aws_session_token", "aws_security_token"].some((name) => found.value(name) !== null)) {
    throw refused("holds a session, which ends by itself, and not a user's own pair");
  }
  const [id, secret] = [found.value(ID) ?? "", found.value(SECRET) ?? ""];
  if (!/^\w{16,128}$/.test(id) || secret === "") throw refused("holds no pair");
  return { id: accessKeyId(id), secret: new Secret(secret) };
}

/** The text with another pair in the profile; null where it does not hold the pair any more that was replaced. */
export function withPair(text: string, profile: string, replaced: Credential, pair: Credential): string | null {
  const found = profileIn(text, profile);
  if (found?.value(ID) !== replaced.id || found.value(SECRET) !== replaced.secret.reveal()) return null;
  return found.with({ [ID]: pair.id, [SECRET]: pair.secret.reveal() });
}
