import { RotationError } from "../rotation/errors.ts";
import type { RotationErrorCode } from "../rotation/errors.ts";

/** What an SDK error shows of itself. Parsed leniently: anything may be thrown. */
interface Foreign {
  readonly name?: string;
  readonly message?: string;
  readonly code?: unknown;
  readonly $metadata?: {
    readonly httpStatusCode?: number;
    readonly attempts?: number;
    readonly requestId?: string;
  };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** The services' names of their errors, without the suffix "Exception" that some clients add to them. */
const BY_NAME: Readonly<Record<string, RotationErrorCode>> = {
  NoSuchEntity: "NotFound",
  ResourceNotFound: "NotFound",
  LimitExceeded: "LimitReached",
  Throttling: "Throttled",
  Throttled: "Throttled",
  TooManyRequests: "Throttled",
  RequestLimitExceeded: "Throttled",
  ProvisionedThroughputExceeded: "Throttled",
  AccessDenied: "Denied",
  DecryptionFailure: "Denied",
  EncryptionFailure: "Denied",
  InvalidClientTokenId: "Denied",
  UnrecognizedClient: "Denied",
  ExpiredToken: "Denied",
  ConditionalCheckFailed: "Conflict",
  TransactionConflict: "Conflict",
  ResourceExists: "Conflict",
  ConcurrentModification: "Conflict",
  EntityTemporarilyUnmodifiable: "Conflict",
  CredentialsProviderError: "Misconfigured",
};

/** A connection that was never made carried nothing. */
const NEVER_SENT: readonly unknown[] = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"];

/** An error's name as the service spells it: "NoSuchEntity", "ResourceNotFound". Empty when it has none. */
export function foreignName(thrown: unknown): string {
  return ((thrown as Foreign | null)?.name ?? "").replace(/Exception$/, "");
}

/**
 * One translation for all SDK errors: by name and HTTP status, never by message text.
 *
 * The thrown thing is not kept as `cause`, nor its message repeated: a CreateAccessKey answer that cannot be parsed
 * carries its body, and a validation error may quote the very secret that it refuses. Only a plain denial is quoted,
 * since it names the action and the resource that the operator has to mend.
 */
export function translateError(thrown: unknown, doing: string): RotationError {
  if (thrown instanceof RotationError) return thrown;
  const foreign = (thrown ?? {}) as Foreign;
  const status = foreign.$metadata?.httpStatusCode;
  const code = codeOf(foreign);
  const retryAfterMs = retryAfter(foreign);
  return new RotationError(code, `${doing}, ${whatWentWrong(foreign)}`, {
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
    outcomeUnknown: code === "Unreachable" && mayHaveArrived(foreign, status),
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

function codeOf(foreign: Foreign): RotationErrorCode {
  const named = BY_NAME[foreignName(foreign)];
  if (named !== undefined) return named;
  const status = foreign.$metadata?.httpStatusCode;
  if (status === undefined) return isNetwork(foreign) ? "Unreachable" : "Bug";
  if (status === 429) return "Throttled";
  if (status >= 500 || status < 400) return "Unreachable";
  if (status === 401 || status === 403) return "Denied";
  if (status === 409) return "Conflict";
  return "Misconfigured";
}

/** Time-outs bear a name; a cut or refused line bears Node's error code, such as ECONNRESET. */
function isNetwork({ name, code }: Foreign): boolean {
  return name === "TimeoutError" || name === "AbortError" || typeof code === "string";
}

/** Earlier attempts of the same call may have arrived even if the last one was never sent. */
function mayHaveArrived(foreign: Foreign, status: number | undefined): boolean {
  if (status !== undefined) return true;
  return !NEVER_SENT.includes(foreign.code) || (foreign.$metadata?.attempts ?? 1) > 1;
}

function retryAfter({ $response }: Foreign): number | null {
  const said = Number($response?.headers?.["retry-after"] ?? Number.NaN);
  return Number.isFinite(said) && said >= 0 ? said * 1_000 : null;
}

function whatWentWrong(foreign: Foreign): string {
  const { httpStatusCode, requestId } = foreign.$metadata ?? {};
  const code = typeof foreign.code === "string" ? foreign.code : null;
  const facts = [
    code,
    httpStatusCode === undefined ? null : `HTTP ${String(httpStatusCode)}`,
    requestId === undefined ? null : `request ${requestId}`,
  ].filter((fact) => fact !== null);
  const named = foreign.name ?? "an error without a name";
  const quoted = foreignName(foreign) === "AccessDenied" ? `: ${foreign.message ?? ""}` : "";
  return facts.length === 0 ? named + quoted : `${named} (${facts.join(", ")})${quoted}`;
}
