import { RotationError } from "../rotation/errors.ts";
import type { Secret } from "../rotation/secret.ts";
import type { Clients } from "./clients.ts";
import { openSecret } from "./custody-secret.ts";
import { readPlainSecret } from "./plain-secret.ts";

/** What the ids of our versions begin with, before the id of the token that they hold; 32 characters at least. */
const PREFIX = "keyturn-cf-";
const VERSION_ID = /^keyturn-cf-0*x([\w-]+)$/;
const VERSION_ID_MIN = 32;

/** The versions of a secret that holds a token. Every method throws `RotationError` and nothing else. */
export type TokenSecret = ReturnType<typeof openTokenSecret>;

export function openTokenSecret(clients: Clients, name: string) {
  const secret = openSecret(clients.secrets, name, `keeping the token in ${name}`);
  return {
    /** The ids of the versions that are current, and pending if any is. */
    async labels(): Promise<{ readonly current: string; readonly pending: string | null }> {
      const { AWSCURRENT, AWSPENDING } = await secret.labels();
      if (AWSCURRENT !== undefined) return { current: AWSCURRENT, pending: AWSPENDING ?? null };
      throw new RotationError("Misconfigured", `${secret.doing}, it has no current version`);
    },
    read: (versionId: string): Promise<Secret> => readPlainSecret(clients, name, versionId),
    /** Which token one of our versions holds; null for a version of others. */
    tokenOf: (versionId: string): string | null => VERSION_ID.exec(versionId)?.[1] ?? null,
    /** Stores a token as AWSPENDING. Repeated it changes nothing. */
    async store(tokenId: string, value: Secret): Promise<void> {
      const rest = `x${tokenId}`;
      const token = PREFIX + rest.padStart(VERSION_ID_MIN - PREFIX.length, "0");
      await secret.put("AWSPENDING", { token, text: value.reveal() });
    },
    /** By compare and swap: `Conflict` when somebody made another version current. */
    promote: (versionId: string, from: string): Promise<void> => secret.move("AWSCURRENT", { from, to: versionId }),
    withdraw: (versionId: string): Promise<void> => secret.move("AWSPENDING", { from: versionId, to: null }),
  };
}
