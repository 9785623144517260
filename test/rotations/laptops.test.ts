import { describe, expect, test } from "vitest";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import { aPolicy } from "../builders.ts";
import type { SigningPair } from "../world/caller.ts";
import { aCaller, aSystem, custodyOf, DEPLOY, doneIn, ofKey, toldOf } from "../world/system.ts";
import type { System } from "../world/system.ts";
import type { Consumer, PullReader, PullReaderOptions } from "../world/workloads.ts";
import { pullReader } from "../world/workloads.ts";

const POLICY = aPolicy({ rotateAfterMs: days(47), idleAtMostMs: days(28), cacheForMs: hours(8) });

interface Laptop extends PullReader {
  readonly calls: Consumer;
}

function aLaptop({ here, first }: System, name = "laptop", more: Partial<PullReaderOptions> = {}): Laptop {
  const where = {
    region: "us-east-1",
    sourceAddress: "198.51.100.7",
    userAgent: `aws-cli/2.9 app/keyturn-${name}`,
    ...more,
  };
  const reader = pullReader(here.cloud, { ...where, name, secretId: `keyturn/${DEPLOY}`, first });
  return { ...reader, calls: aCaller(here, () => reader.pair(), name) };
}

async function aPulledUser(ageMs: number, policy = POLICY, readers: readonly string[] = ["laptop"]): Promise<System> {
  const system = await aSystem({ ageMs, profile: { isPulled: true, readers, policy } });
  system.here.destinations = {};
  return system;
}

const ageOf = ({ here }: System, id: string): number =>
  here.clock.now() - (here.cloud.iam.keys.get(id)?.createdAtMs ?? 0);

describe("N1, N10: a laptop that is opened late", () => {
  test.for([0, 9, 14, 27])("N10: %i days after the promotion, has the old key Inactive before day 90", async (late) => {
    const system = await aPulledUser(days(47) - hours(6));
    const { here, first } = system;
    const laptop = aLaptop(system);
    await here.passUntil(() => custodyOf(here) !== null, days(2));
    let hour = 0;
    const between = (): void => {
      hour += 1;
      if (hour === late * 24 + 1) laptop.pull();
      if (hour > late * 24 + 2 && hour % 24 === 3) laptop.calls.work();
    };
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(45), between);
    expect(ageOf(system, first.keyId)).toBeLessThan(days(86.5));
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(8), between);
    // N1: and its slot is free before the next rotation is due.
    expect(ageOf(system, custodyOf(here) ?? "")).toBeLessThan(days(47));
    expect(laptop.calls.failures()).toEqual([]);
    expect(toldOf(here)).toEqual(["KeyDeactivated", "KeyDeleted"]);
  });

  test("N1: two days late at every rotation, five rotations long, never stops the next one", async () => {
    const system = await aPulledUser(days(47) - hours(6));
    const { here } = system;
    const laptop = aLaptop(system);
    let shutUntil = Number.POSITIVE_INFINITY;
    let seen: string | null = null;
    const promoted = new Set<string>();
    await here.pass(days(47 * 5 + 10), () => {
      const current = custodyOf(here);
      if (current !== seen) {
        seen = current;
        shutUntil = here.clock.now() + days(2);
      }
      if (current !== null) promoted.add(current);
      if (here.clock.now() >= shutUntil) laptop.pull();
      laptop.calls.work();
    });
    expect(promoted.size).toBeGreaterThanOrEqual(5);
    expect(laptop.calls.failures()).toEqual([]);
    expect(toldOf(here)).not.toContain("KeyOverdue");
  });
});

test("N10: any other use of the old key restarts the whole silence", async () => {
  const system = await aPulledUser(days(47));
  const { here, first } = system;
  const laptop = aLaptop(system);
  const ci = aCaller(here, () => first, "ci");
  let hour = 0;
  let usedAt = 0;
  await here.passUntil(
    () => ofKey(here, first.keyId) === "Inactive",
    days(60),
    () => {
      hour += 1;
      if (hour === 5 * 24) laptop.pull();
      if (hour > 5 * 24 + 1) laptop.calls.work();
      if (hour !== 20 * 24) return;
      ci.work();
      usedAt = here.clock.now();
    },
  );
  expect(here.clock.now() - usedAt).toBeGreaterThanOrEqual(days(28) + hours(4));
});

