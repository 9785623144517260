import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/rotation/errors.ts";
import { days, hours } from "../../src/rotation/time.ts";
import { aPolicy } from "../builders.ts";
import type { Installation } from "../world/installation.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import { aSystem, custodyOf, DEPLOY, doneIn, handMade, lastOf, ofKey, person, toldOf } from "../world/system.ts";

const looks = ({ cloud }: Installation): number => cloud.counts.get("iam.ListAccessKeys") ?? 0;
const listings = ({ cloud }: Installation): number => cloud.counts.get("secretsmanager.ListSecrets") ?? 0;

/** A user of whom nothing is due for weeks, and whom the first sweep has met. */
async function resting() {
  const system = await aSystem({ ageMs: days(20) });
  await system.here.sweep();
  return system;
}

describe("a user of whom nothing is due", () => {
  test("is not looked at by the next sweep, which says so", async () => {
    const { here } = await resting();
    const before = looks(here);
    const [next] = await here.pass(hours(1));
    expect([looks(here) - before, next?.resting, next?.users]).toEqual([0, 1, []]);
  });

  test("costs the sweep a listing, the report and the records, and no call of its own", async () => {
    const { here } = await resting();
    here.cloud.counts.clear();
    await here.pass(hours(1));
    expect(Object.fromEntries(here.cloud.counts)).toEqual({
      "sts.GetCallerIdentity": 1,
      "iam.GetAccountAuthorizationDetails": 1,
      "iam.GenerateCredentialReport": 1,
      "iam.GetCredentialReport": 1,
    });
  });

  test("is looked at in full at least once a day, where its consumers read custody", async () => {
    const { here } = await resting();
    here.destinations = {};
    const before = looks(here);
    await here.pass(days(10));
    expect(looks(here) - before).toBeGreaterThanOrEqual(10);
    expect(looks(here) - before).toBeLessThan(25);
  });

  test("is rotated by the first sweep after it is due", async () => {
    const { here } = await aSystem({ ageMs: days(74) + hours(1) });
    await here.pass(hours(17));
    expect(here.keysOf(DEPLOY)).toHaveLength(1);
    const [due] = await here.pass(hours(1));
    expect(doneIn(due)).toContain("create-replacement");
  });

  test("is looked at when it is named, and in a plan", async () => {
    const { here } = await resting();
    here.clock.advance(hours(1));
    expect(lastOf(await here.sweep([DEPLOY]))).toBe("nothing-due hold NothingDue held");
  });
});

describe("a user at rest to whom something happens", () => {
  test("is held by the next sweep when an operator holds it", async () => {
    const { here } = await resting();
    person(here).tag("Keyturn-Hold", "freeze");
    const [next] = await here.pass(hours(1));
    expect(lastOf(next)).toBe("not-ours-to-touch hold HeldByOperator held");
  });

  test("is looked at by the next sweep when its profile has changed", async () => {
    const { here } = await resting();
    const [profile] = Object.values(here.profiles);
    if (profile === undefined) throw new Error("there is a profile");
    here.profiles = { ci: { ...profile, policy: { ...profile.policy, rotateAfterMs: days(19) } } };
    const [next] = await here.pass(hours(1));
    expect(doneIn(next)).toContain("create-replacement");
  });

  test("is reported by the next sweep when another user's profile comes to name its slot", async () => {
    const { here, worker } = await resting();
    const [profile] = Object.values(here.profiles);
    if (profile === undefined) throw new Error("there is a profile");
    here.cloud.iam.createUser({ name: "second", tags: { keyturn: "two" } });
    here.profiles = { ...here.profiles, two: { ...profile, name: "two", users: ["second"] } };
    here.destinations = { ...here.destinations, two: [worker] };
    const [next] = await here.pass(hours(1));
    expect(lastOf(next)).toBe("not-ours-to-touch hold SlotShared held");
  });

  test("rests no more after a look by name that found what no report shows yet", async () => {
    const { here } = await resting();
    handMade(here);
    await here.sweep([DEPLOY]);
    const before = looks(here);
    await here.pass(hours(1));
    expect(looks(here) - before).toBe(1);
  });

  test("does not rest while something of it could not be told", async () => {
    // So little time between due and too old that the first warning comes before anything is due.
    const policy = aPolicy({ rotateAfterMs: days(20), maxAgeMs: days(22) });
    const { here } = await aSystem({ ageMs: days(19), profile: { policy } });
    here.bend = (world) => {
      world.notifier.failure = new Error("nobody answers");
      return world;
    };
    expect(lastOf(await here.sweep())).toBe("nothing-due hold NothingDue held");
    here.bend = null;
    await here.pass(hours(1));
    expect(toldOf(here)).toContain("KeyOverdue");
  });

  test("is looked at when the journal has lost its record", async () => {
    const { here } = await resting();
    here.journal.wipe();
    const before = looks(here);
    await here.pass(hours(1));
    expect(looks(here) - before).toBe(1);
  });

  test.for([
    ["makes a key", (here: Installation) => handMade(here), "Stranger"],
    ["disables its only key", disableIt, "CurrentKeyDisabled"],
  ] as const)("is seen, at the latest with the next report, when somebody %s", async ([, happens, told]) => {
    const { here, first } = await aSystem();
    // Where a pair was delivered, each is looked at every few hours anyway.
    here.destinations = {};
    await here.passUntil(
      () => ofKey(here, first.keyId) === "gone",
      days(20),
      () => adopted(here),
    );
    await here.pass(days(2));
    happens(here);
    await here.pass(hours(5));
    expect(toldOf(here)).toContain(told);
  });

  test("is seen within a day even if the report never changes", async () => {
    const { here, first } = await aSystem();
    here.destinations = {};
    await here.passUntil(
      () => ofKey(here, first.keyId) === "gone",
      days(20),
      () => adopted(here),
    );
    await here.pass(days(2));
    const stale = await here.run().directory.keyReport();
    here.bend = (world) => ({
      ...world,
      directory: { ...world.directory, keyReport: async () => Promise.resolve(stale) },
    });
    handMade(here);
    await here.pass(hours(11));
    expect(toldOf(here)).not.toContain("Stranger");
    await here.pass(hours(14));
    expect(toldOf(here)).toContain("Stranger");
  });
});

