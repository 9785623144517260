import { LostAnswer, ServiceError } from "./call.ts";
import type { CloudAnswer } from "./call.ts";
import { signerOf } from "./caller.ts";
import type { SigningPair } from "./caller.ts";
import type { Cloud } from "./cloud.ts";

/** One call of a consumer, as it went for the consumer. */
interface CallRecord {
  readonly atMs: number;
  /** The key that signed; null where the consumer had none. */
  readonly keyId: string | null;
  /** Null for a call that went well. */
  readonly error: string | null;
}

/** Where a workload runs, as CloudTrail would name it. */
interface Whereabouts {
  readonly name: string;
  readonly region: string;
  readonly sourceAddress: string;
  readonly userAgent: string;
}

export interface ConsumerOptions extends Whereabouts {
  /** The pair it would sign with now; null when it has none. */
  readonly pair: () => SigningPair | null;
  readonly call: {
    readonly service: string;
    readonly operation: string;
    readonly input?: Readonly<Record<string, unknown>>;
  };
}

/** Somebody who needs the pair. `calls` is the whole truth of whether a rotation hurt. */
export interface Consumer {
  readonly name: string;
  readonly calls: readonly CallRecord[];
  /** Signs one call, keeps how it went, and tells it. */
  work(): CallRecord;
  /** The calls that failed. */
  failures(): readonly CallRecord[];
}

/** What a caller is told: the service's code, or that there was no answer. */
function toldAs(thrown: unknown): string {
  if (thrown instanceof ServiceError) return thrown.code;
  if (thrown instanceof LostAnswer) return "LostAnswer";
  throw thrown;
}

/** A consumer that makes the same call each time. */
export function consumer(cloud: Cloud, options: ConsumerOptions): Consumer {
  const calls: CallRecord[] = [];
  const attempt = (pair: SigningPair | null): string | null => {
    if (pair === null) return "NoCredential";
    try {
      cloud.call({
        service: options.call.service,
        operation: options.call.operation,
        region: options.region,
        input: options.call.input ?? {},
        signer: signerOf(pair),
        sourceAddress: options.sourceAddress,
        userAgent: options.userAgent,
      });
      return null;
    } catch (thrown) {
      return toldAs(thrown);
    }
  };
  return {
    name: options.name,
    calls,
    work: () => {
      const pair = options.pair();
      const record = {
        atMs: cloud.clock.now(),
        keyId: pair?.keyId ?? null,
        error: attempt(pair),
      };
      calls.push(record);
      return record;
    },
    failures: () => calls.filter(({ error }) => error !== null),
  };
}

export interface PullReaderOptions extends Whereabouts {
  /** The name or ARN of the user's custody secret. */
  readonly secretId: string;
  readonly custodyRegion?: string;
  /** The pair that the owner typed in once. */
  readonly first: SigningPair;
  /** False for one that does not read custody once more with a pair that it has stored. */
  readonly isConfirming?: boolean;
}

/** A laptop or a CI job that fetches its pair from custody with the pair it holds. */
export interface PullReader {
  /** The pair it holds now. */
  pair(): SigningPair;
  /**
   * Reads custody once. Keeps the pair it has while there is none to read, and when the read fails; tells how it went.
   */
  pull(): "taken" | "unchanged" | "nothing-yet" | { readonly error: string };
}

/** The pair in a custody version, or null on the marker. */
function pairIn(answer: CloudAnswer): SigningPair | null {
  const value = JSON.parse(String(answer["SecretString"])) as Readonly<Record<string, unknown>>;
  const { AccessKeyId: keyId, SecretAccessKey: secret } = value;
  return typeof keyId === "string" && typeof secret === "string" ? { keyId, secret } : null;
}

export function pullReader(cloud: Cloud, options: PullReaderOptions): PullReader {
  let held = options.first;
  const read = (): CloudAnswer =>
    cloud.call({
      service: "secretsmanager",
      operation: "GetSecretValue",
      region: options.custodyRegion ?? options.region,
      input: { SecretId: options.secretId, VersionStage: "AWSCURRENT" },
      signer: signerOf(held),
      sourceAddress: options.sourceAddress,
      userAgent: options.userAgent,
    });
  const confirm = (): void => {
    try {
      read();
    } catch (thrown) {
      toldAs(thrown);
    }
  };
  return {
    pair: () => held,
    pull: () => {
      try {
        const found = pairIn(read());
        if (found === null) return "nothing-yet";
        if (found.keyId === held.keyId) return "unchanged";
        held = found;
        // What it has stored it reads custody with once more: then it is seen to have it. Nothing hangs on the answer.
        if (options.isConfirming !== false) confirm();
        return "taken";
      } catch (thrown) {
        const error = toldAs(thrown);
        return error === "ResourceNotFoundException" ? "nothing-yet" : { error };
      }
    },
  };
}
