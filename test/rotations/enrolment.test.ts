import { describe, expect, test } from "vitest";
import { days, hours, instant, minutes } from "../../src/rotation/time.ts";
import { sweep } from "../../src/sweep.ts";
import { aPolicy, aProfile } from "../builders.ts";
import { MemoryJournal } from "../world/direct/journal.ts";
import { directWorld } from "../world/direct/world.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import { aSystem, custodyOf, DEPLOY, doneIn, handMade, lastOf, ofKey, person, toldOf } from "../world/system.ts";

describe("L1: a tag is no permission", () => {
  test.for([
    ["serverless-deploy", "ci", "NotServedByProfile"],
    ["serverless-deploy", "playground", "UnknownProfile"],
  ] as const)("L1: %s with the tag %s is reported and never obeyed", async ([user, tag, code]) => {
    const { here, first, worker, calls, work } = await aSystem({
      profile: { policy: aPolicy({ adopt: "at-once" }) },
      ageMs: days(1),
    });
    worker.blockedBecause = "not yet";
    here.cloud.iam.createUser({ name: user, tags: { keyturn: tag } });
    const theirs = handMade(here, days(400), user);
    const results = await here.pass(days(3), work);
    worker.blockedBecause = null;
    expect(lastOf(results.at(-1), user)).toBe(`not-ours-to-touch hold ${code} held`);
    expect(toldOf(here, user)).toContain(code);
    expect(here.keysOf(user)).toEqual([`${theirs.keyId} Active`]);
    expect(worker.pair()).toEqual(first);
    expect(calls.failures()).toEqual([]);
  });
});

test("N20: two enrolled users in one slot are both held, and nothing is created", async () => {
  const { here, worker, calls, work } = await aSystem();
  here.cloud.iam.createUser({ name: "second", tags: { keyturn: "ci" } });
  handMade(here, days(90), "second");
  here.profiles = { ci: aProfile({ users: [DEPLOY, "second"] }) };
  const results = await here.pass(days(2), work);
  for (const user of [DEPLOY, "second"]) {
    expect(lastOf(results.at(-1), user)).toBe("not-ours-to-touch hold SlotShared held");
    expect(toldOf(here, user)).toContain("SlotShared");
  }
  expect(here.cloud.counts.get("iam.CreateAccessKey")).toBeUndefined();
  person(here, "second").untag("keyturn");
  expect(doneIn((await here.pass(hours(1), work))[0])).toContain("promote");
  expect(worker.pair().keyId).toBe(custodyOf(here));
  expect(calls.failures()).toEqual([]);
});

describe("C3: a user that was deleted and made again", () => {
  const again = async (ageMs: number) => {
    const { here, worker } = await aSystem();
    await here.sweep();
    here.cloud.iam.deleteUser(DEPLOY);
    here.cloud.iam.createUser({ name: DEPLOY, tags: { keyturn: "ci" } });
    const fresh = handMade(here, ageMs);
    return { here, worker, fresh, deliveries: [...worker.deliveries] };
  };

  test("C3: inherits neither custody nor destinations: it is held and reported", async () => {
    const { here, worker, fresh, deliveries } = await again(days(100));
    const results = await here.pass(days(10));
    expect(lastOf(results.at(-1))).toBe("not-ours-to-touch hold OtherUserSameName held");
    expect(here.keysOf(DEPLOY)).toEqual([`${fresh.keyId} Active`]);
    expect(worker.deliveries).toEqual(deliveries);
    expect(toldOf(here)).toContain("OtherUserSameName");
  });

  test("C3: nor when the journal was lost as well: custody keeps the UserId", async () => {
    const { here } = await again(days(100));
    here.journal.wipe();
    await here.journal.setRunning(instant(here.clock.now()));
    const results = await here.pass(days(2));
    expect(lastOf(results.at(-1))).toBe("not-ours-to-touch hold OtherUserSameName held");
  });

  test("C3: while it is gone, what is left of it is held", async () => {
    const { here } = await aSystem();
    await here.sweep();
    here.cloud.iam.deleteUser(DEPLOY);
    const results = await here.pass(days(1));
    expect(lastOf(results.at(-1))).toMatch(/^not-ours-to-touch hold (NotEnrolled|NothingDue) held$/);
  });
});

