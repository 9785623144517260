/**
 * What kind of failure it is, and so whose move: an operator's, or time's, when the next sweep tries again.
 * `LimitReached` is the service's quota, an operator's if it stays. `Bug` is ours: it stops this user, not the sweep.
 */
export type RotationErrorCode = OperatorsCode | TimesCode | "LimitReached" | "Bug";
type OperatorsCode = "NotFound" | "Denied" | "Misconfigured";
type TimesCode = "Throttled" | "Unreachable" | "Conflict";

interface RotationErrorOptions {
  readonly cause?: unknown;
  /** How long the service asked us to wait, in milliseconds. */
  readonly retryAfterMs?: number | null;
  /** True when the service may have done what we asked although we never heard so: a time-out, a cut line, a 5xx. */
  readonly outcomeUnknown?: boolean;
}

/** The one error of this project: what we were doing, a comma, and what went wrong. Never secret material. */
export class RotationError extends Error {
  readonly code: RotationErrorCode;
  readonly retryAfterMs: number | null;
  readonly outcomeUnknown: boolean;

  constructor(code: RotationErrorCode, message: string, options: RotationErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "RotationError";
    this.code = code;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.outcomeUnknown = options.outcomeUnknown ?? false;
  }
}

/** Any thrown thing as a RotationError; what nobody foresaw is a `Bug`. */
export function asRotationError(thrown: unknown, doing: string): RotationError {
  if (thrown instanceof RotationError) return thrown;
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  return new RotationError("Bug", `${doing}, ${said}`, { cause: thrown });
}

/** Stops this user with an urgent `Bug` when something that must be true is not. */
export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new RotationError("Bug", `checking an invariant, it does not hold: ${what}`);
}
