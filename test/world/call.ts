/**
 * The boundary between the state machines of this folder and whoever calls them: the wire (`wire/`), the in-process
 * World (`direct/`), workloads and tests. One call is one AWS API request, with the member names of the API.
 */
export interface CloudCall {
  /** The service as the credential scope of a signature spells it: "iam", "sts", "secretsmanager", "cloudtrail", "lambda", "s3" … */
  readonly service: string;
  /** The API's name of the operation: "CreateAccessKey". */
  readonly operation: string;
  readonly region: string;
  /** Parsed input, members as the API spells them. Timestamps are epoch milliseconds. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Null for an unsigned call. */
  readonly signer: Signer | null;
  readonly sourceAddress: string;
  readonly userAgent: string;
}

const NAMES = new Map<string, Map<string, string>>();

/** "iam.ListAccessKeys": the very same text each time, since every call is counted, compared and looked up by it. */
export function nameOf({ service, operation }: Pick<CloudCall, "service" | "operation">): string {
  const known = NAMES.get(service)?.get(operation);
  if (known !== undefined) return known;
  const name = [service, operation].join(".");
  NAMES.set(service, (NAMES.get(service) ?? new Map<string, string>()).set(operation, name));
  return name;
}

export interface Signer {
  readonly keyId: string;
  /** Whether the signature was made with this secret. */
  isMadeWith(secret: string): boolean;
}

/** Members as the API spells them; timestamps are `Date`s, so that each wire protocol can spell them its own way. */
export type CloudAnswer = Readonly<Record<string, unknown>>;

/** An error as the service spells it. */
export class ServiceError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = "ServiceError";
    this.code = code;
    this.status = status;
  }
}

/** The caller gets no answer: the line is cut. Whether the call had its effect is the fault's choice. */
export class LostAnswer extends Error {
  constructor() {
    super("the connection was cut before the answer");
    this.name = "LostAnswer";
  }
}

/** A service of the simulated cloud. Throws ServiceError as the real one would. */
export interface SimulatedCloud {
  call(request: CloudCall): CloudAnswer;
}