describe("C4: half a rotation is never forgotten", () => {
  test("C4: a tag removed in the middle leaves two keys as they are, and is told; put back, it goes on", async () => {
    const { here, first, worker, calls, work } = await aSystem();
    await here.sweep();
    person(here).untag("keyturn");
    const keys = here.keysOf(DEPLOY);
    const results = await here.pass(days(30), work);
    expect(lastOf(results.at(-1))).toBe("not-ours-to-touch hold NotEnrolled held");
    expect(here.keysOf(DEPLOY)).toEqual(keys);
    expect(toldOf(here)).toContain("NotEnrolled");
    person(here).tag("keyturn", "ci");
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
    expect(worker.pair().keyId).toBe(custodyOf(here));
    expect(calls.failures()).toEqual([]);
  });

  test("C4: so does a tag that names a profile which the configuration no longer has", async () => {
    const { here, work } = await aSystem();
    await here.sweep();
    const keys = here.keysOf(DEPLOY);
    here.profiles = { other: aProfile({ name: "other" }) };
    const results = await here.pass(days(30), work);
    expect(lastOf(results.at(-1))).toBe("not-ours-to-touch hold UnknownProfile held");
    expect(here.keysOf(DEPLOY)).toEqual(keys);
  });
});

describe("S1: hand-made keys", () => {
  test("S1: of two, the one that nobody used for 90 days makes room, and the rotation follows", async () => {
    const { here, first, calls, work } = await aSystem();
    const idle = handMade(here, days(400));
    await here.passUntil(() => ofKey(here, idle.keyId) === "Inactive", days(2), work);
    expect(ofKey(here, first.keyId)).toBe("Active");
    await here.passUntil(() => custodyOf(here) !== null, days(40), work);
    expect(ofKey(here, idle.keyId)).toBe("gone");
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
    expect(calls.failures()).toEqual([]);
  });

  test("S1: of two that are both in use none is touched, and it is told", async () => {
    const { here, first, work } = await aSystem();
    const second = handMade(here, days(89));
    const results = await here.pass(hours(20), work);
    expect(lastOf(results.at(-1))).toBe("make-room hold TwoHandMadeKeys held");
    expect([ofKey(here, first.keyId), ofKey(here, second.keyId)]).toEqual(["Active", "Active"]);
    expect(toldOf(here)).toContain("TwoHandMadeKeys");
  });

  test("S1: a key made by hand after ours is a stranger, and stays", async () => {
    const { here, first, work } = await aSystem();
    await here.passUntil(() => ofKey(here, first.keyId) === "gone", days(20), work);
    const theirs = person(here).createKey();
    const results = await here.pass(days(100), work);
    expect(lastOf(results.at(-1))).toBe("stranger hold Stranger held");
    expect(ofKey(here, theirs.keyId)).toBe("Active");
    expect(toldOf(here)).toContain("Stranger");
  });
});

