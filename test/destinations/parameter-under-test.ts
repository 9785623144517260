import { createParameterStore, type ParameterStore } from "../../src/cloud/parameter-store.ts";
import { createSsmParameter, type SsmParameterOptions } from "../../src/destinations/ssm-parameter.ts";
import type { DestinationUnderTest } from "../contracts/destination-contract.ts";
import type { CloudRole } from "../world/cloud.ts";
import type { Cloud } from "../world/cloud.ts";

export const PARAMETER = "/pairs/nightly";

export const PARAMETER_OPTIONS: SsmParameterOptions = {
  kind: "ssm-parameter",
  name: PARAMETER,
  region: "us-east-1",
};

const NOBODY = { keyId: "ASIANOBODY", secret: "none", sessionToken: "none" };
const OLD = JSON.stringify({ Version: 1, AccessKeyId: "AKIAOLDOLDOLDOLDOLD1", SecretAccessKey: "old-secret" });

/** The client that the rotator uses, with waits that end at once. */
export function parametersAt(
  endpoint: string,
  role: Pick<CloudRole, "keyId" | "secret" | "sessionToken"> = NOBODY,
): ParameterStore {
  const { keyId: accessKeyId, secret: secretAccessKey, sessionToken } = role;
  return createParameterStore({
    region: PARAMETER_OPTIONS.region,
    endpoint,
    credentials: () => Promise.resolve({ accessKeyId, secretAccessKey, sessionToken }),
    clock: { sleep: () => Promise.resolve(), hear: () => undefined },
    random: { fraction: () => 0.5 },
    timeoutMs: 2_000,
  });
}

/** A parameter as its owner makes it, and as others write it. */
export const putParameter = (cloud: Cloud, more: Readonly<Record<string, unknown>> = {}): void => {
  const input = { Name: PARAMETER, Value: OLD, Type: "SecureString", Overwrite: true, ...more };
  cloud.callAs(cloud.role, { service: "ssm", operation: "PutParameter", input });
};

export const deleteParameter = (cloud: Cloud): void => {
  cloud.callAs(cloud.role, { service: "ssm", operation: "DeleteParameter", input: { Name: PARAMETER } });
};

/** A SecureString that holds an old pair, as the destination contract wants it. */
export function parameterUnderTest(
  cloud: Cloud,
  parameters: ParameterStore,
  close: () => Promise<void>,
): DestinationUnderTest {
  putParameter(cloud);
  const fail = (fault: Partial<Parameters<Cloud["faults"]["add"]>[0]>): void => {
    cloud.faults.add({ service: "ssm", operation: "PutParameter", kind: "error-before", times: 1, ...fault });
  };
  return {
    destination: createSsmParameter(PARAMETER_OPTIONS, parameters),
    pair: () => pairOf(cloud),
    happenings: {
      tokenIsRefused: () => fail({ operation: null, code: "AccessDeniedException", status: 400, times: "forever" }),
      targetIsAbsent: () => deleteParameter(cloud),
      somebodyDeploys: () => putParameter(cloud, { Value: "theirs" }),
      previousIsBroughtBack: () => putParameter(cloud),
      answerIsLost: () => fail({ kind: "lost-after" }),
      writeFails: () => fail({ code: "InternalServerError", status: 500 }),
    },
    previousLooks: "foreign",
    blocks: {
      "a parameter that everybody may read": {
        arrange() {
          deleteParameter(cloud);
          putParameter(cloud, { Type: "String" });
        },
        words: /is a String, which shows its value\. Make it anew as a SecureString/,
      },
      "a key that a delivery would not encrypt under": {
        arrange: () => putParameter(cloud, { KeyId: "alias/pairs" }),
        words: /encrypted under alias\/pairs, and not under alias\/aws\/ssm\. Correct kmsKeyId/,
      },
    },
    exists: () => cloud.parameterStore.versionsOf(PARAMETER).length > 0,
    close,
  };
}

function pairOf(cloud: Cloud): { readonly id: string; readonly secret: string } {
  const value = cloud.parameterStore.versionsOf(PARAMETER).at(-1)?.value ?? "{}";
  if (!value.startsWith("{")) return { id: value, secret: "" };
  const { AccessKeyId = "", SecretAccessKey = "" } = JSON.parse(value) as Readonly<Record<string, string>>;
  return { id: AccessKeyId, secret: SecretAccessKey };
}
