import { Athena } from "./athena.ts";
import { Account, DEFAULT_REGIONS } from "./account.ts";
import { nameOf, ServiceError } from "./call.ts";
import type { CloudAnswer, CloudCall, SimulatedCloud } from "./call.ts";
import { signerOf } from "./caller.ts";
import type { Caller, Operations, Received, SigningPair } from "./caller.ts";
import type { SimulatedClock } from "./clock.ts";
import { CloudTrail } from "./cloudtrail.ts";
import { Deployment } from "./deployment.ts";
import { EventBuses } from "./event-bus.ts";
import { Faults } from "./faults.ts";
import { DEFAULT_LAGS, worksAt } from "./iam-state.ts";
import type { Lags } from "./iam-state.ts";
import { Iam } from "./iam.ts";
import { Logs } from "./logs.ts";
import { ParameterStore } from "./parameter-store.ts";
import { secretText, seededRandom, uniqueId } from "./random.ts";
import type { SeededRandom } from "./random.ts";
import { SecretsManager } from "./secrets-manager.ts";
import { Sns } from "./sns.ts";
import { Sts } from "./sts.ts";
import { Trail } from "./trail.ts";

interface CloudOptions {
  readonly clock: SimulatedClock;
  readonly seed?: number;
  readonly account?: string;
  /** The enabled Regions. */
  readonly regions?: readonly string[];
  readonly lags?: Partial<Lags>;
}

/** The role that Keyturn runs under: temporary credentials that always work. */
export interface CloudRole extends SigningPair {
  readonly sessionToken: string;
  /** The session, as GetCallerIdentity names it. */
  readonly arn: string;
  /** The role behind it, as CloudTrail's session issuer names it. */
  readonly roleArn: string;
}

/** A call as a test makes it. */
interface ShortCall {
  readonly service: string;
  readonly operation: string;
  readonly input?: Readonly<Record<string, unknown>>;
  readonly region?: string;
  readonly userAgent?: string;
}

export type CallListener = (call: CloudCall) => void;

/** The services whose API is spelled in XML have codes of their own. */
const REFUSED_AS: Readonly<Record<string, string>> = {
  iam: "AccessDenied",
  sts: "AccessDenied",
  monitoring: "AccessDenied",
  cloudformation: "AccessDenied",
  sns: "AuthorizationError",
};

const KEYTURN_ADDRESS = "192.0.2.10";

/** One simulated AWS account: the pipeline that every call goes through, and the services behind it. */
export class Cloud implements SimulatedCloud {
  readonly clock: SimulatedClock;
  readonly account: string;
  readonly regions: readonly string[];
  /** May be changed at any time. */
  readonly lags: Lags;
  readonly faults = new Faults();
  /** Calls that arrived, by "service.operation"; the failed ones too. */
  readonly counts = new Map<string, number>();
  readonly role: CloudRole;
  /** Why the role may not make a call; null where it may. A test that deploys the role's policy puts it here: without one it may do all. */
  roleRefuses: ((call: CloudCall) => string | null) | null = null;
  readonly iam: Iam;
  readonly secretsManager: SecretsManager;
  readonly cloudTrail: CloudTrail;
  readonly accountRegions: Account;
  readonly sns: Sns;
  readonly eventBuses: EventBuses;
  /** A trail beside Event history, and the two services that query it. */
  readonly trail: Trail;
  readonly logs: Logs;
  readonly athena: Athena;
  readonly parameterStore: ParameterStore;
  readonly sts: Sts;
  /** What a deployment of Keyturn leaves in the account, for those who look at it. */
  readonly deployment = new Deployment();
  readonly #services: Readonly<Record<string, Operations>>;
  readonly #listeners = new Set<CallListener>();
  readonly #roleCaller: Caller;

