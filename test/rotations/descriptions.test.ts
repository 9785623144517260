import { describe, expect, test } from "vitest";
import { days, hours } from "../../src/rotation/time.ts";
import type { Fault } from "../world/faults.ts";
import { aSystem, custodyOf, DEPLOY, dyingWorld, handMade, lastOf, ofKey, person, toldOf } from "../world/system.ts";
import type { System } from "../world/system.ts";

const TEXT = "Cloudflare Worker of the shop";

async function described(text: string | null = TEXT): Promise<System> {
  const system = await aSystem();
  if (text !== null) person(system.here).tag(system.first.keyId, text);
  return system;
}

/** The descriptions that the user's tags are: by key id. */
const descriptions = ({ here }: System): Record<string, string> =>
  Object.fromEntries(
    (here.cloud.iam.users.get(DEPLOY)?.tags ?? []).flatMap(({ Key, Value }) =>
      Key.startsWith("AKIA") ? [[Key, Value]] : [],
    ),
  );
const currentOf = ({ here }: System): string => custodyOf(here) ?? "";
const tagCalls = ({ here }: System, name: "TagUser" | "UntagUser"): number => here.cloud.counts.get(`iam.${name}`) ?? 0;
const untilGone = async ({ here, first, work }: System): Promise<void> =>
  here.passUntil(() => ofKey(here, first.keyId) === "gone", days(30), work);
const failing = ({ here }: System, operation: string, fault: Partial<Fault>): (() => void) =>
  here.cloud.faults.add({ service: "iam", operation, kind: "error-before", times: "forever", ...fault });
const DENIED = { code: "AccessDenied", status: 403 };

test("a description is on both keys once the replacement is current, and on the new one alone after the deletion", async () => {
  const system = await described();
  await system.here.sweep();
  expect(descriptions(system)).toEqual({ [system.first.keyId]: TEXT, [currentOf(system)]: TEXT });
  await untilGone(system);
  expect(descriptions(system)).toEqual({ [currentOf(system)]: TEXT });
  // One more of each is the person's who seeded the tag.
  expect([tagCalls(system, "TagUser"), tagCalls(system, "UntagUser")]).toEqual([2, 1]);
  expect(toldOf(system.here)).not.toContain("DescriptionNotCarried");
});

test("a replacement that waits for its delivery bears none yet", async () => {
  const system = await described();
  system.worker.failing = "before";
  await system.here.pass(hours(3));
  expect(descriptions(system)).toEqual({ [system.first.keyId]: TEXT });
  system.worker.failing = null;
  await system.here.pass(hours(8));
  expect(descriptions(system)[currentOf(system)]).toBe(TEXT);
});

test("without a description no call is made, for it or because of it", async () => {
  const plain = await described(null);
  const reads = (): number => plain.here.cloud.counts.get("iam.GetUser") ?? 0;
  await plain.here.sweep();
  const readsOfDelivery = reads();
  await untilGone(plain);
  expect([tagCalls(plain, "TagUser"), tagCalls(plain, "UntagUser")]).toEqual([0, 0]);
  // One before the delivery; one before the deactivation, and one before the deletion.
  expect([readsOfDelivery, reads()]).toEqual([1, 3]);
});

test("what somebody wrote of the replacement stays, and the old key's words go with it", async () => {
  const system = await described();
  const stop = failing(system, "TagUser", DENIED);
  await system.here.sweep();
  stop();
  person(system.here).tag(currentOf(system), "the new one");
  await untilGone(system);
  expect(descriptions(system)).toEqual({ [currentOf(system)]: "the new one" });
});

test("other tags are left alone, and so is the description of a key that we never met", async () => {
  const system = await described();
  person(system.here).tag("team", "shop");
  person(system.here).tag("AKIAOFSOMEBODYELSE00", "an old leftover");
  await untilGone(system);
  expect(descriptions(system)).toEqual({ [currentOf(system)]: TEXT, AKIAOFSOMEBODYELSE00: "an old leftover" });
  expect(system.here.cloud.iam.users.get(DEPLOY)?.tags.map(({ Key }) => Key)).toContain("team");
});

test("a stranger's description is not taken for ours, nor taken away while the key is there", async () => {
  const system = await described(null);
  await untilGone(system);
  const stranger = handMade(system.here);
  person(system.here).tag(stranger.keyId, "of a person");
  const results = await system.here.pass(days(1), system.work);
  expect(lastOf(results.at(-1))).toMatch(/Stranger/);
  expect(descriptions(system)).toEqual({ [stranger.keyId]: "of a person" });
});

