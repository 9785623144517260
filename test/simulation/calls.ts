import type { CloudCall } from "../world/call.ts";

const CHANGES = new Set([
  "iam.CreateAccessKey",
  "iam.UpdateAccessKey",
  "iam.DeleteAccessKey",
  "secretsmanager.CreateSecret",
  "secretsmanager.PutSecretValue",
  "secretsmanager.UpdateSecretVersionStage",
]);

/** Whether a call changes the world. */
export const changes = (name: string): boolean => CHANGES.has(name);

/** The user that a call is about; empty where it is about none. */
export function userOf({ input }: Pick<CloudCall, "input">): string {
  const { UserName: user, SecretId: secret, Name: name } = input;
  if (typeof user === "string") return user;
  const custody = typeof secret === "string" ? secret : name;
  if (typeof custody !== "string") return "";
  return custody.startsWith("keyturn/") ? custody.slice("keyturn/".length) : custody;
}
