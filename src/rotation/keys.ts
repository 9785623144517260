import type { Secret } from "./secret.ts";
import type { Instant } from "./time.ts";

declare const keyIdBrand: unique symbol;
declare const userNameBrand: unique symbol;

/** The public half of a key, such as AKIAIOSFODNN7EXAMPLE. May be logged. */
export type AccessKeyId = string & { readonly [keyIdBrand]: "AccessKeyId" };
export type UserName = string & { readonly [userNameBrand]: "UserName" };

export const accessKeyId = (id: string): AccessKeyId => id as AccessKeyId;
export const userName = (name: string): UserName => name as UserName;

/** One access key as IAM lists it. A status that we do not know makes the keys unreadable (rule 2). */
export interface AccessKey {
  readonly id: AccessKeyId;
  readonly status: "active" | "inactive" | "unrecognized";
  readonly createdAt: Instant;
}

/** A pair: an access key id with its secret. */
export interface Credential {
  readonly id: AccessKeyId;
  readonly secret: Secret;
}

/** Whether the user's policies let it send mail by SMTP. `unknown` when they could not be read. */
export type SmtpRight = "none" | "allowed" | "unknown";

/** An IAM user as a listing or a fresh read shows it. */
export interface IamUser {
  readonly name: UserName;
  /** IAM's UserId (AIDA…). A user deleted and made again under its old name has another one. */
  readonly id: string;
  readonly arn: string;
  readonly path: string;
  /** Tag keys in lower case: IAM compares them without case, and so do we. */
  readonly tags: Readonly<Record<string, string>>;
  readonly smtp: SmtpRight;
  /** The names of the quarantine policies that AWS attached to it, in order; left out where policies were not read. */
  readonly quarantines?: readonly string[];
}
