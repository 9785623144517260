import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createPublisher } from "../../src/cloud/sns.ts";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import { days, plus } from "../../src/rotation/time.ts";
import { wireWorld } from "../world/wire/wire-world.ts";
import { setUpWire } from "./setup.ts";
import type { WireSetup } from "./setup.ts";

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
    const { directory, close } = wireWorld(cloud, wire, { pathPrefix: "/rotated/" });
    const users = await directory.tagged();
    close();
    expect(users.map(({ name }) => name).toSorted()).toEqual([
      "user-0",
      "user-2",
      "user-4",
      "user-6",
    ]);
    expect(users[0]).toMatchObject({ smtp: "unknown", tags: { keyturn: "p", team: "Mail" } });
  });

  test("the directory leaves out a user deleted while it reads, and nobody it may not read", async () => {
    const { cloud, wire } = setup;
    for (const name of ["gone", "here"]) {
      cloud.iam.createUser({ name, path: "/rotated/", tags: { keyturn: "p" } });
    }
    cloud.onCall(({ operation, input }) => {
      if (operation === "ListUserTags" && input["UserName"] === "gone")
        cloud.iam.deleteUser("gone");
    });
    const { directory, close } = wireWorld(cloud, wire, { pathPrefix: "/rotated/" });
    expect((await directory.tagged()).map(({ name }) => name)).toEqual(["here"]);
    cloud.faults.add({
      service: "iam",
      operation: "ListUserTags",
      kind: "error-before",
      code: "AccessDenied",
      status: 403,
      times: "forever",
    });
    await expect(directory.tagged()).rejects.toMatchObject({ code: "Denied" });
    close();
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
      { user: userName("deploy"), unaskedRegions: {} },
    );
    expect(answer).toMatchObject({ use: { verdict: "unknown" } });
    expect(JSON.stringify(answer)).toMatch(/eu-west-3 .*ThrottlingException/);
  });

  test("the window of CloudTrail is no longer than what it keeps", async () => {
    const { world } = setup;
    await world.identity.read();
    const from = plus(world.clock.now(), -days(200));
    const question = { source: "cloudtrail", keyId: accessKeyId("AKIAEXAMPLE"), from } as const;
    const answer = await world.evidence.answer(
      { ...question, handOversApart: true },
      { user: userName("deploy"), unaskedRegions: {} },
    );
    if (answer.source !== "cloudtrail" || answer.use.verdict !== "unused") throw new Error("other");
    expect(answer.use.from).toBeGreaterThan(plus(from, days(109)));
  });

  test("a publication reaches its topic's Region with a subject that SNS takes", async () => {
    const { cloud, world } = setup;
    const publish = createPublisher(world.clients, "arn:aws:sns:eu-west-1:123456789012:keyturn");
    await publish({ subject: `keyturn: „deploy“ ${"x".repeat(200)}`, message: "Grüße" });
    const [published] = cloud.sns.published;
    expect(published?.subject).toMatch(/^keyturn: \?deploy\? x{82}$/);
    expect(published?.message).toBe("Grüße");
  });
});