test("a description does not wake a user at rest, and its change in the middle of a rotation withdraws nothing", async () => {
  const system = await described();
  const { here, first, work } = system;
  await here.sweep();
  person(here).tag(first.keyId, "changed meanwhile");
  await untilGone(system);
  await here.pass(days(1), work);
  const before = await here.sweep();
  person(here).tag(currentOf(system), "another text");
  expect([before.resting, (await here.sweep()).resting]).toEqual([1, 1]);
});

test("a user that is held, or lost its enrolment, keeps its tags as they are", async () => {
  for (const tag of ["keyturn-hold", "keyturn"] as const) {
    const system = await described();
    const stop = failing(system, "TagUser", DENIED);
    await system.here.sweep();
    stop();
    if (tag === "keyturn") person(system.here).untag(tag);
    else person(system.here).tag(tag, "freeze");
    const calls = tagCalls(system, "TagUser");
    await system.here.pass(days(1), system.work);
    expect([tag, tagCalls(system, "TagUser")]).toEqual([tag, calls]);
    expect(descriptions(system)).toEqual({ [system.first.keyId]: TEXT });
  }
});

describe("a failure", () => {
  test.for([
    ["denied", DENIED],
    ["throttled", { kind: "throttle" }],
    ["not answered", { kind: "lost-before" }],
    ["a failure of the service", { kind: "error-after" }],
  ] as const)("that is %s fails and delays nothing, and is told once", async ([, fault]) => {
    const [system, twin] = [await described(), await described(null)];
    failing(system, "TagUser", fault);
    failing(system, "UntagUser", fault);
    const results = [await system.here.sweep(), await twin.here.sweep()];
    expect(results.map(({ status }) => status)).toEqual(["ok", "ok"]);
    await untilGone(system);
    await untilGone(twin);
    // Hours: where time does not stand still while a throttled call is repeated, minutes go by.
    const tookHours = [system, twin].map(({ here }) => Math.round(here.clock.now() / hours(1)));
    expect(tookHours[0]).toBe(tookHours[1]);
    const texts = system.here.notices.filter(({ code }) => code === "DescriptionNotCarried").map(({ text }) => text);
    expect(texts.length).toBeGreaterThan(0);
    expect(new Set(texts).size).toBe(texts.length);
    expect(system.calls.failures()).toEqual([]);
  });

  test("for want of room is told, the words stay where they are, and go on when there is room", async () => {
    const system = await described();
    const { here, first, work } = system;
    for (let index = 0; index < 48; index += 1) person(here).tag(`tag-${String(index)}`, "");
    await untilGone(system);
    const [notice] = here.notices.filter(({ code }) => code === "DescriptionNotCarried");
    expect(notice?.text).toMatch(/LimitReached: describing AKIA\w+ of deploy/);
    expect(descriptions(system)).toEqual({ [first.keyId]: TEXT });
    person(here).untag("tag-7");
    await here.pass(hours(2), work);
    expect(descriptions(system)).toEqual({ [currentOf(system)]: TEXT });
    const results = await here.pass(days(2), work);
    expect(results.at(-1)?.resting).toBe(1);
  });

  test("that lasts is given up a week after the deletion: the user comes to rest", async () => {
    const system = await described();
    failing(system, "UntagUser", DENIED);
    await untilGone(system);
    const results = await system.here.pass(days(9), system.work);
    expect(results.at(-1)?.resting).toBe(1);
    expect(descriptions(system)).toEqual({ [system.first.keyId]: TEXT, [currentOf(system)]: TEXT });
  });
});

describe("a crash", () => {
  test.for(["TagUser", "DeleteAccessKey", "UntagUser"] as const)(
    "right after %s leaves nothing that the next looks do not mend",
    async (operation) => {
      const system = await described();
      const { here, work, calls } = system;
      let isDead = false;
      here.bend = (world) => dyingWorld(world, () => isDead);
      const seeded = here.cloud.counts.get(`iam.${operation}`) ?? 0;
      const stop = here.cloud.onCall((call) => {
        if ((here.cloud.counts.get(`iam.${operation}`) ?? 0) <= seeded || call.signer?.keyId !== here.cloud.role.keyId)
          return;
        isDead = true;
        stop();
      });
      await here.passUntil(() => isDead, days(30), work);
      here.bend = null;
      await untilGone(system);
      await here.pass(hours(2), work);
      expect(descriptions(system)).toEqual({ [currentOf(system)]: TEXT });
      expect(calls.failures()).toEqual([]);
    },
  );
});
