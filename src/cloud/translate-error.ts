import { RotationError, type RotationErrorCode } from "../rotation/errors.ts";

/** What an SDK error shows of itself. Parsed leniently: anything may be thrown. */
interface Foreign {
  readonly name?: string;
  readonly message?: string;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number; readonly requestId?: string };
  /** Of a cancelled transaction, one for each of its items; "None" for those that had no fault. */
  readonly CancellationReasons?: readonly { readonly Code?: string }[];
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** The services' names of their errors, without the suffix "Exception" that some clients add to them. */
const CODES: readonly (readonly [RotationErrorCode, readonly string[]])[] = [
  ["NotFound", ["NoSuchEntity", "ResourceNotFound"]],
  ["LimitReached", ["LimitExceeded"]],
  // Before the throttles: a transaction may be cancelled for both, and then there is no use in repeating it.
  ["Conflict", ["ConditionalCheckFailed", "TransactionConflict", "TransactionInProgress", "ResourceExists"]],
  ["Conflict", ["ConcurrentModification", "EntityTemporarilyUnmodifiable", "TooManyUpdates"]],
  ["Throttled", ["Throttling", "ThrottlingError", "Throttled", "TooManyRequests"]],
  ["Throttled", ["RequestLimitExceeded", "ProvisionedThroughputExceeded"]],
  ["Denied", ["AccessDenied", "DecryptionFailure", "EncryptionFailure"]],
  ["Denied", ["InvalidClientTokenId", "UnrecognizedClient", "ExpiredToken"]],
  ["Misconfigured", ["CredentialsProviderError"]],
];

/** Node's codes of a connection that was never made: it carried nothing. */
export const NEVER_SENT: readonly unknown[] = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"];

/** An error's name as the service spells it: "NoSuchEntity", "ResourceNotFound". Empty when it has none. */
export function foreignName(thrown: unknown): string {
  return ((thrown as Foreign | null)?.name ?? "").replace(/Exception$/, "");
}

/**
 * One translation for all SDK errors, by name and HTTP status, never by message. Neither cause nor message is kept:
 * an answer that cannot be parsed, or a refused value, may be a secret. A denial is quoted: it names what to mend.
 */
export function translateError(thrown: unknown, doing: string): RotationError {
  if (thrown instanceof RotationError) return thrown;
  const foreign = (thrown ?? {}) as Foreign;
  const code = codeOf(foreign);
  return new RotationError(code, `${doing}, ${whatWentWrong(foreign)}`, {
    retryAfterMs: retryAfterMsOf(foreign.$response?.headers?.["retry-after"]),
    outcomeUnknown: code === "Unreachable" && mayHaveArrived(foreign),
  });
}

/** Awaits a call, and translates what it throws. */
export async function asking<T>(doing: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    throw translateError(thrown, doing);
  }
}

/** As `asking`; null only when the service says that there is no such thing. */
export async function finding<T>(doing: string, answer: Promise<T>): Promise<T | null> {
  return asking(doing, answer).catch((error: RotationError) => {
    if (error.code === "NotFound") return null;
    throw error;
  });
}

function codeOf(foreign: Foreign): RotationErrorCode {
  const name = foreignName(foreign);
  const said = [name, ...(foreign.CancellationReasons ?? []).map(({ Code = "" }) => Code)];
  const [named] = CODES.find(([, names]) => names.some((one) => said.includes(one))) ?? [];
  if (named !== undefined) return named;
  const status = foreign.$metadata?.httpStatusCode;
  // A time-out bears a name; a cut or refused line bears Node's error code, such as ECONNRESET.
  const isNetwork = name === "TimeoutError" || name === "AbortError" || typeof foreign.code === "string";
  if (status === undefined) return isNetwork ? "Unreachable" : "Bug";
  if (status === 429) return "Throttled";
  if (status >= 500 || status < 400) return "Unreachable";
  if (status === 401 || status === 403) return "Denied";
  if (status === 409) return "Conflict";
  return "Misconfigured";
}

/** Earlier attempts of the same call may have arrived even if the last one was never sent. */
function mayHaveArrived({ $metadata, code }: Foreign): boolean {
  if ($metadata?.httpStatusCode !== undefined) return true;
  return !NEVER_SENT.includes(code) || ($metadata?.attempts ?? 1) > 1;
}

/** The seconds that a Retry-After header asks for, in milliseconds; null for none, and for a date. */
export function retryAfterMsOf(header: string | null | undefined): number | null {
  const said = Number(header ?? Number.NaN);
  return Number.isFinite(said) && said >= 0 ? said * 1_000 : null;
}

function whatWentWrong(foreign: Foreign): string {
  const { httpStatusCode, requestId } = foreign.$metadata ?? {};
  const facts = [
    typeof foreign.code === "string" ? foreign.code : [],
    httpStatusCode === undefined ? [] : `HTTP ${String(httpStatusCode)}`,
    requestId === undefined ? [] : `request ${requestId}`,
  ].flat();
  const named = foreign.name ?? "an error without a name";
  const quoted = foreignName(foreign) === "AccessDenied" ? `: ${foreign.message ?? ""}` : "";
  return facts.length === 0 ? named + quoted : `${named} (${facts.join(", ")})${quoted}`;
}
