import { describe, expect, test } from "vitest";
import type { AskHealth } from "../../src/cloud/worker-health.ts";
import { createCloudflareWorker } from "../../src/destinations/cloudflare-worker.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { accessKeyId } from "../../src/rotation/keys.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { minutes } from "../../src/rotation/time.ts";
import { cloudflareFetch } from "../world/cloudflare-api.ts";
import { ACCOUNT, clientFor, COUNTING, healthOf, ID, QUICK, WORKER, WORKER_OPTIONS } from "./worker-under-test.ts";
import {
  OLD,
  NEW,
  WHOLE,
  BASE,
  madeByHand,
  setUp,
  pairOf,
  live,
  newest,
  refusing,
  expectWhole,
  expectDelivered,
  expectPutForward,
  dyingAt,
  callsOf,
} from "./staging-ground.ts";
import type { Stage } from "./staging-ground.ts";

describe("a staged delivery", () => {
  test("goes through a version at 0 %, and watches the live one for a minute", async () => {
    const stage = setUp();
    const slept: number[] = [];
    expect(await stage.run({ slept })).toBeNull();
    expectDelivered(stage);
    const [anchor, staged] = stage.cloudflare.versions(ACCOUNT, WORKER).map(({ id }) => id);
    const shares = stage.cloudflare.deployments(ACCOUNT, WORKER).map((deployment) => deployment.shares);
    expect(shares).toEqual([
      [{ versionId: staged, percentage: 100 }],
      [
        { versionId: anchor, percentage: 100 },
        { versionId: staged, percentage: 0 },
      ],
      [{ versionId: anchor, percentage: 100 }],
    ]);
    expect(slept.reduce((sum, ms) => sum + ms, 0)).toBe(minutes(1));
  });

  test("tells in the version's tag whose it is", async () => {
    const stage = setUp();
    await stage.run();
    const tag = expect.stringMatching(new RegExp(`^keyturn staged ${NEW.id} [0-9]{8} ${ID}$`));
    expect(newest(stage)?.annotations).toMatchObject({ "workers/tag": tag });
  });

  test("is not begun with less time than it may take", async () => {
    const { cloudflare } = setUp();
    const clock = { ...QUICK, remainingMs: () => minutes(4) - 1 };
    const client = clientFor(BASE, { fetch: cloudflareFetch(cloudflare) });
    const worker = createCloudflareWorker(WORKER_OPTIONS, {
      cloudflare: client,
      ask: healthOf(cloudflare),
      clock,
      random: COUNTING,
    });
    await expect(worker.deliver(NEW, null)).rejects.toMatchObject({ code: "Unreachable" });
    expect(cloudflare.versions(ACCOUNT, WORKER)).toHaveLength(1);
  });

  test("waits for a version that is not to be reached yet", async () => {
    const stage = setUp();
    const health = healthOf(stage.cloudflare);
    let asked = 0;
    // The override is ignored where the version is not known yet: the live one answers.
    const ask: AskHealth = (about) => health((asked += 1) < 5 ? null : about);
    expect(await stage.run({ ask })).toBeNull();
    expectDelivered(stage);
  });

  test("takes an answer of AWS that denies access for a proof of the pair", async () => {
    const stage = setUp();
    const ask: AskHealth = async (about) => {
      const health = await healthOf(stage.cloudflare)(about);
      return { ...health, aws: { authenticated: true, status: 403, code: "AccessDenied" } };
    };
    expect(await stage.run({ ask })).toBeNull();
  });

  test("delivers again what is live already without another version", async () => {
    const stage = setUp();
    await stage.run();
    expect(await stage.run()).toBeNull();
    expect(stage.cloudflare.versions(ACCOUNT, WORKER)).toHaveLength(2);
  });

  test("shows no secret in what it throws", async () => {
    const stage = setUp();
    const error = await stage.run({ ask: refusing(stage) });
    expect(String(error) + JSON.stringify(error)).not.toMatch(/(old|new)-secret/);
  });
});

