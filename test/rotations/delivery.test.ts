import { describe, expect, test } from "vitest";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import { aPolicy } from "../builders.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import {
  aCaller,
  aSystem,
  aWorkerOf,
  custodyOf,
  DEPLOY,
  dyingWorld,
  doneIn,
  lastOf,
  ofKey,
  person,
  toldOf,
} from "../world/system.ts";
import type { System } from "../world/system.ts";

/** A second Worker, which is blocked, so that a replacement stays pending. */
function withBlockedCi(system: System) {
  const ci = memoryDestination("github:ci", system.first);
  system.here.destinations = { ci: [system.worker, ci] };
  return ci;
}

describe("B1: a replacement that a person took away while it was pending", () => {
  const pending = async () => {
    const system = await aSystem();
    const ci = withBlockedCi(system);
    ci.failing = "before";
    await system.here.sweep();
    const k2 = custodyOf(system.here, "AWSPENDING") ?? "";
    expect(system.worker.deliveries).toEqual([k2]);
    return { system, ci, k2 };
  };

  test("B1: deleted, it is neither delivered nor promoted; an hour later the rotation starts again", async () => {
    const { system, ci, k2 } = await pending();
    const { here, worker, work } = system;
    person(here).deleteKey(k2);
    ci.failing = null;
    const [first] = await here.pass(hours(1));
    expect(lastOf(first)).toBe("stranger hold NeedsEvidence held");
    expect(ci.deliveries).toEqual([]);
    expect(custodyOf(here)).toBeNull();
    const [second] = await here.pass(hours(1));
    expect(doneIn(second)).toEqual([
      "withdraw-pending",
      "create-replacement",
      "prove",
      "deliver",
      "deliver",
      "promote",
    ]);
    const k3 = custodyOf(here) ?? "";
    expect([worker.pair().keyId, ci.pair().keyId]).toEqual([k3, k3]);
    expect(work()).toBeUndefined();
    expect(system.calls.failures()).toEqual([]);
  });

  test("B1: disabled, it is held and named until somebody activates it again", async () => {
    const { system, ci, k2 } = await pending();
    const { here } = system;
    person(here).setStatus(k2, "Inactive");
    ci.failing = null;
    const results = await here.pass(days(3));
    expect(lastOf(results.at(-1))).toBe("stranger hold PendingDisabled held");
    expect([ci.deliveries, custodyOf(here)]).toEqual([[], null]);
    expect(toldOf(here)).toContain("PendingDisabled");
    person(here).setStatus(k2, "Active");
    const [next] = await here.pass(hours(1));
    expect(doneIn(next)).toEqual(["prove", "deliver", "promote"]);
  });

  test("B1: deleted, and another made by hand in its place: the stranger is named and stays", async () => {
    const { system, k2 } = await pending();
    const { here } = system;
    person(here).deleteKey(k2);
    here.clock.advance(hours(1));
    const theirs = person(here).createKey();
    const results = await here.pass(days(3));
    expect(lastOf(results.at(-1))).toBe("stranger hold Stranger held");
    expect(ofKey(here, theirs.keyId)).toBe("Active");
    const text = here.notices.find(({ code }) => code === "Stranger")?.text;
    expect(text).toMatch(/user\/admin made AKIA/);
  });

  test("B1: a current key that was deleted does not go to a destination that is added later", async () => {
    const system = await aSystem();
    const { here } = system;
    await here.sweep();
    person(here).deleteKey(custodyOf(here) ?? "");
    const ci = withBlockedCi(system);
    const results = await here.pass(days(2));
    expect(ci.deliveries).toEqual([]);
    expect(lastOf(results.at(-1))).toBe("not-ours-to-touch hold CurrentKeyGone held");
  });

  test("a current key that is there does", async () => {
    const system = await aSystem();
    const { here } = system;
    await here.sweep();
    const ci = withBlockedCi(system);
    const [next] = await here.pass(hours(1));
    expect(doneIn(next)).toEqual(["prove", "deliver"]);
    expect(ci.pair().keyId).toBe(custodyOf(here));
  });
});

