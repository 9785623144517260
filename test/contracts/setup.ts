import { inspect } from "node:util";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import type { Credential, UserName } from "../../src/rotation/keys.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { Secret } from "../../src/rotation/secret.ts";
import type { World } from "../../src/rotation/world.ts";
import type { SimulatedClock } from "../world/clock.ts";
import type { Cloud } from "../world/cloud.ts";
import type { SimulatedKey } from "../world/iam-state.ts";

/** A World over a simulated cloud, made anew for each test. */
export interface WorldSetup {
  readonly world: World;
  readonly cloud: Cloud;
  readonly clock: SimulatedClock;
  close(): Promise<void>;
}

export type MakeSetup = () => Promise<WorldSetup>;

export const DEPLOY: UserName = userName("deploy");
export const OWNER = { account: "123456789012", userId: "AIDAEXAMPLE" };

/** An enrolled user's key, in an account whose CloudTrail may be asked as often as one likes. */
export function anEnrolledKey({ cloud }: WorldSetup): SimulatedKey {
  cloud.cloudTrail.isThrottling = false;
  cloud.iam.createUser({ name: DEPLOY, tags: { keyturn: "p" } });
  return cloud.iam.createKey(DEPLOY);
}

/** The pair of a key as the world knows it. */
export const credentialOf = (key: SimulatedKey): Credential => ({
  id: accessKeyId(key.id),
  secret: new Secret(key.secret),
});

/** A pair that IAM has never heard of. */
export const madeUp = (name: string): Credential => ({
  id: accessKeyId(`AKIAMADEUP${name.padEnd(10, "A")}`),
  secret: new Secret(`secret+of/${name}`.padEnd(40, "x")),
});

/**
 * The code that a call fails with, as ours and without these secrets anywhere in the error; else what it did instead,
 * in words that are no code.
 */
export async function failureOf(call: Promise<unknown>, secrets: readonly string[] = []): Promise<string> {
  const thrown: unknown = await call.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown === null) return "it did not fail";
  if (!(thrown instanceof RotationError)) return `it failed as nobody foresaw: ${inspect(thrown)}`;
  const printed = inspect(thrown, { depth: 10 });
  return secrets.some((secret) => printed.includes(secret)) ? "the error tells" : thrown.code;
}