describe("a staged delivery that dies around a call", () => {
  test.for([true, false])("is seen through by the next run (sent: %s)", async (isSent) => {
    const calls = await callsOf(setUp());
    for (let at = 1; at <= calls; at += 1) {
      const stage = setUp();
      const died = await stage.run({ around: dyingAt(at, isSent), ask: healthOf(stage.cloudflare) });
      expect({ at, died }).toEqual({ at, died: expect.any(RotationError) });
      expectWhole(stage);
      expect({ at, error: await stage.run() }).toEqual({ at, error: null });
      expectDelivered(stage);
      // What was left behind was gone on from: one version for the one pair.
      expect(stage.cloudflare.versions(ACCOUNT, WORKER)).toHaveLength(2);
    }
  });

  test.for([true, false])("is undone by the next run where AWS refuses the pair (sent: %s)", async (isSent) => {
    const first = setUp();
    const calls = await callsOf(first, { ask: refusing(first) });
    for (let at = 4; at <= calls; at += 1) {
      const stage = setUp();
      await stage.run({ around: dyingAt(at, isSent), ask: refusing(stage) });
      expect({ at, serving: pairOf(live(stage)[0]?.secrets) }).toEqual({ at, serving: WHOLE[0] });
      expect(await stage.run({ ask: refusing(stage) })).toMatchObject({ code: "Misconfigured" });
      expectPutForward(stage);
    }
  });
});

/** AWS takes the pair at 0 %, and refuses it when it is live. */
const refusingLive =
  (stage: Stage): AskHealth =>
  (about) =>
    about === null ? refusing(stage)(about) : healthOf(stage.cloudflare)(about);

test.for([true, false])(
  "a staged delivery that is live, refused, and dies on its way back is undone by the next run (sent: %s)",
  async (isSent) => {
    const first = setUp();
    const calls = await callsOf(first, { ask: refusingLive(first) });
    expectPutForward(first);
    for (let at = 4; at <= calls; at += 1) {
      const stage = setUp();
      const ask = refusingLive(stage);
      await stage.run({ around: dyingAt(at, isSent), ask });
      expectWhole(stage);
      expect(await stage.run({ ask })).toMatchObject({ code: "Misconfigured" });
      expectPutForward(stage);
    }
  },
);

describe("a staged delivery whose pair AWS refuses", () => {
  test("at 0 % never serves anybody, and puts the old pair forward", async () => {
    const stage = setUp();
    const error = await stage.run({ ask: refusing(stage) });
    expect(error).toMatchObject({ code: "Misconfigured", message: expect.stringContaining("old pair is put forward") });
    expectPutForward(stage);
    const shares = stage.cloudflare.deployments(ACCOUNT, WORKER).flatMap((deployment) => deployment.shares);
    const refused = shares.filter(({ versionId }) => versionId === stage.cloudflare.versions(ACCOUNT, WORKER)[1]?.id);
    expect(refused.map(({ percentage }) => percentage)).toEqual([0]);
  });

  test("once it is live goes back by force, and puts the old pair forward", async () => {
    const stage = setUp();
    expect(await stage.run({ ask: refusingLive(stage) })).toMatchObject({ code: "Misconfigured" });
    expectPutForward(stage);
    stage.cloudflare.deploy(ACCOUNT, WORKER, { code: "theirs" });
    expect(pairOf(live(stage)[0]?.secrets)).toEqual(WHOLE[0]);
  });

  test("says what to do where custody does not hold the old pair, and tries again from what it left", async () => {
    const stage = setUp();
    const error = await stage.run({ ask: refusing(stage), replaced: madeByHand });
    expect(error).toMatchObject({
      message: expect.stringMatching(/Version 1 is live again.*wrangler versions secret bulk/),
    });
    expect(live(stage).map(({ number }) => number)).toEqual([1]);
    expect(await stage.run({ replaced: madeByHand })).toBeNull();
    expectDelivered(stage);
    expect(stage.cloudflare.versions(ACCOUNT, WORKER)).toHaveLength(2);
  });

  test("does not put forward a pair that is not the one that was there", async () => {
    const stage = setUp();
    const other = { id: accessKeyId("AKIAOTHEROTHEROTHER3"), secret: new Secret("other-secret") };
    const error = await stage.run({ ask: refusing(stage), replaced: () => Promise.resolve(other) });
    expect(error).toMatchObject({ message: expect.stringContaining("signs with a key that ends in OLD1") });
    expect(live(stage).map(({ number }) => number)).toEqual([1]);
  });

  test("is not taken back where it replaces nothing: what was there before is dead by now", async () => {
    const stage = setUp();
    await stage.run();
    const worker = createCloudflareWorker(WORKER_OPTIONS, {
      cloudflare: clientFor(BASE, { fetch: cloudflareFetch(stage.cloudflare) }),
      ask: refusing(stage),
      clock: QUICK,
      random: COUNTING,
    });
    await expect(worker.deliver(NEW, null)).rejects.toMatchObject({ code: "Misconfigured" });
    expect(live(stage).map(({ number }) => number)).toEqual([2]);
  });
});

