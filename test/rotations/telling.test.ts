import { expect, describe, test } from "vitest";
import { userName } from "../../src/rotation/keys.ts";
import { days, hours } from "../../src/rotation/time.ts";
import type { World } from "../../src/rotation/world.ts";
import { recordingNotifier } from "../world/direct/recorders.ts";
import { aSystem, DEPLOY, dyingWorld, ofKey } from "../world/system.ts";
import type { System } from "../world/system.ts";

const timesTold = ({ here }: System, code: string) => here.notices.filter((notice) => notice.code === code);
const untilGone = async ({ here, first, work }: System) =>
  here.passUntil(() => ofKey(here, first.keyId) === "gone", days(40), work);
const unheardOf = async ({ here }: System) => (await here.journal.read(userName(DEPLOY))).record?.unheard;

/** The world of a process that dies once, right after IAM has deleted a key: nothing that comes after it happens. */
function diesAfterDeletion() {
  let state: "alive" | "dead" | "back" = "alive";
  const bend = (world: Parameters<typeof dyingWorld>[0]): World => {
    if (state === "dead") state = "back";
    const dying = dyingWorld(world, () => state === "dead");
    const remove: World["accessKeys"]["delete"] = async (user, id) => {
      await dying.accessKeys.delete(user, id);
      if (state === "alive") state = "dead";
    };
    return { ...dying, accessKeys: { ...dying.accessKeys, delete: remove }, notifiers: [whileAlive(world)] };
  };
  const whileAlive = (world: World) => ({
    name: "mail",
    notify: async (notices: Parameters<World["notifiers"][number]["notify"]>[0]) => {
      if (state === "dead") throw new Error("the process is dead");
      for (const notifier of world.notifiers) await notifier.notify(notices);
    },
  });
  return bend;
}

describe("a deletion", () => {
  test("whose process died right after it is told by the next sweep, once, with what it rests on", async () => {
    const system = await aSystem({ bend: diesAfterDeletion() });
    await untilGone(system);
    expect(timesTold(system, "KeyDeleted")).toEqual([]);
    await system.here.pass(days(3), system.work);
    const told = timesTold(system, "KeyDeleted");
    expect(told).toHaveLength(1);
    expect(told[0]?.text).toMatch(new RegExp(`^${system.first.keyId} was deleted: .+\n.*Inactive since`, "s"));
    expect(await unheardOf(system)).toBeUndefined();
  });

  test("is told until one notifier took it, and by that one once", async () => {
    const mail = recordingNotifier("mail");
    const system = await aSystem({ bend: (world) => ({ ...world, notifiers: [mail] }) });
    const { here, first, work } = system;
    await here.passUntil(() => ofKey(here, first.keyId) === "Inactive", days(40), work);
    await here.sweep();
    mail.failure = new Error("no such topic");
    await untilGone(system);
    await here.pass(hours(30), work);
    expect(await unheardOf(system)).toMatchObject([{ code: "KeyDeleted", keyId: first.keyId }]);
    mail.failure = null;
    await here.pass(days(3), work);
    expect(mail.notices.filter(({ code }) => code === "KeyDeleted")).toHaveLength(1);
    expect(await unheardOf(system)).toBeUndefined();
  });

  test("that one of two notifiers took is not told again", async () => {
    const [mail, chat] = [recordingNotifier("mail"), recordingNotifier("chat")];
    chat.failure = new Error("no such channel");
    const system = await aSystem({ bend: (world) => ({ ...world, notifiers: [mail, chat] }) });
    await untilGone(system);
    await system.here.pass(days(2), system.work);
    expect(mail.notices.filter(({ code }) => code === "KeyDeleted")).toHaveLength(1);
    expect(mail.notices.map(({ code }) => code)).toContain("NotifierFailing");
  });

  test("that IAM refused is not told while the key is there", async () => {
    const system = await aSystem();
    const { here, first, work } = system;
    const refused = { code: "AccessDenied", status: 403, kind: "error-before", times: "forever" } as const;
    here.cloud.faults.add({ service: "iam", operation: "DeleteAccessKey", ...refused });
    await here.passUntil(() => timesTold(system, "StepFailed").length > 0, days(40), work);
    expect(await unheardOf(system)).toMatchObject([{ code: "KeyDeleted" }]);
    expect(ofKey(here, first.keyId)).toBe("Inactive");
    expect(timesTold(system, "KeyDeleted")).toEqual([]);
  });
});

describe("a notifier that fails", () => {
  test("changes nothing that is done, and makes the sweep say so", async () => {
    const broken = recordingNotifier("broken");
    broken.failure = new Error("no such topic");
    const well = await aSystem();
    const ill = await aSystem({ bend: (world) => ({ ...world, notifiers: [broken] }) });
    for (const system of [well, ill]) await untilGone(system);
    const done = async ({ here }: System) => (await here.journal.history(userName(DEPLOY))).map(({ what }) => what);
    expect(await done(ill)).toEqual(await done(well));
    const result = await ill.here.sweep();
    expect(result).toMatchObject({ status: "failed", failedNotifiers: ["broken"] });
    expect((await well.here.sweep()).failedNotifiers).toEqual([]);
  });
});

describe("what was told as trouble", () => {
  test("is told to be over a day after it ended, with whose it is", async () => {
    const system = await aSystem();
    const { here, worker, work } = system;
    here.cloud.iam.users.get(DEPLOY)?.tags.push({ Key: "keyturn-owner", Value: "team-a" });
    worker.failing = "before";
    await here.pass(hours(5), work);
    expect(timesTold(system, "StepFailed")[0]).toMatchObject({ owner: "team-a" });
    expect(here.closed).toEqual([]);
    worker.failing = null;
    await here.pass(hours(40), work);
    expect(here.closed.map(({ code }) => code)).toContain("StepFailed");
    expect(here.closed[0]).toMatchObject({ user: DEPLOY, owner: "team-a", isOver: true, move: "nobody" });
  });

  test("is told to be over where it was a hold, and somebody took its tag away by hand", async () => {
    const { here, work } = await aSystem();
    const user = here.cloud.iam.users.get(DEPLOY);
    user?.tags.push({ Key: "keyturn-hold", Value: "a freeze" });
    await here.pass(hours(5), work);
    expect(here.notices.map(({ code }) => code)).toEqual(["HeldByOperator"]);
    if (user !== undefined) user.tags = user.tags.filter(({ Key }) => Key !== "keyturn-hold");
    await here.pass(hours(19), work);
    expect(here.closed).toEqual([]);
    await here.pass(hours(12), work);
    expect(here.closed).toMatchObject([{ code: "HeldByOperator", user: DEPLOY, isOver: true }]);
  });

  test("is not told to be over while a hold hides it", async () => {
    const system = await aSystem();
    const { here, worker, work } = system;
    worker.failing = "before";
    await here.pass(hours(5), work);
    here.cloud.iam.users.get(DEPLOY)?.tags.push({ Key: "keyturn-hold", Value: "a freeze" });
    await here.pass(days(3), work);
    expect(here.closed).toEqual([]);
  });
});
