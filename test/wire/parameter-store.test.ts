import * as sdk from "@aws-sdk/client-ssm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSsmParameter, SsmParameterOptions } from "../../src/destinations/ssm-parameter.ts";
import { accessKeyId } from "../../src/rotation/keys.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { destinationContract } from "../contracts/destination-contract.ts";
import {
  deleteParameter,
  PARAMETER,
  PARAMETER_OPTIONS,
  parametersAt,
  parameterUnderTest,
  putParameter,
} from "../destinations/parameter-under-test.ts";
import type { CloudCall } from "../world/call.ts";
import { setUpWire, type WireSetup } from "./setup.ts";

const PAIR = { id: accessKeyId("AKIANEWNEWNEWNEWNEW1"), secret: new Secret("new+secret/") };

destinationContract("ssm-parameter, over HTTP,", async () => {
  const setup = await setUpWire();
  return parameterUnderTest(setup.cloud, parametersAt(setup.wire.url, setup.cloud.role), () => setup.close());
});

describe("a delivery to a parameter", () => {
  let setup: WireSetup;
  let calls: CloudCall[];
  beforeEach(async () => {
    setup = await setUpWire();
    putParameter(setup.cloud);
    calls = [];
    setup.cloud.onCall((call) => calls.push(call));
  });
  afterEach(() => setup.close());

  const versions = () => setup.cloud.parameterStore.versionsOf(PARAMETER);
  const parameter = (more: Partial<SsmParameterOptions> = {}) =>
    createSsmParameter({ ...PARAMETER_OPTIONS, ...more }, parametersAt(setup.wire.url, setup.cloud.role));

  test("is one version that the SDK's own client reads, and asks for no value itself", async () => {
    await parameter().deliver(PAIR, null);
    const asked = new Set(calls.map(({ operation }) => operation));
    expect(asked).toEqual(new Set(["DescribeParameters", "PutParameter"]));
    expect(versions().map(({ number }) => number)).toEqual([1, 2]);
    const { keyId: accessKey, secret: secretAccessKey, sessionToken } = setup.cloud.role;
    const credentials = { accessKeyId: accessKey, secretAccessKey, sessionToken };
    const client = new sdk.SSMClient({ endpoint: setup.wire.url, region: "us-east-1", credentials, maxAttempts: 1 });
    client.config.disableClockSkewCorrection = async () => Promise.resolve(true);
    const read = async (WithDecryption: boolean): Promise<string> => {
      const { Parameter } = await client.send(new sdk.GetParameterCommand({ Name: PARAMETER, WithDecryption }));
      return Parameter?.Value ?? "";
    };
    const pair = { Version: 1, AccessKeyId: PAIR.id, SecretAccessKey: PAIR.secret.reveal() };
    expect(JSON.parse(await read(true))).toEqual(pair);
    expect(await read(false)).not.toContain(PAIR.id);
    const { Parameters } = await client.send(
      new sdk.DescribeParametersCommand({ ParameterFilters: [{ Key: "Name", Option: "Equals", Values: [PARAMETER] }] }),
    );
    expect(Parameters).toMatchObject([{ Type: "SecureString", Version: 2, KeyId: "alias/aws/ssm" }]);
    const missing = client.send(new sdk.GetParameterCommand({ Name: "/pairs/another" }));
    await expect(missing).rejects.toBeInstanceOf(sdk.ParameterNotFound);
    client.destroy();
  });

  test("makes no parameter where it was deleted after the last look", async () => {
    const stop = setup.cloud.onCall(({ operation, input }) => {
      if (operation !== "PutParameter" || input["Type"] !== undefined) return;
      stop();
      deleteParameter(setup.cloud);
    });
    await expect(parameter().deliver(PAIR, null)).rejects.toMatchObject({ code: "Misconfigured" });
    expect(versions()).toEqual([]);
  });

  test("encrypts under the key that the parameter had, since SSM would go back to the account's own", async () => {
    putParameter(setup.cloud, { KeyId: "alias/pairs" });
    await parameter({ kmsKeyId: "alias/pairs" }).deliver(PAIR, null);
    expect(versions().at(-1)).toMatchObject({ keyId: "alias/pairs", value: expect.stringContaining(PAIR.id) });
    await expect(parameter().deliver(PAIR, null)).rejects.toMatchObject({ code: "Conflict" });
    expect(versions()).toHaveLength(3);
  });

  test("finds its parameter behind pages that hold nothing", async () => {
    deleteParameter(setup.cloud);
    for (let made = 1; made <= 25; made += 1) putParameter(setup.cloud, { Name: `/others/${String(made)}` });
    putParameter(setup.cloud);
    expect(await parameter().preflight()).toMatchObject({ kind: "ready" });
    expect(calls.filter(({ operation }) => operation === "DescribeParameters")).toHaveLength(3);
  });

  test("writes once however often it was throttled, and says the service's reason when it refuses", async () => {
    setup.cloud.faults.add({ service: "ssm", operation: null, kind: "throttle", times: 2 });
    await parameter().deliver(PAIR, null);
    expect(versions()).toHaveLength(2);
    setup.cloud.faults.add({
      service: "ssm",
      operation: "PutParameter",
      kind: "error-before",
      code: "TooManyUpdates",
      times: 1,
    });
    await expect(parameter().deliver(PAIR, null)).rejects.toMatchObject({ code: "Conflict" });
  });

  test("names the limit when the oldest of a hundred versions bears a label", async () => {
    const label = { Name: PARAMETER, ParameterVersion: 1, Labels: ["production"] };
    setup.cloud.callAs(setup.cloud.role, { service: "ssm", operation: "LabelParameterVersion", input: label });
    for (let made = 2; made <= 100; made += 1) putParameter(setup.cloud);
    await expect(parameter().deliver(PAIR, null)).rejects.toMatchObject({
      message: expect.stringContaining("ParameterMaxVersionLimitExceeded"),
    });
  });

  test("knows that a request without a connection did nothing", async () => {
    const gone = await setUpWire();
    await gone.close();
    const lost = parametersAt(gone.wire.url, gone.cloud.role).overwrite(PARAMETER, PAIR.secret, undefined);
    await expect(lost).rejects.toMatchObject({ code: "Unreachable", outcomeUnknown: false });
  });

  test("counts as made, without a version, when it cannot be read back", async () => {
    setup.cloud.onCall(({ operation, input }) => {
      if (operation !== "PutParameter" || input["Type"] !== undefined) return;
      setup.cloud.faults.add({
        service: "ssm",
        operation: "DescribeParameters",
        kind: "error-before",
        status: 500,
        times: 1,
      });
    });
    const receipt = await parameter().deliver(PAIR, null);
    expect(receipt.version).toBeNull();
    expect(versions().at(-1)?.value).toContain(PAIR.id);
    expect(await parameter().live(receipt)).toBe("foreign");
  });

  test.for([
    [1, "previous"],
    [2, "foreign"],
    [3, "foreign"],
  ] as const)("is not taken for ours when the parameter was made anew and has %i versions", async ([made, live]) => {
    const receipt = await parameter().deliver(PAIR, null);
    setup.clock.advance(60_000);
    deleteParameter(setup.cloud);
    for (let version = 1; version <= made; version += 1) putParameter(setup.cloud);
    expect(await parameter().live(receipt)).toBe(live);
  });
});

