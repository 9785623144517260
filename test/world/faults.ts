import { LostAnswer, ServiceError } from "./call.ts";
import type { CloudAnswer, CloudCall } from "./call.ts";

/**
 * One thing that goes wrong. `error-*` and `throttle` are answers; `lost-*` is a cut line. `*-before` had no effect,
 * `*-after` had it.
 */
export interface Fault {
  readonly service: string;
  /** Null for every operation of the service. */
  readonly operation: string | null;
  readonly kind: "error-before" | "error-after" | "lost-before" | "lost-after" | "throttle";
  readonly code?: string;
  readonly status?: number;
  /** What the service says, where something is to be read out of it. */
  readonly message?: string;
  readonly times: number | "forever";
  readonly when?: (call: CloudCall) => boolean;
}

/** Every such call is refused for want of a right, until somebody takes the fault away. */
export const denied = (service: string, operation: string): Fault => {
  const code = service === "iam" ? "AccessDenied" : "AccessDeniedException";
  return { service, operation, kind: "error-before", code, times: "forever" };
};

/** The query services spell it without "Exception" (IAM: `Throttling: Rate exceeded`, HTTP 400). */
const throttleCode = (service: string): string =>
  ["iam", "sts", "sns"].includes(service) ? "Throttling" : "ThrottlingException";

/** IAM's own ServiceFailure is 500 (IAM API). */
const failureCode = (service: string): string => (service === "iam" ? "ServiceFailure" : "InternalServiceError");

function failureOf(fault: Fault): Error {
  if (fault.kind === "lost-before" || fault.kind === "lost-after") return new LostAnswer();
  if (fault.kind === "throttle") {
    return new ServiceError(fault.code ?? throttleCode(fault.service), "Rate exceeded", fault.status ?? 400);
  }
  const code = fault.code ?? failureCode(fault.service);
  return new ServiceError(
    code,
    fault.message ?? `injected: ${code}`,
    fault.status ?? (fault.code === undefined ? 500 : 400),
  );
}

/** The plan of what goes wrong. Each added fault is spent on the calls that match it, in the order they were added. */
export class Faults {
  #planned: { fault: Fault; left: number }[] = [];

  /** Plans a fault. The answer takes it away again. */
  add(fault: Fault): () => void {
    const planned = {
      fault,
      left: fault.times === "forever" ? Number.POSITIVE_INFINITY : fault.times,
    };
    this.#planned.push(planned);
    return () => {
      this.#planned = this.#planned.filter((other) => other !== planned);
    };
  }

  clear(): void {
    this.#planned = [];
  }

  /** Serves the call, or fails it as planned. */
  around(call: CloudCall, serve: () => CloudAnswer): CloudAnswer {
    const fault = this.#next(call);
    if (fault === null) return serve();
    if (fault.kind === "error-after" || fault.kind === "lost-after") serve();
    throw failureOf(fault);
  }

  #next(call: CloudCall): Fault | null {
    const found = this.#planned.find(
      ({ fault, left }) =>
        left > 0 &&
        fault.service === call.service &&
        (fault.operation === null || fault.operation === call.operation) &&
        (fault.when === undefined || fault.when(call)),
    );
    if (found === undefined) return null;
    found.left -= 1;
    return found.fault;
  }
}
