import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTopic } from "../../src/cloud/sns.ts";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import type { UserRecord } from "../../src/rotation/record.ts";
import { days, instant, plus } from "../../src/rotation/time.ts";
import { DEPLOY, OWNER, madeUp } from "../contracts/setup.ts";
import { SimulatedClock } from "../world/clock.ts";
import { wireWorld } from "../world/wire/wire-world.ts";
import { startWire } from "../world/wire/wire.ts";
import { setUpWire } from "./setup.ts";
import type { WireSetup } from "./setup.ts";

const RECORD: UserRecord = {
  v: 1,
  user: DEPLOY,
  ...OWNER,
  since: instant(1),
  intent: null,
  orphans: { count: 0, lastAt: instant(0) },
  deliveries: [],
  backOffs: [],
  keys: {},
  notices: {},
  rest: null,
};

describe("the adapters beyond their contracts", () => {
  let setup: WireSetup;
  beforeEach(async () => {
    setup = await setUpWire();
  });
  afterEach(async () => setup.close());

  test("the directory below a path lists tagged users with all their tags, and does not know of SMTP", async () => {
    const { cloud, wire } = setup;
    for (let number = 0; number < 12; number += 1) {
      const path = number % 2 === 0 ? "/rotated/" : "/";
      const tags: Record<string, string> = number < 8 ? { keyturn: "p", Team: "Mail" } : {};
      cloud.iam.createUser({ name: `user-${String(number)}`, path, tags });
    }
    cloud.iam.pageSize = 1;
    const run = wireWorld(cloud, wire, { pathPrefix: "/rotated/" });
    const users = await run.directory.tagged();
    run.close();
    expect(users.map(({ name }) => name).toSorted()).toEqual(["user-0", "user-2", "user-4", "user-6"]);
    expect(users[0]).toMatchObject({ smtp: "unknown", tags: { keyturn: "p", team: "Mail" } });
  });

  test("the directory leaves out a user deleted while it reads, and nobody it may not read", async () => {
    const { cloud, wire } = setup;
    for (const name of ["gone", "here"]) {
      cloud.iam.createUser({ name, path: "/rotated/", tags: { keyturn: "p" } });
    }
    cloud.onCall(({ operation, input }) => {
      if (operation === "ListUserTags" && input["UserName"] === "gone") cloud.iam.deleteUser("gone");
    });
    const run = wireWorld(cloud, wire, { pathPrefix: "/rotated/" });
    expect((await run.directory.tagged()).map(({ name }) => name)).toEqual(["here"]);
    cloud.faults.add({
      service: "iam",
      operation: "ListUserTags",
      kind: "error-before",
      code: "AccessDenied",
      status: 403,
      times: "forever",
    });
    await expect(run.directory.tagged()).rejects.toMatchObject({ code: "Denied" });
    run.close();
  });

  test("CloudTrail that throttles is unknown, and names the Region and the error", async () => {
    const { cloud, world } = setup;
    cloud.faults.add({
      service: "cloudtrail",
      operation: "LookupEvents",
      kind: "throttle",
      times: "forever",
      when: ({ region }) => region === "eu-west-3",
    });
    await world.identity.read();
    const answer = await world.evidence.answer(
      {
        source: "cloudtrail",
        keyId: accessKeyId("AKIAEXAMPLE"),
        from: plus(world.clock.now(), -days(10)),
        handOversApart: false,
      },
      { user: DEPLOY, unaskedRegions: {} },
    );
    expect(answer).toMatchObject({ use: { verdict: "unknown" } });
    expect(JSON.stringify(answer)).toMatch(/eu-west-3 .*ThrottlingException/);
  });

  test("a source that is denied is unknown, and names the permission and the Region", async () => {
    const { cloud, world } = setup;
    cloud.iam.createUser({ name: DEPLOY });
    const keyId = accessKeyId(cloud.iam.createKey(DEPLOY).id);
    const denied = { kind: "error-before", status: 403, times: "forever" } as const;
    const because = async (question: Parameters<typeof world.evidence.answer>[0]): Promise<string> =>
      JSON.stringify(await world.evidence.answer(question, { user: DEPLOY, unaskedRegions: {} }));
    await world.identity.read();
    const asked = { source: "cloudtrail", keyId, from: world.clock.now(), handOversApart: false } as const;
    const restored = cloud.faults.add({
      ...denied,
      service: "account",
      operation: "ListRegions",
      code: "AccessDeniedException",
    });
    expect(await because(asked)).toMatch(/account:ListRegions.*AccessDenied/);
    restored();
    const inParis = ({ region }: { readonly region: string }) => region === "eu-west-3";
    cloud.faults.add({
      ...denied,
      service: "cloudtrail",
      operation: "LookupEvents",
      code: "AccessDeniedException",
      when: inParis,
    });
    expect(await because(asked)).toMatch(/cloudtrail:LookupEvents in eu-west-3 .*AccessDenied/);
    cloud.faults.add({ ...denied, service: "iam", operation: "GetAccessKeyLastUsed", code: "AccessDenied" });
    expect(await because({ source: "last-used", keyId })).toMatch(/iam:GetAccessKeyLastUsed.*AccessDenied/);
  });

  test("the window of CloudTrail is no longer than what it keeps", async () => {
    const { world } = setup;
    await world.identity.read();
    const from = plus(world.clock.now(), -days(200));
    const question = { source: "cloudtrail", keyId: accessKeyId("AKIAEXAMPLE"), from } as const;
    const answer = await world.evidence.answer(
      { ...question, handOversApart: true },
      { user: DEPLOY, unaskedRegions: {} },
    );
    if (answer.source !== "cloudtrail" || answer.use.verdict !== "unused") throw new Error("other");
    expect(answer.use.from).toBeGreaterThan(plus(from, days(109)));
  });

  test.for(["lost-after", "error-after"] as const)(
    "custody bears with labels that were moved although the answer was not heard, %s",
    async (kind) => {
      const { cloud, world } = setup;
      const first = madeUp("FIRST");
      const second = madeUp("SECOND");
      const intent = { at: instant(0), before: [] };
      const place = { owner: OWNER, replicaRegions: [], isAbsent: true };
      const marker = await world.custody.writeIntent(DEPLOY, intent, place);
      const operation = "UpdateSecretVersionStage";
      let attempts = 0;
      cloud.faults.add({
        service: "secretsmanager",
        operation,
        kind,
        times: "forever",
        // Every second attempt is heard: the one that repeats.
        when: () => (attempts += 1) % 2 === 1,
      });
      const stored = await world.custody.storePending(DEPLOY, first);
      await world.custody.promote(DEPLOY, stored, marker);
      await world.custody.storePending(DEPLOY, second);
      await world.custody.withdrawPending(DEPLOY, second.id);
      await world.custody.storePending(DEPLOY, second);
      expect(await world.custody.read(DEPLOY)).toMatchObject({
        current: { keyId: first.id },
        pending: { keyId: second.id },
      });
      expect(cloud.counts.get(`secretsmanager.${operation}`)).toBe(8);
    },
  );

  test("the journal says Conflict to a write that it repeated, and has it all the same", async () => {
    const { cloud, world } = setup;
    const kind = "lost-after";
    cloud.faults.add({ service: "dynamodb", operation: "PutItem", kind, times: 1 });
    const now = instant(0);
    const write = world.journal.write(await world.journal.read(DEPLOY), {
      record: RECORD,
      lease: null,
      now,
      history: [],
    });
    await expect(write).rejects.toMatchObject({ code: "Conflict" });
    expect(await world.journal.read(DEPLOY)).toMatchObject({ number: 1, record: RECORD });
  });

  test.for(["lost-before", "lost-after", "error-before", "error-after", "throttle"] as const)(
    "the journal's record and its history are written once although the call was repeated, %s",
    async (kind) => {
      const { cloud, world } = setup;
      cloud.faults.add({ service: "dynamodb", operation: "TransactWriteItems", kind, times: 2 });
      const line = { at: instant(1), user: DEPLOY, what: "delete", keyId: null, details: {} };
      const next = { record: RECORD, lease: null, now: instant(0), history: [line, line] };
      const written = await world.journal.write(await world.journal.read(DEPLOY), next);
      expect(await world.journal.read(DEPLOY)).toEqual(written);
      expect(await world.journal.history(DEPLOY)).toEqual([line, line]);
    },
  );

  test("the journal asks again for what a batch left unprocessed, and at last gives up", async () => {
    const { wire, world } = setup;
    const users = Array.from({ length: 5 }, (_, index) => userName(`user-${String(index)}`));
    for (const user of users) {
      const next = { record: { ...RECORD, user }, lease: null, now: instant(0), history: [] };
      await world.journal.write(await world.journal.read(user), next);
    }
    wire.table.processedKeysMax = 2;
    const read = await world.journal.readMany(users);
    expect([...read.values()].map(({ number }) => number)).toEqual([1, 1, 1, 1, 1]);
    wire.table.processedKeysMax = 0;
    await expect(world.journal.readMany(users)).rejects.toMatchObject({ code: "Throttled" });
  });

  test("no more than sixteen calls are under way at once, and failed ones give their place back", async () => {
    const { cloud } = setup;
    const clock = new SimulatedClock(0);
    const wire = await startWire(cloud, { clock, latencyMs: 5 });
    const run = wireWorld(cloud, wire);
    cloud.faults.add({ service: "iam", operation: "GetUser", kind: "lost-before", times: 40 });
    cloud.faults.add({ service: "iam", operation: "GetUser", kind: "error-before", code: "AccessDenied", times: 20 });
    const calls = Array.from({ length: 100 }, async (_, index) =>
      index % 2 === 0 ? run.directory.read(DEPLOY) : run.journal.read(userName(`user-${String(index)}`)),
    );
    const ends = await Promise.allSettled(calls);
    expect(ends.filter(({ status }) => status === "rejected").length).toBeGreaterThan(0);
    expect(wire.inFlightMax).toBe(16);
    cloud.faults.clear();
    wire.inFlightMax = 0;
    await Promise.all(Array.from({ length: 40 }, async () => run.identity.read()));
    expect(wire.inFlightMax).toBe(16);
    run.close();
    await wire.close();
  });

  test("CloudTrail is asked no faster than it bears", async () => {
    const { cloud, clock, wire } = setup;
    clock.run();
    const run = wireWorld(cloud, wire, { lookupsPerSecond: 1.5 });
    await run.identity.read();
    const from = plus(run.clock.now(), -days(10));
    const answers = await Promise.all(
      ["AKIAONE", "AKIATWO", "AKIATHREE"].map(async (id) =>
        run.evidence.answer(
          { source: "cloudtrail", keyId: accessKeyId(id), from, handOversApart: false },
          { user: DEPLOY, unaskedRegions: {} },
        ),
      ),
    );
    run.close();
    expect(answers).toMatchObject(answers.map(() => ({ use: { verdict: "unused" } })));
    expect(cloud.counts.get("cloudtrail.LookupEvents")).toBe(3 * cloud.regions.length);
  });

  test("a publication reaches our own account's topic with a subject that SNS takes", async () => {
    const { cloud, world } = setup;
    const { clients, identity } = world;
    const { publish } = createTopic(clients, "keyturn-dev", identity);
    await publish({ subject: `keyturn: „deploy“ ${"x".repeat(200)}`, message: "Grüße" });
    const [published] = cloud.sns.published;
    expect(published?.topicArn).toBe("arn:aws:sns:us-east-1:123456789012:keyturn-dev");
    expect(published?.subject).toMatch(/^keyturn: \?deploy\? x{82}$/);
    expect(published?.message).toBe("Grüße");
  });
});
