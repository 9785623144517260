import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/rotation/errors.ts";
import type { AccessKey } from "../../src/rotation/keys.ts";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import type { World } from "../../src/rotation/world.ts";
import type { DirectWorld } from "../world/direct/world.ts";
import { leak, meanwhile } from "../world/leak.ts";
import { aSystem, custodyOf, DEPLOY, dyingWorld, lastOf, ofKey, person, toldOf } from "../world/system.ts";
import type { System } from "../world/system.ts";

/** Every listing of the keys goes through this. */
const listing =
  (shown: (real: readonly AccessKey[]) => readonly AccessKey[]) =>
  (world: DirectWorld): World => ({
    ...world,
    accessKeys: { ...world.accessKeys, list: async (user) => shown(await world.accessKeys.list(user)) },
  });

async function endsWell(system: System): Promise<void> {
  const { here, first, worker, calls, work } = system;
  here.bend = null;
  await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(40), work);
  expect(here.keysOf(DEPLOY)).toEqual([`${custodyOf(here) ?? ""} Active`]);
  expect(worker.pair().keyId).toBe(custodyOf(here));
  expect(calls.failures()).toEqual([]);
}

const moments = [0, 1, 5 * 24, 11 * 24, 12 * 24] as const;

describe("a listing of the keys that is not the truth, for one sweep", () => {
  test.for(moments)("empty, %i hours into the rotation: nothing is lost or made, and it ends well", async (hour) => {
    const system = await aSystem();
    const { here, first, work } = system;
    await here.pass(hours(1), work);
    await here.pass(hours(hour), work);
    const keys = here.keysOf(DEPLOY);
    here.bend = listing(() => []);
    await here.pass(hours(1), work);
    expect(here.keysOf(DEPLOY)).toEqual(keys);
    expect(ofKey(here, first.keyId)).not.toBe("gone");
    await endsWell(system);
  });

  test("without the new key, which was made a moment ago: no second one is made", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    here.bend = listing((real) => real.filter(({ id }) => id === first.keyId));
    expect(lastOf(await here.sweep())).toBe("retire hold OldKeyQuieting held");
    here.clock.advance(minutes(20));
    expect(lastOf(await here.sweep())).toBe("not-ours-to-touch hold NeedsEvidence held");
    expect(here.cloud.counts.get("iam.CreateAccessKey")).toBe(1);
    work();
    await endsWell(system);
  });

  test("without the new key, and the answer of its making was lost: no second one is made", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    here.cloud.faults.add({ service: "iam", operation: "CreateAccessKey", kind: "lost-after", times: 1 });
    await here.sweep();
    here.clock.advance(minutes(1));
    here.bend = listing((real) => real.filter(({ id }) => id === first.keyId));
    await here.sweep();
    expect(here.keysOf(DEPLOY)).toHaveLength(2);
    work();
    await endsWell(system);
  });

  test("without the replacement of a leaked key, by the run that made it: it is handed on all the same", async () => {
    const system = await aSystem();
    const { here, first, worker, calls, work } = system;
    here.bend = listing((real) => real.filter(({ id }) => id === first.keyId));
    const stop = meanwhile(here, work);
    await leak(here, first.keyId);
    stop();
    expect(here.cloud.counts.get("iam.CreateAccessKey")).toBe(1);
    expect([worker.pair().keyId, ofKey(here, first.keyId)]).toEqual([custodyOf(here), "Inactive"]);
    expect(calls.failures()).toEqual([]);
  });

  test("without the replacement of a leaked key, which somebody deleted at once: another is made by the same run", async () => {
    const { here, first, worker } = await aSystem();
    let isOver = false;
    const stop = meanwhile(here, () => {
      const pending = custodyOf(here, "AWSPENDING");
      if (pending === null || isOver) return;
      isOver = true;
      person(here).deleteKey(pending);
    });
    await leak(here, first.keyId);
    stop();
    expect(here.cloud.counts.get("iam.CreateAccessKey")).toBe(2);
    expect(here.keysOf(DEPLOY)).toEqual([`${first.keyId} Inactive`, `${custodyOf(here) ?? ""} Active`]);
    expect(worker.pair().keyId).toBe(custodyOf(here));
  });

  test("without the replacement of a leaked key, which a run made that died: its pair answers, and is handed on", async () => {
    const system = await aSystem();
    const { here, first, worker } = system;
    here.bend = (world) => dyingWorld(world, () => custodyOf(here, "AWSPENDING") !== null);
    await leak(here, first.keyId).catch(() => null);
    const pending = custodyOf(here, "AWSPENDING");
    here.clock.advance(minutes(2));
    here.bend = listing((real) => real.filter(({ id }) => id === first.keyId));
    await leak(here, first.keyId);
    expect(here.cloud.counts.get("iam.CreateAccessKey")).toBe(1);
    expect([custodyOf(here), worker.pair().keyId, ofKey(here, first.keyId)]).toEqual([pending, pending, "Inactive"]);
    await endsWell(system);
  });

  test("without the replacement of a leaked key, which somebody deleted a moment ago: that it works still is no proof", async () => {
    const system = await aSystem();
    const { here, first, worker } = system;
    here.bend = (world) => dyingWorld(world, () => custodyOf(here, "AWSPENDING") !== null);
    await leak(here, first.keyId).catch(() => null);
    here.bend = null;
    const pending = custodyOf(here, "AWSPENDING") ?? "";
    here.clock.advance(minutes(6));
    person(here).deleteKey(pending);
    await leak(here, first.keyId);
    expect(worker.deliveries).not.toContain(pending);
    expect([worker.pair().keyId, ofKey(here, first.keyId)]).toEqual([custodyOf(here), "Inactive"]);
    await endsWell(system);
  });

  test("without the replacement of a leaked key, while STS cannot tell either: no second one is made", async () => {
    const system = await aSystem();
    const { here, first } = system;
    here.bend = (world) => dyingWorld(world, () => custodyOf(here, "AWSPENDING") !== null);
    await leak(here, first.keyId).catch(() => null);
    here.clock.advance(minutes(2));
    const unheard = new RotationError("Unreachable", "asking who signs, no answer came", { outcomeUnknown: true });
    here.bend = (world) => ({
      ...listing((real) => real.filter(({ id }) => id === first.keyId))(world),
      prover: { callerArn: () => Promise.reject(unheard) },
    });
    const result = await leak(here, first.keyId);
    expect(here.cloud.counts.get("iam.CreateAccessKey")).toBe(1);
    expect(lastOf(result)).toBe("exposed hold KeyExposed held");
    await endsWell(system);
  });

  test("with the old key still Active, minutes after we deactivated it: that is no reactivation", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(13), work);
    here.clock.advance(minutes(4));
    here.bend = listing((real) => real.map((key) => ({ ...key, status: "active" })));
    await here.sweep();
    await endsWell(system);
    expect(toldOf(here)).not.toContain("NeedsRelease");
  });

  test("with the deleted key still there: it is deleted again, and nothing else", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    let before: readonly AccessKey[] = [];
    here.bend = listing((real) => {
      before = real;
      return real;
    });
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
    here.bend = listing((real) => [...before.filter(({ id }) => id === first.keyId), ...real]);
    await here.pass(hours(2), work);
    await endsWell(system);
    expect(ofKey(here, first.keyId)).toBe("gone");
  });
});

