import { describe, expect, test } from "vitest";
import { days, hours, minutes, plus, seconds } from "../../src/rotation/time.ts";
import type { IamUser } from "../../src/rotation/keys.ts";
import type { World } from "../../src/rotation/world.ts";
import { leak, meanwhile, quarantine } from "../world/leak.ts";
import { custodyOf, DEPLOY, loseJournal, ofKey, person, promoted, settled, toldOf } from "../world/system.ts";
import { denied } from "../world/faults.ts";

/** The world of a run whose clock differs by so much. */
const clockedBy =
  (ms: number) =>
  (world: World): World => ({ ...world, clock: { ...world.clock, now: () => plus(world.clock.now(), ms) } });

describe("L6, N19: a quarantine policy", () => {
  test("condemns the keys that are older than its attachment, each once", async () => {
    const { here, second, calls, work } = await settled();
    here.clock.advance(hours(1));
    quarantine(here, "V3");
    await here.pass(hours(2), work);
    const third = custodyOf(here) ?? "";
    expect([ofKey(here, second), ofKey(here, third)]).toEqual(["Inactive", "Active"]);
    await here.pass(days(10), work);
    expect([custodyOf(here), ofKey(here, second)]).toEqual([third, "gone"]);
    expect(calls.failures()).toEqual([]);
  });

  test("N19: by the time that CloudTrail tells; also when the table was lost since", async () => {
    const { here, second, work } = await settled();
    quarantine(here, "V2");
    here.clock.advance(minutes(20));
    await leak(here, second);
    const third = custodyOf(here);
    await loseJournal(here);
    await here.pass(days(2), work);
    expect(custodyOf(here)).toBe(third);
  });

  test("N19: not what was made after it by a run that was shown the user as it was before", async () => {
    const { here, second, work } = await settled();
    const unseen = (user: IamUser): IamUser => ({ ...user, quarantines: [] });
    here.bend = (world) => ({
      ...world,
      directory: {
        ...world.directory,
        read: async (user) => {
          const found = await world.directory.read(user);
          return found === null ? null : unseen(found);
        },
        tagged: async () => (await world.directory.tagged()).map((user) => unseen(user)),
      },
    });
    quarantine(here, "V3");
    here.clock.advance(minutes(2));
    await leak(here, second);
    here.bend = null;
    const third = custodyOf(here) ?? "";
    expect(third).not.toBe(second);
    await here.pass(hours(3), work);
    expect([custodyOf(here), ofKey(here, third)]).toEqual([third, "Active"]);
  });

  test("N19: where CloudTrail tells nothing, by the sweep that first saw it, which is kept beside the marks", async () => {
    const { here, second, work } = await settled();
    here.cloud.faults.add(denied("cloudtrail", "LookupEvents"));
    quarantine(here, "V3");
    await here.pass(hours(1), work);
    const third = custodyOf(here);
    expect(ofKey(here, second)).toBe("Inactive");
    await loseJournal(here);
    await here.pass(days(1), work);
    expect(custodyOf(here)).toBe(third);
  });

  test("is marked and told where custody's pairs cannot be read, and cuts its keys an hour later", async () => {
    const { here, first, second } = await promoted();
    const secret = here.cloud.secretsManager.named(`keyturn/${DEPLOY}`);
    if (secret !== null) secret.kms = { read: "AccessDeniedException", write: "AccessDeniedException" };
    here.clock.advance(hours(1));
    quarantine(here, "V3");
    await here.sweep();
    expect(toldOf(here)).toContain("KeyExposed");
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["Active", "Active"]);
    await here.pass(hours(2));
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["Inactive", "Inactive"]);
  });

  test("cuts its keys an hour later where it cannot be marked: custody is about to be deleted", async () => {
    const { here, first, second } = await promoted();
    const secret = here.cloud.secretsManager.named(`keyturn/${DEPLOY}`);
    if (secret !== null) secret.deletedAtMs = here.clock.now();
    here.clock.advance(hours(1));
    quarantine(here, "V3");
    here.clock.advance(minutes(59));
    await here.sweep();
    expect(toldOf(here)).toEqual(expect.arrayContaining(["KeyExposed", "StepFailed"]));
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["Active", "Active"]);
    here.clock.advance(minutes(1));
    await here.sweep();
    expect([ofKey(here, first.keyId), ofKey(here, second)]).toEqual(["Inactive", "Inactive"]);
  });

  test("whose mark is refused once, when its hour is over, has its key cut, and replaced by the next sweep", async () => {
    const { here, second } = await settled();
    quarantine(here, "V3");
    here.clock.advance(minutes(70));
    for (const operation of ["TagResource", "PutSecretValue"]) {
      here.cloud.faults.add({ ...denied("secretsmanager", operation), times: 1 });
    }
    await here.sweep();
    expect(ofKey(here, second)).toBe("Inactive");
    await here.pass(hours(1));
    expect(ofKey(here, custodyOf(here) ?? "")).toBe("Active");
    expect(custodyOf(here)).not.toBe(second);
  });

  test("that could not be marked has its second key cut, too, once it can be, although the first is cut already", async () => {
    const { here, first, second } = await promoted();
    const secret = here.cloud.secretsManager.named(`keyturn/${DEPLOY}`);
    if (secret !== null) secret.kms = { read: "AccessDeniedException", write: "AccessDeniedException" };
    const allow = here.cloud.faults.add(denied("secretsmanager", "TagResource"));
    quarantine(here, "V3");
    here.clock.advance(minutes(70));
    const cut = { service: "iam", operation: "UpdateAccessKey", kind: "error-before" } as const;
    let cuts = 0;
    const failing = here.cloud.faults.add({ ...cut, times: "forever", when: () => (cuts += 1) > 1 });
    await here.sweep();
    expect([ofKey(here, first.keyId), ofKey(here, second)].toSorted()).toEqual(["Active", "Inactive"]);
    allow();
    failing();
    if (secret !== null) secret.kms = { read: null, write: null };
    await here.pass(hours(3));
    expect([ofKey(here, first.keyId), ofKey(here, second)]).not.toContain("Active");
  });

  test("that cannot be marked, and of which nothing tells since when it is attached, waits: what is younger is not condemned", async () => {
    const { here, second, work } = await settled();
    here.cloud.faults.add(denied("secretsmanager", "TagResource"));
    here.cloud.faults.add(denied("cloudtrail", "LookupEvents"));
    quarantine(here, "V3");
    await here.pass(hours(4), work);
    expect([custodyOf(here), ofKey(here, second)]).toEqual([second, "Active"]);
    expect(toldOf(here)).toEqual(expect.arrayContaining(["KeyExposed", "StepFailed"]));
  });

  test.for([
    ["that cannot be marked keeps an old key from being given back", true, "Inactive"],
    ["that is not there does not", false, "Active"],
  ] as const)("%s", async ([, isQuarantined, status]) => {
    const { here, first, worker, work } = await promoted();
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(20), work);
    here.cloud.faults.add(denied("secretsmanager", "TagResource"));
    here.cloud.faults.add(denied("cloudtrail", "LookupEvents"));
    if (isQuarantined) quarantine(here, "V3");
    worker.rollBackTo(worker.versionWith(first.keyId) ?? "");
    await here.pass(hours(2));
    expect(ofKey(here, first.keyId)).toBe(status);
  });

  test("condemns nobody where not even custody's tags can be read: what is on record is not known", async () => {
    const { here, second } = await settled();
    const refused = { service: "secretsmanager", kind: "error-before", code: "AccessDeniedException" } as const;
    here.cloud.faults.add({ ...refused, operation: "DescribeSecret", times: "forever" });
    here.clock.advance(hours(1));
    quarantine(here, "V3");
    await here.pass(hours(3));
    expect(ofKey(here, second)).toBe("Active");
    expect(toldOf(here)).toContain("BlindSpot");
  });

  test("of which nobody can tell whether it is on record does not stop AWS Health's word on one key", async () => {
    const { here, second } = await settled();
    const thiefs = person(here).createKey().keyId;
    const refused = { service: "secretsmanager", kind: "error-before", code: "AccessDeniedException" } as const;
    here.cloud.faults.add({ ...refused, operation: "DescribeSecret", times: "forever" });
    here.clock.advance(hours(1));
    quarantine(here, "V3");
    await expect(leak(here, second)).rejects.toThrow("custody of deploy");
    expect([ofKey(here, second), ofKey(here, thiefs)]).toEqual(["Inactive", "Active"]);
  });

  test("is marked together with what AWS Health said, where that mark was refused a moment before", async () => {
    const { here, second, work } = await settled();
    here.clock.advance(hours(1));
    quarantine(here, "V3");
    here.cloud.faults.add({ ...denied("secretsmanager", "TagResource"), times: 1 });
    const unable = ["CreateAccessKey", "UpdateAccessKey"].map((name) => here.cloud.faults.add(denied("iam", name)));
    await expect(leak(here, second)).rejects.toThrow("custody of deploy");
    for (const isOver of unable) isOver();
    // Nobody says it again: the event was sent for the last time.
    await here.pass(hours(2), work);
    expect(ofKey(here, second)).toBe("Inactive");
  });

  test("taken away and attached again is another one", async () => {
    const { here, second, work } = await settled();
    quarantine(here, "V3");
    await here.pass(hours(2), work);
    const third = custodyOf(here);
    quarantine(here, "V3", false);
    await here.pass(hours(2), work);
    quarantine(here, "V3");
    await here.pass(hours(2), work);
    expect(third).not.toBe(second);
    expect(custodyOf(here)).not.toBe(third);
  });

  test("of which one of two is taken away condemns nobody once more", async () => {
    const { here, second, work } = await settled();
    quarantine(here, "V2");
    quarantine(here, "V3");
    await here.pass(hours(2), work);
    const third = custodyOf(here) ?? "";
    quarantine(here, "V2", false);
    await here.pass(hours(3), work);
    expect(third).not.toBe(second);
    expect([custodyOf(here), ofKey(here, third)]).toEqual([third, "Active"]);
  });

  test("beside one that a clock of behind wrote down is another, though CloudTrail tells of that one alone", async () => {
    const { here, second, work } = await settled();
    here.bend = clockedBy(-minutes(1));
    quarantine(here, "V2");
    here.clock.advance(seconds(10));
    await here.sweep();
    here.bend = null;
    await here.pass(hours(1), work);
    const third = custodyOf(here) ?? "";
    quarantine(here, "V3");
    await here.sweep();
    await here.pass(hours(2), work);
    expect(third).not.toBe(second);
    expect(custodyOf(here)).not.toBe(third);
    expect(ofKey(here, third)).not.toBe("Active");
  });

  test("beside one that a clock ahead wrote down, seconds before it, does not condemn what was made since", async () => {
    const { here, second, work } = await settled();
    here.bend = clockedBy(minutes(1));
    quarantine(here, "V2");
    // Once the run has marked that one.
    const tagsOf = () => here.cloud.secretsManager.named(`keyturn/${DEPLOY}`)?.tags ?? [];
    const stop = meanwhile(here, () => {
      if (!tagsOf().some(({ Key }) => Key === "keyturn:quarantine")) return;
      stop();
      quarantine(here, "V3");
      // IAM dates keys in whole seconds.
      here.clock.advance(seconds(1));
    });
    await here.sweep();
    here.bend = null;
    const third = custodyOf(here) ?? "";
    expect(third).not.toBe(second);
    await here.pass(hours(2), work);
    expect([custodyOf(here), ofKey(here, third)]).toEqual([third, "Active"]);
  });

  test.for([
    ["that it was taken away", minutes(15)],
    ["of the first time only", hours(3)],
  ] as const)("the same while CloudTrail tells %s: that is not taken for this one", async ([, lagMs]) => {
    const { here, second, work } = await settled();
    quarantine(here, "V3");
    await here.pass(hours(2), work);
    const third = custodyOf(here) ?? "";
    here.cloud.lags.cloudTrailMs = lagMs;
    quarantine(here, "V3", false);
    await here.pass(hours(2), work);
    quarantine(here, "V3");
    await here.sweep();
    await here.pass(minutes(30), work);
    expect(third).not.toBe(second);
    expect(custodyOf(here)).not.toBe(third);
    expect(ofKey(here, third)).not.toBe("Active");
  });
});
