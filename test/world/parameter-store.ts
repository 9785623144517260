import { ServiceError } from "./call.ts";
import type { CloudAnswer } from "./call.ts";
import type { Operations, Received } from "./caller.ts";
import { optionalText, page, structures, text, texts } from "./input.ts";

export interface ParameterVersion {
  readonly number: number;
  readonly value: string;
  readonly type: string;
  /** As it was given; the account's own where it was not, whatever the version before had. */
  readonly keyId: string;
  readonly modifiedAtMs: number;
  readonly modifiedBy: string;
  labels: readonly string[];
}

interface SimulatedParameter {
  readonly name: string;
  readonly region: string;
  /** Oldest first. */
  readonly versions: ParameterVersion[];
}

/** Source: Systems Manager User Guide, parameter versions. */
const VERSIONS_MAX = 100;
/** Of a standard parameter. Source: SSM API, PutParameter (Value). */
const VALUE_BYTES_MAX = 4_096;
/** How many parameters DescribeParameters goes through before it gives what it has, which may be nothing, and a token. */
const SCANNED_MAX = 10;
const OWN_KEY = "alias/aws/ssm";

const invalid = (why: string): ServiceError => new ServiceError("ValidationException", why);

/** Parameter Store, one for each Region. Authorization is not simulated: a refusal is a fault. */
export class ParameterStore {
  readonly parameters: SimulatedParameter[] = [];
  readonly operations: Operations = {
    PutParameter: (received) => this.#put(received),
    GetParameter: (received) => this.#get(received),
    DescribeParameters: (received) => this.#describe(received),
    DeleteParameter: (received) => this.#delete(received),
    LabelParameterVersion: (received) => this.#label(received),
  };

  /** All versions of a parameter that are kept, oldest first; empty where there is none. */
  versionsOf(name: string, region = "us-east-1"): readonly ParameterVersion[] {
    return this.parameters.find((one) => one.name === name && one.region === region)?.versions ?? [];
  }

  #find({ input, region }: Received): SimulatedParameter {
    const name = text(input, "Name");
    const found = this.parameters.find((one) => one.name === name && one.region === region);
    if (found === undefined) throw new ServiceError("ParameterNotFound", `Parameter ${name} not found.`);
    return found;
  }

  /** A type is needed where there is none yet, and one that differs is refused. Source: SSM API, PutParameter. */
  #put({ input, region, nowMs, caller }: Received): CloudAnswer {
    const name = text(input, "Name");
    const found = this.parameters.find((one) => one.name === name && one.region === region);
    const last = found?.versions.at(-1);
    const type = optionalText(input, "Type") ?? last?.type;
    if (type === undefined) throw invalid("A parameter type is required when you create a parameter.");
    if (/^\/?(aws|ssm)/i.test(name)) throw new ServiceError("ParameterPatternMismatchException", "Invalid name.");
    if (last !== undefined && input["Overwrite"] !== true) {
      throw new ServiceError("ParameterAlreadyExists", "The parameter already exists.");
    }
    if (last !== undefined && last.type !== type) {
      throw new ServiceError("HierarchyTypeMismatchException", "The type of a parameter cannot be changed.");
    }
    const value = text(input, "Value");
    if (Buffer.byteLength(value) > VALUE_BYTES_MAX) throw invalid("Standard tier parameters hold at most 4096 bytes.");
    const parameter = found ?? { name, region, versions: [] };
    if (found === undefined) this.parameters.push(parameter);
    makeRoom(parameter);
    const number = (last?.number ?? 0) + 1;
    // An overwrite without a key is encrypted under the account's own (aws-blocks, pull request 452).
    const keyId = optionalText(input, "KeyId") ?? OWN_KEY;
    const made = { number, value, type, keyId, modifiedAtMs: nowMs, modifiedBy: caller.arn, labels: [] };
    parameter.versions.push(made);
    return { Version: number, Tier: "Standard" };
  }

  /** Without decryption the value is what KMS made of it. */
  #get(received: Received): CloudAnswer {
    const { name, region, versions } = this.#find(received);
    const last = versions.at(-1);
    const isHidden = last?.type === "SecureString" && received.input["WithDecryption"] !== true;
    const value = isHidden ? Buffer.from(`ciphertext ${String(last.number)}`).toString("base64") : last?.value;
    const ARN = `arn:aws:ssm:${region}:parameter${name}`;
    return { Parameter: { ...metadata(name, last), KeyId: undefined, LastModifiedUser: undefined, Value: value, ARN } };
  }

  /** The one filter that is understood is the whole name. Source of the empty pages: SSM API, DescribeParameters. */
  #describe({ input, region }: Received): CloudAnswer {
    const [filter] = structures(input, "ParameterFilters");
    if (filter?.["Key"] !== "Name") throw new ServiceError("InvalidFilterKey", "The specified key isn't valid.");
    const names = texts(filter, "Values");
    const inRegion = this.parameters.filter((one) => one.region === region);
    const [scanned, token] = page(inRegion, optionalText(input, "NextToken"), SCANNED_MAX);
    const Parameters = scanned
      .filter(({ name }) => names.includes(name))
      .map(({ name, versions }) => metadata(name, versions.at(-1)));
    return { Parameters, ...(token === null ? {} : { NextToken: token }) };
  }

  #delete(received: Received): CloudAnswer {
    this.parameters.splice(this.parameters.indexOf(this.#find(received)), 1);
    return {};
  }

  #label(received: Received): CloudAnswer {
    const { versions } = this.#find(received);
    const wanted = Number(received.input["ParameterVersion"] ?? versions.at(-1)?.number);
    const version = versions.find(({ number }) => number === wanted);
    if (version === undefined) throw new ServiceError("ParameterVersionNotFound", "There is no such version.");
    version.labels = [...version.labels, ...texts(received.input, "Labels")];
    return { InvalidLabels: [], ParameterVersion: wanted };
  }
}

/** The oldest goes when there are a hundred; unless it bears a label. Source: SSM API, PutParameter (errors). */
function makeRoom({ name, versions }: SimulatedParameter): void {
  if (versions.length < VERSIONS_MAX) return;
  const [oldest] = versions;
  if (oldest !== undefined && oldest.labels.length > 0) {
    const why = `Version ${String(oldest.number)} of ${name}, the oldest version, can't be deleted.`;
    throw new ServiceError("ParameterMaxVersionLimitExceeded", why);
  }
  versions.shift();
}

const metadata = (name: string, version: ParameterVersion | undefined) => ({
  Name: name,
  Type: version?.type,
  ...(version?.type === "SecureString" ? { KeyId: version.keyId } : {}),
  LastModifiedDate: new Date(version?.modifiedAtMs ?? 0),
  LastModifiedUser: version?.modifiedBy,
  Version: version?.number,
  Tier: "Standard",
  DataType: "text",
  Policies: [],
});
