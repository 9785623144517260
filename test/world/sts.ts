import { ServiceError } from "./call.ts";
import type { CloudAnswer } from "./call.ts";
import { secondsDate } from "./caller.ts";
import type { Caller, Operations, Received, SigningPair } from "./caller.ts";
import { optionalNumber, text } from "./input.ts";
import { secretText, uniqueId } from "./random.ts";
import type { SeededRandom } from "./random.ts";

const HOUR_S = 3_600;

/** Temporary credentials. They work until they end, whatever becomes of the key that made them (IAM User Guide). */
interface TemporaryCredentials extends SigningPair {
  readonly caller: Caller;
  readonly endsAtMs: number;
}

/** Least, default and longest life in seconds (STS API, GetSessionToken, GetFederationToken, AssumeRole). */
const LIVES = {
  GetSessionToken: [900, 12 * HOUR_S, 36 * HOUR_S],
  GetFederationToken: [900, 12 * HOUR_S, 36 * HOUR_S],
  AssumeRole: [900, HOUR_S, 12 * HOUR_S],
} as const;

/** STS: who a caller is, and sessions made from keys. */
export class Sts {
  readonly operations: Operations;
  readonly #sessions = new Map<string, TemporaryCredentials>();
  readonly #account: string;
  readonly #random: SeededRandom;

  constructor(account: string, random: SeededRandom) {
    this.#account = account;
    this.#random = random;
    this.operations = {
      // It needs no permission, and answers at every Region's endpoint (IAM API).
      GetCallerIdentity: ({ caller }) => ({ UserId: caller.uniqueId, Account: account, Arn: caller.arn }),
      GetSessionToken: (received) => this.#getSessionToken(received),
      GetFederationToken: (received) => this.#getFederationToken(received),
      AssumeRole: (received) => this.#assumeRole(received),
    };
  }

  /** The credentials of this id, if STS made them. Throws once they have ended. */
  find(keyId: string, nowMs: number): TemporaryCredentials | null {
    const session = this.#sessions.get(keyId) ?? null;
    if (session === null || nowMs < session.endsAtMs) return session;
    throw new ServiceError("ExpiredToken", "The security token included in the request is expired", 403);
  }

  #getSessionToken({ caller, ...received }: Received): CloudAnswer {
    // Only a user's own keys may call it (STS API, GetSessionToken).
    if (!caller.keyId.startsWith("AKIA")) {
      throw new ServiceError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403);
    }
    return { Credentials: this.#make("GetSessionToken", received, caller) };
  }

  #getFederationToken({ caller, ...received }: Received): CloudAnswer {
    const name = text(received.input, "Name");
    const arn = `arn:aws:sts::${this.#account}:federated-user/${name}`;
    const id = `${this.#account}:${name}`;
    const made = this.#make("GetFederationToken", received, { ...caller, arn, name, uniqueId: id });
    return { Credentials: made, FederatedUser: { Arn: arn, FederatedUserId: id } };
  }

  #assumeRole(received: Received): CloudAnswer {
    const roleArn = text(received.input, "RoleArn");
    const name = roleArn.split("/").at(-1) ?? "";
    const session = text(received.input, "RoleSessionName");
    const arn = `arn:aws:sts::${this.#account}:assumed-role/${name}/${session}`;
    const roleId = uniqueId(this.#random, "AROA");
    const uniqueSessionId = `${roleId}:${session}`;
    const role = { arn: roleArn, name, uniqueId: roleId };
    const caller = { kind: "role", arn, uniqueId: uniqueSessionId, name: session, role } as const;
    const made = this.#make("AssumeRole", received, { ...caller, keyId: "" });
    return { Credentials: made, AssumedRoleUser: { Arn: arn, AssumedRoleId: uniqueSessionId } };
  }

  #make(operation: keyof typeof LIVES, { input, nowMs }: Omit<Received, "caller">, caller: Caller): CloudAnswer {
    const [least, usual, longest] = LIVES[operation];
    const seconds = Number(optionalNumber(input, "DurationSeconds") ?? usual);
    if (seconds < least || seconds > longest) {
      throw new ServiceError("ValidationError", "The requested DurationSeconds is out of bounds");
    }
    const keyId = uniqueId(this.#random, "ASIA");
    const secret = secretText(this.#random);
    const endsAtMs = secondsDate(nowMs).getTime() + seconds * 1_000;
    this.#sessions.set(keyId, { keyId, secret, endsAtMs, caller: { ...caller, keyId } });
    const token = secretText(this.#random) + secretText(this.#random);
    return { AccessKeyId: keyId, SecretAccessKey: secret, SessionToken: token, Expiration: new Date(endsAtMs) };
  }
}