describe("B9: a destination that is taken out of the profile", () => {
  test("B9: in the first rotation keeps the hand-made key, which it was given by hand", async () => {
    const system = await aSystem();
    const { here, first, worker, work } = system;
    const ci = withBlockedCi(system);
    ci.failing = "before";
    const job = aCaller(here, ci.pair, "ci");
    await here.sweep();
    here.destinations = { ci: [worker] };
    const results = await here.pass(days(30), work);
    expect(lastOf(results.at(-1))).toBe("retire hold FormerDestination held");
    expect(ofKey(here, first.keyId)).toBe("Active");
    expect(job.work().error).toBeNull();
    expect(toldOf(here)).toContain("FormerDestination");
  });

  test("B9: in a later rotation keeps the key that it was delivered", async () => {
    const system = await aSystem();
    const { here, worker, work } = system;
    const ci = withBlockedCi(system);
    const job = aCaller(here, ci.pair, "ci");
    await here.passUntil(() => ofKey(here, system.first.keyId) === "gone", days(20), work);
    const [second = ""] = here.keysOf(DEPLOY);
    ci.failing = "before";
    await here.passUntil(() => here.keysOf(DEPLOY).length === 2, days(76), work);
    here.destinations = { ci: [worker] };
    await here.pass(days(60), work);
    expect(here.keysOf(DEPLOY)).toContain(second);
    expect(job.work()).toMatchObject({ keyId: second.split(" ")[0], error: null });
  });

  test("B9: put back, it is delivered to, and the old key goes", async () => {
    const system = await aSystem();
    const { here, first, worker, work } = system;
    const ci = withBlockedCi(system);
    ci.failing = "before";
    await here.sweep();
    here.destinations = { ci: [worker] };
    await here.pass(days(20), work);
    here.destinations = { ci: [worker, ci] };
    ci.failing = null;
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
    expect(ci.pair().keyId).toBe(custodyOf(here));
  });
});

describe("S2: destinations that read custody", () => {
  const reader = {
    ...memoryDestination("secrets-manager", { keyId: "", secret: "" }),
    readsCustody: true,
  };

  test("S2: are not waited for, and are delivered by the promotion", async () => {
    const { here } = await aSystem();
    here.destinations = { ci: [reader] };
    expect(doneIn(await here.sweep())).toEqual(["create-replacement", "prove", "promote"]);
    expect(reader.deliveries).toEqual([]);
  });

  test("S2: a replica that is behind keeps the old key, and quiet begins when it shows the new one", async () => {
    const { here, first } = await aSystem({
      profile: { replicaRegions: ["eu-central-1"], policy: aPolicy({ adoption: "optional" }) },
    });
    here.destinations = { ci: [reader] };
    here.cloud.lags.replicaMs = days(12);
    const results = await here.pass(days(12));
    expect(lastOf(results.at(-1))).toBe("retire hold DestinationBackingOff held");
    const shownAt = here.clock.now();
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(12));
    expect(here.clock.now() - shownAt).toBeGreaterThanOrEqual(days(10) + hours(5));
  });
});

describe("S7 and the proof", () => {
  test("S7: a consumer that signs every hour is seen to adopt, although every sweep probes", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    // Another destination keeps the service proving the current pair at every sweep.
    await here.sweep();
    withBlockedCi(system).blockedBecause = "its token expired";
    await here.pass(days(2), work);
    withBlockedCi(system).blockedBecause = null;
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(13), work);
    expect(toldOf(here)).not.toContain("NotAdopted");
  });

  test("S7: our probes alone are nobody's adoption", async () => {
    const system = await aSystem({ ageMs: days(80) });
    const { here, first } = system;
    here.cloud.callAs(first, { service: "lambda", operation: "Invoke" });
    await here.sweep();
    withBlockedCi(system).blockedBecause = "its token expired";
    await here.pass(days(15));
    const ci = withBlockedCi(system);
    const results = await here.pass(days(12));
    expect(ci.pair().keyId).toBe(custodyOf(here));
    expect(lastOf(results.at(-1))).toBe("retire hold NotAdopted held");
  });

  test("a fresh pair that IAM does not know everywhere yet is not delivered before it is", async () => {
    const { here, worker } = await aSystem();
    here.cloud.lags.propagationMs = minutes(30);
    const result = await here.sweep();
    expect(lastOf(result)).toBe("prove prove ReplacementNotProved withdrawn");
    expect(worker.deliveries).toEqual([]);
    const [next] = await here.pass(hours(1));
    expect(doneIn(next)).toEqual(["prove", "deliver", "promote"]);
  });
});

describe("a delivery of which the answer is lost", () => {
  test.for([
    ["after it had its effect", "after", 2],
    ["before it had any", "before", 1],
  ] as const)("%s is repeated after its back-off; the old key stays", async ([, failing, deliveries]) => {
    const { here, first, worker, calls, work } = await aSystem();
    worker.failing = failing;
    expect(lastOf(await here.sweep())).toBe("deliver deliver DestinationBehind failed");
    expect(custodyOf(here)).toBeNull();
    worker.failing = null;
    here.clock.advance(minutes(30));
    expect(lastOf(await here.sweep())).toBe("deliver hold DestinationBackingOff held");
    await here.passUntil(() => custodyOf(here) !== null, hours(3), work);
    expect(worker.deliveries).toHaveLength(deliveries);
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
    expect(calls.failures()).toEqual([]);
  });
});

