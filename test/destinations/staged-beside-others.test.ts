import { describe, expect, test } from "vitest";
import { ACCOUNT, healthOf, ID, WORKER } from "./worker-under-test.ts";
import {
  NEW,
  WHOLE,
  setUp,
  secondUser,
  pairOf,
  live,
  newest,
  refusing,
  expectWhole,
  expectDelivered,
  dyingAt,
  callsOf,
} from "./staging-ground.ts";
import type { Around, Stage } from "./staging-ground.ts";

describe("somebody else", () => {
  const meanwhile = (at: number, act: () => void): Around => {
    return (call, go) => {
      if (call === at) act();
      return go();
    };
  };

  test.for(["works", "is refused"])("who deploys in the middle of any step stays live (the pair %s)", async (how) => {
    const askOf = (stage: Stage) => (how === "works" ? healthOf(stage.cloudflare) : refusing(stage));
    const first = setUp();
    const calls = await callsOf(first, { ask: askOf(first) });
    for (let at = 1; at <= calls; at += 1) {
      const stage = setUp();
      const deploy = (): void => void stage.cloudflare.deploy(ACCOUNT, WORKER, { code: "theirs" });
      await stage.run({ around: meanwhile(at, deploy), ask: askOf(stage) });
      expectWhole(stage);
      expect({ at, codes: live(stage).map(({ code }) => code) }).toEqual({ at, codes: ["theirs"] });
    }
  });

  test.for(["deploys", "rolls back"])(
    "who %s in the middle of any step does not keep the next run from delivering",
    async (what) => {
      const calls = await callsOf(setUp());
      for (let at = 1; at <= calls; at += 1) {
        const stage = setUp();
        const { cloudflare } = stage;
        const anchor = cloudflare.deploy(ACCOUNT, WORKER, { code: "second" });
        const first = cloudflare.versions(ACCOUNT, WORKER)[0]?.id ?? "";
        const rollBack = (versionId: string): void =>
          void cloudflare.createDeployment(ACCOUNT, WORKER, {
            shares: [{ versionId, percentage: 100 }],
            isForced: true,
          });
        const act =
          what === "deploys"
            ? () => void cloudflare.deploy(ACCOUNT, WORKER, { code: "theirs" })
            : () => rollBack(first);
        await stage.run({ around: meanwhile(at, act) });
        expect({ at, code: live(stage)[0]?.code }).toEqual({ at, code: what === "deploys" ? "theirs" : "" });
        // A version that is older than the newest is nobody's to ship: whoever went back goes forward again, or deploys.
        const isBlocked = (await stage.run()) !== null;
        expect({ at, isBlocked }).toEqual({ at, isBlocked: what === "rolls back" });
        if (isBlocked) cloudflare.deploy(ACCOUNT, WORKER, { code: anchor.code });
        if (isBlocked) await stage.run();
        expectDelivered(stage);
      }
    },
  );

  test("who deploys while our version is made leaves it on top of theirs: the next run goes on from it", async () => {
    const stage = setUp();
    const deploy = (): void => void stage.cloudflare.deploy(ACCOUNT, WORKER, { code: "theirs" });
    expect(await stage.run({ around: meanwhile(6, deploy) })).toMatchObject({ code: "Conflict" });
    expect(newest(stage)?.number).toBe(3);
    expect(await stage.run()).toBeNull();
    expectDelivered(stage);
    expect([newest(stage)?.number, newest(stage)?.code]).toEqual([3, "theirs"]);
  });

  test("who uploads a preview in the middle of any step does not see it shipped", async () => {
    const calls = await callsOf(setUp());
    for (let at = 1; at <= calls; at += 1) {
      const stage = setUp();
      const upload = (): void => void stage.cloudflare.upload(ACCOUNT, WORKER, { code: "unreleased" });
      await stage.run({ around: meanwhile(at, upload) });
      await stage.run();
      expectWhole(stage);
      expect({ at, codes: live(stage).map(({ code }) => code) }).toEqual({ at, codes: [""] });
    }
  });

  test("who stages upon our version, tag and all, is not taken for us", async () => {
    const stage = setUp({ annotationsAreInherited: true });
    const dead = dyingAt(7, true);
    await stage.run({ around: dead });
    expect(newest(stage)?.number).toBe(2);
    stage.cloudflare.stage(ACCOUNT, WORKER, { secrets: { FEATURE: "unreleased" } });
    expect(await stage.run()).toMatch(/newest version is not the live one/);
    expect(live(stage).map(({ number }) => number)).toEqual([1]);
  });

  test("who is another run of ours that has lost its lease harms nothing", async () => {
    const calls = await callsOf(setUp());
    for (let at = 1; at <= calls; at += 1) {
      const stage = setUp();
      let other: unknown = "not begun";
      const around: Around = async (call, go) => {
        if (call === at) other = await stage.run();
        return go();
      };
      await stage.run({ around });
      expectWhole(stage);
      expect({ at, other, pair: pairOf(live(stage)[0]?.secrets) }).toEqual({ at, other: null, pair: WHOLE[1] });
      expect({ at, later: await stage.run() }).toEqual({ at, later: null });
      expectDelivered(stage);
    }
  });

  test("B10: a second user of the same Worker, who delivers in the middle of any step, keeps what was delivered", async () => {
    const calls = await callsOf(setUp());
    for (let at = 1; at <= calls; at += 1) {
      const stage = setUp();
      const second = secondUser(stage);
      let theirs: unknown = "not begun";
      const around: Around = async (call, go) => {
        if (call === at) theirs = await second();
        return go();
      };
      await stage.run({ around });
      // Where they were told that it was done, it stays so, whatever we do.
      const held = live(stage)[0]?.secrets["AWS_ACCESS_KEY_ID"];
      expect({ at, held, isTold: theirs === null }).toEqual({ at, held, isTold: held !== undefined });
      // Whoever left a version behind goes on from it first; the other is blocked for so long.
      await second();
      expect([await stage.run(), await second()]).toEqual([null, null]);
      expect(live(stage)[0]?.secrets).toMatchObject({ [ID]: NEW.id, AWS_ACCESS_KEY_ID: "AKIATHEIRTHEIRTHEIR4" });
    }
  });

  test("B10: a second user of the same Worker, who is served at the same moment by the same run, keeps nobody waiting for ever", async () => {
    const stage = setUp();
    const staging = new Set<string>();
    const second = secondUser(stage, staging);
    const [later, first] = await Promise.all([stage.run({ staging }), second()]);
    expect(later).toMatchObject({ message: expect.stringContaining("a delivery of another user is under way") });
    expect([first, await stage.run({ staging })]).toEqual([null, null]);
    expect(live(stage)[0]?.secrets).toMatchObject({ [ID]: NEW.id, AWS_ACCESS_KEY_ID: "AKIATHEIRTHEIRTHEIR4" });
  });

  test("who has a staged version of his own on the same Worker is not overruled", async () => {
    const stage = setUp();
    const tag = `keyturn staged AKIATHEIRTHEIRTHEIR4 2 AWS_ACCESS_KEY_ID`;
    stage.cloudflare.stage(ACCOUNT, WORKER, { secrets: {}, annotations: { "workers/tag": tag } });
    expect(await stage.run()).toMatch(/newest version is not the live one/);
  });
});