describe("the options of a parameter", () => {
  test.for([
    ["a name without a slash", "name", { name: "nightly" }],
    ["a name of sixteen parts", "name", { name: "/a".repeat(16) }],
    ["a name with a space", "name", { name: "/pairs/my key" }],
    ["a name that is AWS's own", "name", { name: "/AWS/service" }],
    ["a name that is SSM's own", "name", { name: "/ssm-pairs" }],
    ["a Region that is none", "region", { region: "Frankfurt" }],
    ["a key that is none", "kmsKeyId", { kmsKeyId: "my key" }],
  ] as const)("refuse %s, and name the field", ([, field, change]) => {
    expect(SsmParameterOptions.safeParse(PARAMETER_OPTIONS).success).toBe(true);
    const read = SsmParameterOptions.safeParse({ ...PARAMETER_OPTIONS, ...change });
    expect(read.error?.issues.map(({ path }) => path)).toEqual([[field]]);
  });

  test("refuse a setting that does not exist", () => {
    expect(SsmParameterOptions.safeParse({ ...PARAMETER_OPTIONS, secretName: "/pairs/secret" }).success).toBe(false);
  });

  test("name the Region and the parameter, which are one slot", () => {
    const { name, slots, readsCustody } = createSsmParameter(PARAMETER_OPTIONS, parametersAt("http://ssm.invalid"));
    expect({ name, slots, readsCustody }).toEqual({
      name: "ssm-parameter:us-east-1/pairs/nightly",
      slots: ["ssm-parameter:us-east-1/pairs/nightly"],
      readsCustody: false,
    });
  });
});