describe("B11: what the sweep read an hour ago", () => {
  test.for(["keyturn-hold", "Keyturn-Hold"])("B11: the tag %s holds", async (key) => {
    const { here } = await aSystem();
    person(here).tag(key, "freeze");
    expect(lastOf(await here.sweep())).toBe("not-ours-to-touch hold HeldByOperator held");
    expect(here.cloud.counts.get("iam.CreateAccessKey")).toBeUndefined();
    expect(toldOf(here)).toContain("HeldByOperator");
  });

  test.for([
    ["a hold in mixed case", (here: Parameters<typeof person>[0]) => person(here).tag("Keyturn-Hold", "")],
    ["another profile", (here: Parameters<typeof person>[0]) => person(here).tag("keyturn", "other")],
    ["no enrolment", (here: Parameters<typeof person>[0]) => person(here).untag("keyturn")],
  ] as const)("B11: %s, set between the listing and the act, stops the act", async ([, change]) => {
    const { here, worker } = await aSystem();
    let isChanged = false;
    here.cloud.onCall(({ operation }) => {
      if (operation !== "ListAccessKeys" || isChanged) return;
      isChanged = true;
      here.clock.advance(minutes(2));
      change(here);
    });
    expect(lastOf(await here.sweep())).toBe("create create-replacement KeyDue withdrawn");
    expect(here.cloud.counts.get("iam.CreateAccessKey")).toBeUndefined();
    expect(worker.deliveries).toEqual([]);
  });

  test("B11: a hold set after the creation stops the delivery, and released the rotation goes on", async () => {
    const { here, worker } = await aSystem();
    const stop = here.cloud.onCall(({ operation }) => {
      if (operation !== "CreateAccessKey") return;
      stop();
      person(here).tag("KEYTURN-HOLD", "wait");
    });
    await here.sweep();
    expect([worker.deliveries, custodyOf(here)]).toEqual([[], null]);
    await here.pass(days(2));
    expect(worker.deliveries).toEqual([]);
    person(here).untag("keyturn-hold");
    const [next] = await here.pass(hours(1));
    expect(doneIn(next)).toEqual(["prove", "deliver", "promote"]);
  });

  test("B11: a hold does not stop a key from being given back", async () => {
    const { here, first, worker, work } = await aSystem();
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(13), work);
    person(here).tag("keyturn-hold", "incident");
    worker.rollBackTo("v1");
    await here.pass(hours(1));
    expect(ofKey(here, first.keyId)).toBe("Active");
  });
});

describe("N14: two stages in one account", () => {
  const ofStage = (here: Awaited<ReturnType<typeof aSystem>>["here"], journal: MemoryJournal) =>
    sweep(directWorld(here.cloud, { journal, stage: "beta" }), {
      profiles: here.profiles,
      enrolmentTag: "keyturn-beta",
      mode: "act",
    });

  test("N14: one does not see the other's users, nor their custody", async () => {
    const { here } = await aSystem();
    await here.sweep();
    here.clock.advance(hours(1));
    const journal = new MemoryJournal();
    await journal.setRunning(instant(here.clock.now()));
    expect((await ofStage(here, journal)).users).toEqual([]);
  });

  test("N14: a user that bears both tags is held by both", async () => {
    const { here } = await aSystem();
    person(here).tag("keyturn-beta", "ci");
    const journal = new MemoryJournal();
    await journal.setRunning(instant(here.clock.now()));
    const held = "not-ours-to-touch hold TwoEnrolments held";
    expect(lastOf(await here.sweep())).toBe(held);
    expect(lastOf(await ofStage(here, journal))).toBe(held);
    expect(here.cloud.counts.get("iam.CreateAccessKey")).toBeUndefined();
  });
});

describe("N20: a user that may send mail by SMTP", () => {
  const mailer = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "ses:*", Resource: "*" }] };

  test.for([
    ["is held", null, "smtp hold SmtpNotRuledOut held"],
    ["is rotated on the owner's word", "none", "retire hold OldKeyQuieting held"],
  ] as const)("N20: %s", async ([, smtp, last]) => {
    const { here } = await aSystem({ profile: { smtp } });
    const user = here.cloud.iam.users.get(DEPLOY);
    if (user !== undefined) user.inline["mail"] = mailer;
    expect(lastOf(await here.sweep())).toBe(last);
  });
});

test("C10: a status that nobody knows makes the keys unreadable", async () => {
  const { here, first, work } = await aSystem();
  await here.sweep();
  const key = here.cloud.iam.keys.get(first.keyId);
  if (key !== undefined) key.status = "Expired";
  const results = await here.pass(days(20), work);
  expect(lastOf(results.at(-1))).toBe("cannot-see hold BlindSpot held");
  expect(toldOf(here)).toContain("BlindSpot");
});

test("a destination of another profile with the same slot does not count while its user is not enrolled", async () => {
  const { here, worker } = await aSystem();
  here.destinations = { ...here.destinations, other: [memoryDestination(worker.name, worker.pair())] };
  expect(doneIn(await here.sweep())).toContain("promote");
});