describe("a promotion of which the answer is lost", () => {
  test.for([
    // The labels tell that it was done all the same.
    ["with its effect", "lost-after", "AWSCURRENT", "retire hold OldKeyQuieting held"],
    ["without", "lost-before", "AWSCURRENT", "promote promote DeliveredEverywhere failed"],
    ["when AWSPENDING is taken away, with its effect", "lost-after", "AWSPENDING", "retire hold OldKeyQuieting held"],
    [
      "when AWSPENDING is taken away, without",
      "lost-before",
      "AWSPENDING",
      "promote promote DeliveredEverywhere failed",
    ],
  ] as const)("%s ends in one current pair, and the rotation goes on", async ([, kind, stage, last]) => {
    const { here, first, worker, calls, work } = await aSystem();
    here.cloud.faults.add({
      service: "secretsmanager",
      operation: "UpdateSecretVersionStage",
      kind,
      times: 1,
      when: ({ input }) => input["VersionStage"] === stage,
    });
    expect(lastOf(await here.sweep())).toBe(last);
    await here.pass(hours(2), work);
    expect(custodyOf(here)).toBe(worker.pair().keyId);
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
    // The label that was left behind does not disturb the next rotation.
    await here.passUntil(() => here.keysOf(DEPLOY).length === 2, days(76), work);
    await here.passUntil(() => here.keysOf(DEPLOY).length === 1, days(20), work);
    expect(calls.failures()).toEqual([]);
  });
});

test("B5: a promotion that died half done is tidied up, so that a rollback by hand is not undone by the label left behind", async () => {
  let isDead = false;
  const { here, first } = await aSystem({ bend: (world) => dyingWorld(world, () => isDead) });
  const stop = here.cloud.onCall(({ operation, input }) => {
    isDead = isDead || (operation === "UpdateSecretVersionStage" && input["VersionStage"] === "AWSPENDING");
  });
  here.cloud.faults.add({
    service: "secretsmanager",
    operation: "UpdateSecretVersionStage",
    kind: "lost-before",
    times: "forever",
    when: ({ input }) => isDead && input["VersionStage"] === "AWSPENDING",
  });
  await here.sweep();
  stop();
  here.cloud.faults.clear();
  isDead = false;
  expect([custodyOf(here), custodyOf(here, "AWSPENDING")]).not.toContain(null);
  await here.pass(hours(1));
  expect(custodyOf(here)).not.toBe(first.keyId);
  expect(custodyOf(here, "AWSPENDING")).toBeNull();
});

describe("a Worker that others deploy", () => {
  test("N16: every day, is given the pair once more before the old key goes, and not every day", async () => {
    const { here, first, worker, calls, work } = await aSystem();
    let hour = 0;
    await here.passUntil(
      () => ofKey(here, first.keyId) === "gone",
      days(20),
      () => {
        hour += 1;
        if (hour % 24 === 5) worker.deployByOthers();
        work();
      },
    );
    expect(worker.deliveries).toHaveLength(2);
    expect(calls.failures()).toEqual([]);
  });

  test("and that one of them rolls back to the confirmed pair's version, does not bring the old key back", async () => {
    const { here, first, worker, calls, work } = await aSystem();
    await here.sweep();
    worker.deployByOthers();
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(13), work);
    worker.rollBackTo("v3");
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(8), work);
    expect(toldOf(here)).not.toContain("KeyReactivated");
    expect(calls.failures()).toEqual([]);
  });

  test("B4: and is rolled back to the old pair during the soak, gets the old key back within the hour", async () => {
    const { here, first, worker, calls, work } = await aSystem();
    await here.sweep();
    worker.deployByOthers();
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(13), work);
    worker.rollBackTo("v1");
    const [next] = await here.pass(hours(1));
    expect(doneIn(next)[0]).toBe("reactivate");
    here.clock.advance(minutes(1));
    work();
    expect(calls.failures()).toEqual([]);
    expect(toldOf(here)).toContain("KeyReactivated");
  });
});

test("a destination is told what a replacement replaces, and of a confirming delivery that it replaces nothing", async () => {
  const { here, first, worker, work } = await aSystem();
  const told: string[] = [];
  const listening: typeof worker = {
    ...worker,
    async deliver(pair, anchor, replaced) {
      const old = await replaced?.();
      told.push(old === undefined ? "nothing" : (old?.id ?? "a pair that custody does not hold"));
      return await worker.deliver(pair, anchor);
    },
  };
  here.destinations = { ci: [listening] };
  await here.sweep();
  const second = custodyOf(here) ?? "";
  worker.deployByOthers();
  await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(13), work);
  await here.passUntil(() => told.length === 3, days(80), work);
  expect(told).toEqual(["a pair that custody does not hold", "nothing", second]);
});

test("a destination that nobody knows is not created: NotFound is told, and nothing is begun", async () => {
  const { here, worker, work, calls } = await aSystem();
  worker.isMissing = true;
  const results = await here.pass(days(3), work);
  expect(lastOf(results.at(-1))).toBe("create create-replacement KeyDue failed");
  expect(results.at(-1)?.status).toBe("failed");
  expect(here.notices.find(({ code }) => code === "StepFailed")?.text).toMatch(/no such target/);
  expect(here.cloud.counts.get("iam.CreateAccessKey")).toBeUndefined();
  expect(aWorkerOf(here, worker).work().error).toBeNull();
  expect(calls.failures()).toEqual([]);
});