  constructor(options: CloudOptions) {
    const random = seededRandom(options.seed ?? 1);
    this.clock = options.clock;
    this.account = options.account ?? "123456789012";
    this.regions = options.regions ?? DEFAULT_REGIONS;
    this.lags = { ...DEFAULT_LAGS, ...options.lags };
    this.role = roleOf(this.account, random);
    this.#roleCaller = roleCaller(this.role, random);
    this.iam = new Iam({ clock: this.clock, random, account: this.account, lags: this.lags });
    this.secretsManager = new SecretsManager(this.account, random, this.lags);
    this.cloudTrail = new CloudTrail(this.account, random, this.lags);
    this.accountRegions = new Account(this.regions);
    this.sns = new Sns(random);
    this.eventBuses = new EventBuses(random);
    this.trail = new Trail(this.lags);
    this.logs = new Logs(random, this.trail);
    this.athena = new Athena(random, this.trail);
    this.parameterStore = new ParameterStore();
    this.sts = new Sts(this.account, random);
    this.#services = {
      iam: { ...this.iam.operations, ...this.deployment.iam },
      sts: this.sts.operations,
      secretsmanager: this.secretsManager.operations,
      cloudtrail: this.cloudTrail.operations,
      account: this.accountRegions.operations,
      sns: this.sns.operations,
      events: this.eventBuses.operations,
      logs: this.logs.operations,
      athena: this.athena.operations,
      ssm: this.parameterStore.operations,
      lambda: this.deployment.lambda,
      scheduler: this.deployment.scheduler,
    };
  }

  /** Serves one API request. Throws ServiceError for an error answer, LostAnswer for none. */
  call(request: CloudCall): CloudAnswer {
    const name = nameOf(request);
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    for (const listener of this.#listeners) listener(request);
    return this.faults.around(request, () => this.#serve(request));
  }

  /** Hears every call before it is served. The answer stops it. */
  onCall(listener: CallListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls signed with a pair, from nowhere in particular. */
  callAs(pair: SigningPair, call: ShortCall): CloudAnswer {
    return this.call({
      service: call.service,
      operation: call.operation,
      region: call.region ?? "us-east-1",
      input: call.input ?? {},
      signer: signerOf(pair),
      sourceAddress: KEYTURN_ADDRESS,
      userAgent: call.userAgent ?? "aws-sdk-js/3",
    });
  }

  #serve(request: CloudCall): CloudAnswer {
    const received: Received = {
      ...request,
      caller: this.#authenticate(request),
      nowMs: this.clock.now(),
    };
    this.iam.recordUse(received.caller.keyId, {
      atMs: received.nowMs,
      service: request.service,
      region: request.region,
    });
    try {
      this.#authorize(received);
      const answer = this.#dispatch(received);
      this.cloudTrail.record(received, answer, null);
      this.trail.record(received, null);
      return answer;
    } catch (thrown) {
      if (thrown instanceof ServiceError) {
        this.cloudTrail.record(received, null, thrown.code);
        this.trail.record(received, thrown.code);
      }
      throw thrown;
    }
  }

  /** Source: IAM User Guide, troubleshoot access denied error messages; the codes are those of each service's common errors. */
  #authorize(received: Received): void {
    const refusal = received.caller.keyId === this.role.keyId ? (this.roleRefuses?.(received) ?? null) : null;
    if (refusal === null) return;
    const code = REFUSED_AS[received.service] ?? "AccessDeniedException";
    throw new ServiceError(code, `User: ${this.role.arn} is not authorized to perform: ${refusal}`, 403);
  }

  /** Services without a model answer nothing, once the signature is good: consumers call them. */
  #dispatch(received: Received): CloudAnswer {
    const operations = this.#services[received.service];
    if (operations === undefined) return {};
    const operation = operations[received.operation];
    if (operation === undefined) {
      throw new ServiceError("InvalidAction", `${received.operation} is not valid for this web service.`);
    }
    return operation(received);
  }

  /**
   * A key is unknown until it is known everywhere; a deactivated or deleted one works for some seconds. An
   * inactive key is refused with the same words as an unknown one.
   */
  #authenticate({ signer, service }: CloudCall): Caller {
    if (signer === null) {
      throw new ServiceError("MissingAuthenticationToken", "Missing Authentication Token", 403);
    }
    if (signer.keyId === this.role.keyId) {
      return this.#verified(signer.isMadeWith(this.role.secret), this.#roleCaller);
    }
    const session = this.sts.find(signer.keyId, this.clock.now());
    if (session !== null) return this.#verified(signer.isMadeWith(session.secret), session.caller);
    const key = this.iam.keys.get(signer.keyId);
    if (key === undefined || !worksAt(key, this.clock.now())) {
      throw new ServiceError(
        service === "s3" ? "InvalidAccessKeyId" : "InvalidClientTokenId",
        "The security token included in the request is invalid.",
        403,
      );
    }
    return this.#verified(signer.isMadeWith(key.secret), key.caller);
  }

  #verified(isGood: boolean, caller: Caller): Caller {
    if (isGood) return caller;
    throw new ServiceError(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided.",
      403,
    );
  }
}

export const createCloud = (options: CloudOptions): Cloud => new Cloud(options);

function roleOf(account: string, random: SeededRandom): CloudRole {
  return {
    keyId: uniqueId(random, "ASIA"),
    secret: secretText(random),
    sessionToken: secretText(random) + secretText(random),
    arn: `arn:aws:sts::${account}:assumed-role/keyturn-role/keyturn`,
    roleArn: `arn:aws:iam::${account}:role/keyturn-role`,
  };
}

function roleCaller(role: CloudRole, random: SeededRandom): Caller {
  const uniqueRoleId = uniqueId(random, "AROA");
  return {
    kind: "role",
    keyId: role.keyId,
    arn: role.arn,
    uniqueId: `${uniqueRoleId}:keyturn`,
    name: "keyturn",
    role: { arn: role.roleArn, name: "keyturn-role", uniqueId: uniqueRoleId },
  };
}
