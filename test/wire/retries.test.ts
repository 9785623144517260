import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { userName } from "../../src/rotation/keys.ts";
import type { Fault } from "../world/faults.ts";
import { setUpWire } from "./setup.ts";
import type { WireSetup } from "./setup.ts";

const DEPLOY = userName("deploy");

describe("calls that fail on their way", () => {
  let setup: WireSetup;
  beforeEach(async () => {
    setup = await setUpWire();
    setup.cloud.iam.createUser({ name: DEPLOY });
  });
  afterEach(async () => setup.close());
  const plan = (operation: string, kind: Fault["kind"], times: Fault["times"]): void => {
    setup.cloud.faults.add({ service: "iam", operation, kind, times });
  };

  test.for([
    ["its answer is lost", "lost-after", { code: "Unreachable", outcomeUnknown: true }, 1],
    ["the line is cut before it", "lost-before", { code: "Unreachable", outcomeUnknown: true }, 0],
    ["it fails after it", "error-after", { code: "Unreachable", outcomeUnknown: true }, 1],
    ["it fails before it", "error-before", { code: "Unreachable", outcomeUnknown: true }, 0],
  ] as const)("sends CreateAccessKey exactly once when %s", async ([, kind, failure, keysMade]) => {
    plan("CreateAccessKey", kind, 1);
    await expect(setup.world.accessKeys.create(DEPLOY)).rejects.toMatchObject(failure);
    expect(setup.cloud.counts.get("iam.CreateAccessKey")).toBe(1);
    expect(setup.cloud.iam.keysOf(DEPLOY)).toHaveLength(keysMade);
  });

  test.for(["lost-before", "lost-after", "error-before", "throttle"] as const)(
    "repeats a call that may be repeated, %s",
    async (kind) => {
      plan("ListAccessKeys", kind, 2);
      expect(await setup.world.accessKeys.list(DEPLOY)).toEqual([]);
      expect(setup.cloud.counts.get("iam.ListAccessKeys")).toBe(3);
    },
  );

  test("gives up after three attempts", async () => {
    plan("ListAccessKeys", "error-before", "forever");
    await expect(setup.world.accessKeys.list(DEPLOY)).rejects.toMatchObject({
      code: "Unreachable",
      message: expect.stringContaining("listing the keys of deploy, ServiceFailureException"),
    });
    expect(setup.cloud.counts.get("iam.ListAccessKeys")).toBe(3);
  });

  test("says nothing of a service that is not there but that it is unreachable", async () => {
    await setup.wire.close();
    await expect(setup.world.accessKeys.create(DEPLOY)).rejects.toMatchObject({
      code: "Unreachable",
      outcomeUnknown: false,
    });
    setup = await setUpWire();
  });
});