describe("evidence that is not the truth", () => {
  test("the deactivation is re-decided on fresh evidence, right before the call", async () => {
    const dry = await aSystem();
    let hour = 0;
    await dry.here.passUntil(
      () => ofKey(dry.here, dry.first.keyId) === "Inactive",
      days(13),
      () => {
        hour += 1;
        dry.work();
      },
    );
    const system = await aSystem();
    const { here, first, work } = system;
    here.cloud.lags.lastUsedMs = 0;
    await here.pass(hours(hour - 1), work);
    here.clock.advance(hours(1));
    let asked = 0;
    // Somebody uses the key after the first decision and before the second.
    const stop = here.cloud.onCall(({ operation }) => {
      asked += operation === "GetAccessKeyLastUsed" ? 1 : 0;
      if (asked !== 2) return;
      stop();
      here.cloud.callAs(first, { service: "lambda", operation: "Invoke" });
    });
    await here.sweep();
    expect(ofKey(here, first.keyId)).toBe("Active");
  });

  test("pages of CloudTrail that match nothing, and exact window starts, do not hide a use", async () => {
    const { here, first, work } = await aSystem();
    here.cloud.cloudTrail.hasEmptyPages = true;
    here.cloud.cloudTrail.hasExactStart = true;
    // Last-used never shows it: only CloudTrail can.
    here.cloud.lags.lastUsedMs = days(60);
    let hour = 0;
    const results = await here.pass(days(20), () => {
      hour += 1;
      work();
      if (hour % 48 === 0) here.cloud.callAs(first, { service: "logs", operation: "DescribeLogGroups" });
    });
    expect(ofKey(here, first.keyId)).toBe("Active");
    expect(lastOf(results.at(-1))).toMatch(/^retire hold/);
  });
});
