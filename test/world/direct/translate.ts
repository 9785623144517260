import { RotationError } from "../../../src/rotation/errors.ts";
import type { RotationErrorCode } from "../../../src/rotation/errors.ts";
import { LostAnswer, ServiceError } from "../call.ts";

/** What the codes of the services mean to us, told by code and never by message. */
const MEANINGS: Readonly<Record<string, RotationErrorCode>> = {
  NoSuchEntity: "NotFound",
  ResourceNotFoundException: "NotFound",
  LimitExceeded: "LimitReached",
  LimitExceededException: "LimitReached",
  Throttling: "Throttled",
  ThrottlingException: "Throttled",
  TooManyRequestsException: "Throttled",
  AccessDenied: "Denied",
  AccessDeniedException: "Denied",
  DecryptionFailure: "Denied",
  EncryptionFailure: "Denied",
  InvalidClientTokenId: "Denied",
  SignatureDoesNotMatch: "Denied",
  InvalidRequestException: "Misconfigured",
  ResourceExistsException: "Conflict",
};

/** Any failure of the simulated cloud as ours. Anything else is a bug and goes through as it is. */
export function translated(
  thrown: unknown,
  doing: string,
  meanings: Readonly<Record<string, RotationErrorCode>> = {},
): unknown {
  if (thrown instanceof LostAnswer) {
    return new RotationError("Unreachable", `${doing}, the connection was cut before the answer`, {
      cause: thrown,
      outcomeUnknown: true,
    });
  }
  if (!(thrown instanceof ServiceError)) return thrown;
  if (thrown.status >= 500) {
    return new RotationError("Unreachable", `${doing}, the service failed (${thrown.code})`, {
      cause: thrown,
      outcomeUnknown: true,
    });
  }
  const code = meanings[thrown.code] ?? MEANINGS[thrown.code] ?? "Bug";
  return new RotationError(code, `${doing}, refused with ${thrown.code}`, { cause: thrown });
}