test("N10: a read of another secret is no hand-over", async () => {
  const system = await aPulledUser(days(47));
  const { here, first } = system;
  const laptop = aLaptop(system);
  here.cloud.callAs(here.cloud.role, {
    service: "secretsmanager",
    operation: "CreateSecret",
    input: { Name: "other", SecretString: "{}" },
  });
  let hour = 0;
  let readAt = 0;
  await here.passUntil(
    () => ofKey(here, first.keyId) === "Inactive",
    days(60),
    () => {
      hour += 1;
      if (hour === 24) laptop.pull();
      if (hour > 25) laptop.calls.work();
      if (hour !== 20 * 24) return;
      here.cloud.callAs(first, {
        service: "secretsmanager",
        operation: "GetSecretValue",
        input: { SecretId: "other" },
      });
      readAt = here.clock.now();
    },
  );
  expect(here.clock.now() - readAt).toBeGreaterThanOrEqual(days(28) + hours(4));
});

test("a hand-over in a fraction of a second is recognised, although both sources give whole seconds", async () => {
  const system = await aPulledUser(days(47));
  const { here, first } = system;
  const laptop = aLaptop(system);
  here.clock.advance(789);
  let hour = 0;
  await here.passUntil(
    () => ofKey(here, first.keyId) === "Inactive",
    days(40),
    () => {
      hour += 1;
      here.clock.advance(7);
      if (hour === 20 * 24) laptop.pull();
      if (hour > 20 * 24) laptop.calls.work();
    },
  );
  expect(hour / 24).toBeLessThan(31);
});

test("N10: a hand-over that CloudTrail cannot confirm counts as a use", async () => {
  const system = await aPulledUser(days(47));
  const { here, first } = system;
  const laptop = aLaptop(system);
  let hour = 0;
  const results = await here.pass(days(45), () => {
    hour += 1;
    if (hour === 20 * 24) {
      laptop.pull();
      here.cloud.faults.add({
        service: "cloudtrail",
        operation: null,
        kind: "error-before",
        code: "AccessDeniedException",
        times: "forever",
      });
    }
    if (hour > 20 * 24) laptop.calls.work();
  });
  expect(ofKey(here, first.keyId)).toBe("Active");
  expect(results.flatMap((result) => doneIn(result))).not.toContain("deactivate");
});

describe("B6: a shut laptop beside one that is used every day", () => {
  const pair = async (policy: ReturnType<typeof aPolicy>) => {
    const system = await aPulledUser(days(60), policy, ["A", "B"]);
    const { here } = system;
    const [open, shut] = [aLaptop(system, "A"), aLaptop(system, "B")];
    let hour = 0;
    await here.pass(days(40), () => {
      hour += 1;
      if (hour % 8 === 0) open.pull();
      open.calls.work();
      if (hour < 22 * 24) return;
      shut.pull();
      shut.calls.work();
    });
    return [...open.calls.failures(), ...shut.calls.failures()];
  };

  test("B6: opened after three weeks, it fetches its pair with the old one", async () => {
    expect(await pair(POLICY)).toEqual([]);
  });

  test("B6: its twin, whose profile declares no silence, is dead for good", async () => {
    const failures = await pair(aPolicy({ rotateAfterMs: days(47), idleAtMostMs: null }));
    expect(failures.length).toBeGreaterThan(100);
  });
});

test("N17: until the first rotation, and when the previous version is the marker, a reader keeps its pair", async () => {
  const system = await aPulledUser(days(30));
  const { here, first } = system;
  const laptop = aLaptop(system);
  await here.pass(days(2));
  expect(laptop.pull()).toBe("nothing-yet");
  // A secret opened by hand, with its marker, is read as "nothing yet", too.
  here.cloud.callAs(here.cloud.role, {
    service: "secretsmanager",
    operation: "CreateSecret",
    input: { Name: `keyturn/${DEPLOY}`, SecretString: '{"Version":1}' },
  });
  expect(laptop.pull()).toBe("nothing-yet");
  expect(laptop.pair()).toEqual<SigningPair>(first);
  await here.passUntil(
    () => custodyOf(here) !== null,
    days(20),
    () => void laptop.pull(),
  );
  expect(custodyOf(here, "AWSPREVIOUS")).toBeNull();
  here.clock.advance(minutes(1));
  laptop.pull();
  expect(laptop.calls.work()).toMatchObject({ keyId: custodyOf(here), error: null });
});
