import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { RotationError } from "../rotation/errors.ts";
import { Secret } from "../rotation/secret.ts";
import type { Clients } from "./clients.ts";
import { asking } from "./translate-error.ts";

/** A secret stored as plain text, trimmed: its current version, or the one that is named. `Misconfigured` when it is empty or binary. */
export async function readPlainSecret({ secrets }: Clients, name: string, VersionId?: string): Promise<Secret> {
  const doing = `reading the secret ${name}`;
  const { SecretString } = await asking(doing, secrets.send(new GetSecretValueCommand({ SecretId: name, VersionId })));
  const text = SecretString?.trim() ?? "";
  if (text === "") throw new RotationError("Misconfigured", `${doing}, it holds no text`);
  return new Secret(text);
}
