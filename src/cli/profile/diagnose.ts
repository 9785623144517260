import { openOperator } from "../../cloud/operator.ts";
import { RotationError } from "../../rotation/errors.ts";
import type { Credential } from "../../rotation/keys.ts";
import { bad, type Check, ok } from "../checks.ts";
import type { Terminal } from "../command.ts";
import { credentialsFile, readProfile, readText } from "./credentials-file.ts";

/** What STS's refusals mean, and what to do. Source: IAM User Guide, troubleshooting access keys. */
const REFUSED: Readonly<Record<string, readonly [string, string]>> = {
  InvalidClientTokenId: [
    "InvalidClientTokenId (S3 says InvalidAccessKeyId): AWS does not know the key id. It was deleted, is Inactive, or is of another partition.",
    "If Keyturn rotated it, ask whoever runs Keyturn for the current pair, and set it with `aws configure`: `keyturn pull` asks with the pair that it has, which is dead. Else see the user's keys in IAM.",
  ],
  SignatureDoesNotMatch: [
    "SignatureDoesNotMatch: the key id is known, and the secret is not its own. Often a torn pair, or a character too many.",
    "Write both again, together: `aws configure`, with the id and the secret as they were given.",
  ],
};

/** Why a pair of the credentials file does not work, from the file to AWS's own answer. */
export async function diagnoseProfile(profile: string, terminal: Terminal): Promise<readonly Check[]> {
  const file = credentialsFile(terminal);
  const text = await readText(file).catch((thrown: unknown) => {
    if (thrown instanceof RotationError) return thrown;
    throw thrown;
  });
  if (text instanceof RotationError)
    return [bad("file", text.message, "Or name another by AWS_SHARED_CREDENTIALS_FILE.")];
  if (text === null) {
    return [
      bad("file", `there is no ${file}`, "Run `aws configure`, or set AWS_SHARED_CREDENTIALS_FILE to where it is."),
    ];
  }
  const { findings, pair, isTemporary } = readProfile(text, profile);
  const found = findings.map(({ said, wayOut }) => bad("file", said, wayOut.replaceAll("<name>", profile)));
  const checks = found.length === 0 ? [ok("file", `[${profile}] in ${file} is well written`)] : found;
  if (terminal.env["AWS_ACCESS_KEY_ID"]) {
    const said = "AWS_ACCESS_KEY_ID is set, and goes before every profile";
    checks.push({
      check: "environment",
      verdict: "could not tell",
      said,
      wayOut: "Unset it, where the profile is meant.",
    });
  }
  if (pair !== null && !isTemporary) checks.push(await tried(pair, terminal));
  return checks;
}

async function tried(pair: Credential, terminal: Terminal): Promise<Check> {
  try {
    const operator = await openOperator(terminal.env["AWS_ENDPOINT_URL"]);
    const answer = await operator.prover.callerArn(pair, operator.region).finally(() => operator.close());
    if (answer.kind === "answered") {
      const denied =
        "If a call says AccessDenied, the pair is good and the user may not do it: its policies say what it may.";
      return ok("AWS", `${pair.id} works, and is ${answer.arn}. ${denied}`);
    }
    const [said, wayOut] = REFUSED[answer.because] ?? [answer.because, "See the error in the IAM User Guide."];
    return bad("AWS", `${pair.id}: ${said}`, wayOut);
  } catch (thrown) {
    if (!(thrown instanceof RotationError)) throw thrown;
    return {
      check: "AWS",
      verdict: "could not tell",
      said: thrown.message,
      wayOut: "See that AWS can be reached, and a Region is set.",
    };
  }
}
