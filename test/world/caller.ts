import type { CloudAnswer, CloudCall, Signer } from "./call.ts";

/** A pair as a workload holds it. */
export interface SigningPair {
  readonly keyId: string;
  readonly secret: string;
}

/** Who signed a call, once its signature was found good. */
export interface Caller {
  readonly kind: "user" | "role";
  readonly keyId: string;
  /** As GetCallerIdentity names it. */
  readonly arn: string;
  readonly uniqueId: string;
  /** The user's name, or the session's. */
  readonly name: string;
  /** The role behind a session. */
  readonly role: { readonly arn: string; readonly name: string; readonly uniqueId: string } | null;
}

/** An authenticated call as a service sees it. */
export interface Received extends CloudCall {
  readonly caller: Caller;
  readonly nowMs: number;
}

/** What a service can do, by the API's names. */
export type Operations = Readonly<Record<string, (received: Received) => CloudAnswer>>;

/** The signature that a holder of this pair makes, without the arithmetic. */
export function signerOf(pair: SigningPair): Signer {
  return { keyId: pair.keyId, isMadeWith: (secret) => secret === pair.secret };
}

/** AWS answers in whole seconds wherever we meet its times (IAM, STS, CloudTrail). */
export const secondsDate = (epochMs: number): Date => new Date(Math.floor(epochMs / 1_000) * 1_000);