describe("a staged delivery while the health route is silent", () => {
  test("is blocked before it begins where the Worker is not healthy with the pair that it has", async () => {
    const stage = setUp();
    expect(await stage.run({ ask: healthOf(stage.cloudflare, [OLD.id]) })).toMatch(/AWS refuses its pair \(403/);
    expect(stage.cloudflare.versions(ACCOUNT, WORKER)).toHaveLength(1);
  });

  test("is what a Worker needs that is left with a dead key of the user's, and with no other that AWS refuses", async () => {
    const stage = setUp();
    const ask = healthOf(stage.cloudflare, [OLD.id]);
    const another = accessKeyId("AKIAANOTHERANOTHER03");
    expect(await stage.run({ ask, dead: [another] })).toMatch(/AWS refuses its pair \(403/);
    expect(await stage.run({ ask, dead: [another, OLD.id] })).toBeNull();
    expectDelivered(stage);
  });

  test("is blocked where the Worker is not told its version", async () => {
    const stage = setUp();
    const ask: AskHealth = async (about) => ({ ...(await healthOf(stage.cloudflare)(about)), versionId: null });
    expect(await stage.run({ ask })).toMatch(/bind version_metadata/);
  });

  test("concludes nothing from an AWS that throttles", async () => {
    const stage = setUp();
    const aws = { authenticated: false, status: 400, code: "Throttling" };
    let asked = 0;
    const ask: AskHealth = async (about) => {
      const health = await healthOf(stage.cloudflare)(about);
      return about !== null && (asked += 1) < 3 ? { ...health, aws } : health;
    };
    expect(await stage.run({ ask })).toBeNull();
    expectDelivered(stage);
  });

  test.for([
    ["lets two lost answers pass", 2, null],
    ["goes back at the third in a row", 3, "Unreachable"],
  ] as const)("%s", async ([, lost, code]) => {
    const stage = setUp();
    let asked = 0;
    const ask: AskHealth = (about) => {
      const isLive = stage.cloudflare.live(ACCOUNT, WORKER)[0]?.number === 2;
      if (isLive && (asked += 1) <= lost) return Promise.reject(new RotationError("Unreachable", "asking, no answer"));
      return healthOf(stage.cloudflare)(about);
    };
    const error = await stage.run({ ask });
    expect(error instanceof RotationError ? error.code : error).toBe(code);
    if (code === null) expectDelivered(stage);
    else expectPutForward(stage);
  });

  test("does not go back from a version that is merely not everywhere yet, and watches it again", async () => {
    const stage = setUp();
    const [anchor] = live(stage);
    const ask: AskHealth = async (about) => {
      const health = await healthOf(stage.cloudflare)(about);
      return about === null ? { ...health, versionId: anchor?.id ?? null, keyId: "OLD1" } : health;
    };
    expect(await stage.run({ ask })).toMatchObject({ code: "Unreachable" });
    expectDelivered(stage);
    expect(await stage.run()).toBeNull();
  });
});

test.for([
  ["is found, and gone on from", true, null],
  ["is told, and made by the next run", false, expect.objectContaining({ code: "Unreachable", outcomeUnknown: true })],
] as const)("a write whose answer is lost %s", async ([, hasEffect, said]) => {
  for (const lost of [1, 2, 3]) {
    const stage = setUp();
    const { faults } = stage.cloudflare;
    // Faults befall the next write: the one that is to be lost is reached by letting those before it pass.
    const passes = Array.from({ length: lost - 1 }, () => ({ on: "write", kind: "meanwhile", act: () => {} }) as const);
    faults.push(...passes, { on: "write", kind: "lost", hasEffect });
    const first = await stage.run();
    expectWhole(stage);
    expect({ lost, first }).toEqual({ lost, first: said });
    expect(await stage.run()).toBeNull();
    expectDelivered(stage);
    expect(stage.cloudflare.versions(ACCOUNT, WORKER)).toHaveLength(2);
  }
});