describe("where the report cannot be had", () => {
  test.for([
    ["it is refused", new RotationError("Denied", "reading the report, refused")],
    ["it is never finished", null],
  ] as const)("everybody is looked at in full: %s", async ([, refusal]) => {
    const { here } = await resting();
    const keyReport = async (): Promise<null> => (refusal === null ? null : Promise.reject(refusal));
    here.bend = (world) => ({ ...world, directory: { ...world.directory, keyReport } });
    const before = looks(here);
    const results = await here.pass(hours(3));
    expect([looks(here) - before, results.at(-1)?.status]).toEqual([3, "ok"]);
  });
});

describe("whoever is in motion", () => {
  test("is looked at in full by every sweep", async () => {
    const { here, work } = await aSystem();
    await here.sweep();
    const before = looks(here);
    await here.pass(hours(24), work);
    expect(looks(here) - before).toBe(24);
  });

  test("or waits for a person, though it has one key that is not due: is looked at in full by every sweep", async () => {
    const { here } = await aSystem({ ageMs: days(20), profile: { smtp: null } });
    const inline = here.cloud.iam.users.get(DEPLOY)?.inline ?? {};
    inline["mail"] = { Statement: [{ Effect: "Allow", Action: "ses:*", Resource: "*" }] };
    expect(lastOf(await here.sweep())).toBe("smtp hold SmtpNotRuledOut held");
    const before = looks(here);
    await here.pass(hours(3));
    expect(looks(here) - before).toBe(3);
  });

  test("or waits for its window with a place that has no pair yet: is looked at in full by every sweep", async () => {
    const opensOn = [true, true, true, true, false, false, false];
    const window = { text: "Mon-Thu 09:00-16:00 UTC", opensOn, from: 540, to: 960, timeZone: "UTC" };
    const { here, first, worker, work } = await aSystem({ profile: { policy: aPolicy({ window }) } });
    const isSaturday = (): boolean => new Date(here.clock.now()).getUTCDay() === 6;
    await here.passUntil(() => ofKey(here, first.keyId) === "gone" && isSaturday(), days(40), work);
    here.destinations = { ci: [worker, memoryDestination("cloudflare-worker:late", first)] };
    expect(lastOf(await here.sweep())).toBe("deliver-again hold WindowClosed held");
    const before = looks(here);
    await here.pass(hours(3));
    expect(looks(here) - before).toBe(3);
  });

  test("is reported by the next sweep when its tag is removed, though custody is not listed", async () => {
    const { here, work } = await aSystem();
    await here.pass(hours(3), work);
    const before = listings(here);
    person(here).untag("keyturn");
    const [next] = await here.pass(hours(1), work);
    expect([listings(here) - before, lastOf(next)]).toEqual([0, "not-ours-to-touch hold NotEnrolled held"]);
  });

  test("does not rest before the report shows that the old key is gone", async () => {
    const { here, first } = await aSystem();
    await here.passUntil(
      () => ofKey(here, first.keyId) === "gone",
      days(20),
      () => adopted(here),
    );
    const results = await here.pass(hours(6));
    expect(results[0]?.resting).toBe(0);
    expect(results.at(-1)?.resting).toBe(1);
  });
});

test("custody is listed twice a day, and by the first sweep of a fresh table", async () => {
  const { here } = await resting();
  expect(listings(here)).toBe(1);
  await here.pass(hours(11));
  expect(listings(here)).toBe(1);
  await here.pass(hours(1));
  expect(listings(here)).toBe(2);
  here.journal.wipe();
  await here.pass(hours(1));
  expect(listings(here)).toBe(3);
});

test("a rotation that delivers to custody alone makes ten calls, and writes the journal twice", async () => {
  const { here } = await aSystem();
  here.destinations = {};
  here.cloud.lags.propagationMs = 0;
  let writes = 0;
  const { journal } = here;
  const write = journal.write.bind(journal);
  journal.write = async (revision, next) => {
    writes += 1;
    return write(revision, next);
  };
  here.cloud.counts.clear();
  expect(doneIn(await here.sweep())).toEqual(["create-replacement", "prove", "promote"]);
  const ofUser = ["ListAccessKeys", "CreateAccessKey", "DescribeSecret", "CreateSecret", "PutSecretValue"];
  const counted = [...ofUser, "UpdateSecretVersionStage", "GetSecretValue", "GetUser", "GetAccessKeyLastUsed"].map(
    (operation) =>
      here.cloud.counts.get(`iam.${operation}`) ?? here.cloud.counts.get(`secretsmanager.${operation}`) ?? 0,
  );
  expect(counted).toEqual([1, 1, 1, 1, 1, 2, 0, 0, 0]);
  // One of them asks who we are.
  expect(here.cloud.counts.get("sts.GetCallerIdentity")).toBe(4);
  expect(writes).toBe(2);
});

function disableIt(here: Installation): void {
  const id = custodyOf(here) ?? "";
  person(here).setStatus(id, "Inactive");
}

/** Somebody uses whatever is current. */
function adopted(here: Installation): void {
  const id = custodyOf(here);
  const key = id === null ? undefined : here.cloud.iam.keys.get(id);
  if (key === undefined) return;
  here.cloud.callAs({ keyId: key.id, secret: key.secret }, { service: "lambda", operation: "Invoke" });
}
