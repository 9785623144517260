import CloudflareSdk from "cloudflare";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { clientFor } from "../destinations/worker-under-test.ts";
import { ApiTokens } from "../world/cloudflare-tokens.ts";
import { CLOUDFLARE_ACCOUNT, SECRET, startTokensGround, type TokensGround, type Trap } from "./tokens-ground.ts";

let ground: TokensGround;
beforeEach(async () => {
  ground = await startTokensGround();
});
afterEach(() => ground.close());

const told = (): string[] => ground.notifier.notices.map(({ code }) => code);

/** Whoever reads the secret now holds a token that Cloudflare takes, for the Workers that it was for. */
function expectGoodToken(where: string): void {
  const token = ground.owned().find(({ value }) => value === ground.current());
  expect({ where, status: token?.status, policies: token?.policies }).toMatchObject({
    where,
    status: "active",
    policies: ground.first.policies.map(({ effect, resources }) => ({ effect, resources })),
  });
}

/** Runs until everything that a failure left must be tidied up: each look at a time when something may be due. */
async function settle(): Promise<void> {
  for (const afterMs of [hours(1), hours(25), hours(1), hours(26), hours(1)]) {
    await ground.run(undefined, afterMs);
    expectGoodToken("while it settles");
  }
}

function expectSettled(where: string): void {
  const [only, ...others] = ground.owned();
  expect({ where, others: others.length, isNew: only?.id !== ground.first.id }).toEqual({
    where,
    others: 0,
    isNew: true,
  });
  expect(ground.cloud.secretsManager.textOf(SECRET, "AWSPENDING")).toBeNull();
  expect(ground.tokens.of(CLOUDFLARE_ACCOUNT).some(({ id }) => id === ground.issuer.id)).toBe(true);
}

describe("a token that is due", () => {
  test("is followed by one with the same rights, which is current at once, and deleted 25 h after its last use", async () => {
    await ground.run();
    expectGoodToken("after the first run");
    expect(ground.current()).not.toBe(ground.first.value);
    expect(ground.owned().map(({ id }) => id)).toContain(ground.first.id);
    expect(ground.cloud.secretsManager.textOf(SECRET, "AWSPENDING")).toBeNull();
    await ground.run(undefined, hours(25) - minutes(1));
    expect(ground.owned()).toHaveLength(2);
    await ground.run(undefined, minutes(2));
    expectSettled("after 25 h");
    expect(told()).toEqual(["TokenRotated"]);
  });

  test("is used by a warm function for a day: the value that it holds works until then", async () => {
    await ground.run();
    expect(() => ground.cloudflare.admit(ground.first.value)).not.toThrow(/Invalid/);
    for (let hour = 0; hour < 24; hour += 1) await ground.run();
    expect(() => ground.cloudflare.admit(ground.first.value)).not.toThrow(/Invalid/);
  });

  test.for(["deleted", "disabled"])(
    "C12: a client that holds the former token reads the secret again when it is refused, once",
    async (end) => {
      const { cloudflare, first, tokens } = ground;
      cloudflare.deploy(CLOUDFLARE_ACCOUNT, "api", { secrets: { KEY: "old" } });
      let reads = 0;
      const warm = clientFor(ground.baseUrl, {
        readToken: () => {
          reads += 1;
          return Promise.resolve(new Secret(ground.current()));
        },
      });
      const worker = { accountId: CLOUDFLARE_ACCOUNT, script: "api" };
      await warm.stage(worker, { KEY: new Secret("new") }, "tag");
      await ground.run();
      if (end === "deleted") tokens.remove(CLOUDFLARE_ACCOUNT, first.id);
      else tokens.change(first.id, { status: "disabled" });
      const newest = cloudflare.versions(CLOUDFLARE_ACCOUNT, "api").at(-1)?.id ?? "";
      await warm.deploy(worker, [{ versionId: newest, percentage: 100 }]);
      expect(cloudflare.live(CLOUDFLARE_ACCOUNT, "api")[0]?.secrets).toEqual({ KEY: "new" });
      expect(reads).toBe(2);
    },
  );

  test("is not deleted while somebody else uses it, and that is told after three days, once", async () => {
    await ground.run();
    for (let day = 0; day < 5; day += 1) {
      ground.cloudflare.admit(ground.first.value);
      await ground.run(undefined, hours(24));
    }
    expect(ground.owned()).toHaveLength(2);
    expect(told()).toEqual(["TokenRotated", "TokenStillUsed"]);
    await ground.run(undefined, hours(25));
    expectSettled("when nobody uses it any more");
  });

  test("rests a minute before, and nothing is asked to be changed", async () => {
    await ground.close();
    ground = await startTokensGround(days(75) - minutes(1));
    await ground.run();
    expect(ground.current()).toBe(ground.first.value);
    expect(ground.cloud.counts.get("dynamodb.PutItem")).toBeUndefined();
  });

  test("that takes half a minute to be known is waited for, and never current before", async () => {
    ground.tokens.unknownForMs = 20_000;
    await ground.run((when, call) => {
      if (when === "before" && call === "versions.promote") ground.cloudflare.admit(ground.owned().at(-1)?.value ?? "");
    });
    expectGoodToken("after the wait");
    expect(ground.current()).not.toBe(ground.first.value);
  });

  test("that takes half a minute to be listed is waited for", async () => {
    ground.tokens.unlistedForMs = 20_000;
    await ground.run();
    expectGoodToken("after the wait");
    expect(ground.current()).not.toBe(ground.first.value);
    expect(told()).toEqual(["TokenRotated"]);
  });

  test("that is never known does not become current, is told, and tried again when the first try is gone", async () => {
    ground.tokens.unknownForMs = days(1);
    await ground.run();
    expect(ground.current()).toBe(ground.first.value);
    expect(told()).toEqual(["TokenNotRotated"]);
    for (let hour = 0; hour < 5; hour += 1) await ground.run();
    expect(ground.owned()).toHaveLength(2);
    ground.tokens.unknownForMs = 0;
    await settle();
    await settle();
    expectSettled("in the end");
  });

  test("keeps its end and its addresses", async () => {
    const [at, condition] = [ground.clock.now(), { request_ip: { in: ["192.0.2.0/24"] } }];
    ground.tokens.change(ground.first.id, { expiresMs: at + days(5), condition });
    await ground.run();
    const made = ground.owned().at(-1);
    expect(made).toMatchObject({ condition });
    expect(made?.expiresMs).toBe(Math.floor((at + days(80)) / 1_000) * 1_000);
  });
});

describe("a run that dies", () => {
  /** The calls of a run that rotates, in their order. */
  async function callsOfARun(): Promise<string[]> {
    const calls: string[] = [];
    await ground.run((when, call) => void (when === "before" && calls.push(call)));
    await ground.close();
    return calls;
  }

  test(
    "at any point, before or after any call, locks nobody out and leaves nothing behind",
    { timeout: 300_000 },
    async () => {
      const calls = await callsOfARun();
      expect(calls).toContain("issuer.issue");
      expect(calls.at(-1)).toBe("journal.write");
      const points = calls.flatMap((call, nth) => (["before", "after"] as const).map((when) => ({ call, nth, when })));
      // A look changes nothing: a death in it is one before the next call that does.
      const changing = points.filter(({ call }) => /issue|store|promote|withdraw|write/.test(call));
      expect(changing.length).toBeGreaterThanOrEqual(12);
      for (const { call, nth, when } of changing) {
        ground = await startTokensGround();
        const where = `${when} ${call}, the ${String(nth + 1)}. call`;
        await ground.run(dyingAt(nth, when)).catch(() => undefined);
        expectGoodToken(where);
        await settle();
        expectSettled(where);
        await ground.close();
      }
      ground = await startTokensGround();
    },
  );

  function dyingAt(nth: number, at: "before" | "after"): Trap {
    let begun = -1;
    let isDead = false;
    return (when) => {
      if (when === "before") begun += 1;
      isDead ||= begun === nth && when === at;
      if (isDead) throw new Error("the process died");
    };
  }
});

describe("an answer that is lost, or a failure", () => {
  type Befalls = readonly [string, () => void];
  const cloudflare = (kind: "lost" | "failed", hasEffect: boolean) => () => {
    const fault = kind === "lost" ? { kind, hasEffect } : { kind, hasEffect, status: 503 };
    ground.cloudflare.faults.push({ on: "write", ...fault });
  };
  const secrets = (operation: string, kind: "lost-after" | "error-before" | "error-after") => () => {
    // As often as the SDK asks.
    ground.cloud.faults.add({ service: "secretsmanager", operation, kind, times: 3 });
  };
  const stores = ["PutSecretValue", "UpdateSecretVersionStage"].flatMap((operation) =>
    (["lost-after", "error-before", "error-after"] as const).map((kind): Befalls => [
      `${operation}, ${kind}`,
      secrets(operation, kind),
    ]),
  );
  test.for<Befalls>([
    ["the new token's, which was made", cloudflare("lost", true)],
    ["the new token's, which was not made", cloudflare("lost", false)],
    ["a 503 to the new token, which was made", cloudflare("failed", true)],
    ["a 503 to the new token, which was not made", cloudflare("failed", false)],
    ...stores,
  ])("%s, locks nobody out and leaves nothing behind", async ([where, befall]) => {
    befall();
    await ground.run();
    expectGoodToken(where);
    expect(() => ground.cloudflare.admit(ground.current())).not.toThrow(/Invalid/);
    await settle();
    expectSettled(where);
  });

  test("a deletion whose answer is lost is done", async () => {
    await ground.run();
    cloudflare("lost", true)();
    await ground.run(undefined, hours(26));
    expect(ground.owned()).toHaveLength(1);
    await ground.run();
    expectSettled("after the next run");
  });
});

describe("what others do meanwhile", () => {
  test("an operator who stores a token between the look and the switch keeps it", async () => {
    const own = ground.tokens.seed({ account: CLOUDFLARE_ACCOUNT, name: "by hand", scripts: ["api", "web"] });
    await ground.run((when, call) => {
      if (when !== "before" || call !== "versions.promote") return;
      const input = { SecretId: SECRET, SecretString: own.value };
      ground.cloud.callAs(ground.cloud.role, { service: "secretsmanager", operation: "PutSecretValue", input });
    });
    expect(ground.current()).toBe(own.value);
    expect(told()).toEqual(["TokenNotRotated"]);
  });

  test("a token that Cloudflare refuses is told at once, again after a day, and not replaced", async () => {
    ground.tokens.remove(CLOUDFLARE_ACCOUNT, ground.first.id);
    await ground.run();
    expect(ground.owned()).toEqual([]);
    expect(told()).toEqual(["TokenRefused"]);
    await ground.run();
    expect(told()).toEqual(["TokenRefused"]);
    await ground.run(undefined, hours(24));
    expect(told()).toEqual(["TokenRefused", "TokenRefused"]);
  });

  test("an issuer that is refused is told, and the token stays", async () => {
    ground.tokens.change(ground.issuer.id, { status: "disabled" });
    await ground.run();
    expect(ground.current()).toBe(ground.first.value);
    expect(ground.notifier.notices[0]).toMatchObject({
      code: "TokenNotRotated",
      text: expect.stringContaining("refuses the issuer token"),
    });
  });

  test("a second run at the same time finds the lease, and issues none", async () => {
    let isFirst = true;
    const second: Promise<void>[] = [];
    await ground.run((when, call) => {
      if (!isFirst || when !== "before" || call !== "issuer.issue") return;
      isFirst = false;
      second.push(ground.run(undefined, 0));
    });
    await Promise.all(second);
    expect(ground.owned()).toHaveLength(2);
    expectGoodToken("after both");
  });

  test("no value of a token is in any notice, log line or record", async () => {
    await ground.run();
    ground.tokens.change(ground.issuer.id, { status: "disabled" });
    await ground.run();
    const values = ground.tokens.of(CLOUDFLARE_ACCOUNT).map(({ value }) => value);
    const said = JSON.stringify([ground.notifier.notices, ground.log.events]);
    expect(values.filter((value) => said.includes(value))).toEqual([]);
    expect(said).toContain("token");
  });
});

test("the simulated tokens serve Cloudflare's own SDK", async () => {
  const sdk = new CloudflareSdk({ apiToken: ground.issuer.value, baseURL: ground.baseUrl, maxRetries: 0 });
  const { tokens } = sdk.accounts;
  const account_id = CLOUDFLARE_ACCOUNT;
  const listed = (await tokens.list({ account_id, per_page: 50 })).result;
  const like = listed.find(({ id }) => id === ground.first.id);
  expect(like).toMatchObject({ name: "deliveries", status: "active" });
  expect(JSON.stringify(listed)).not.toContain(ground.first.value);
  const made = await tokens.create({ account_id, name: "by the SDK", policies: like?.policies ?? [] });
  expect(made.value).toMatch(/^cfat_/);
  const itself = new CloudflareSdk({ apiToken: made.value ?? "", baseURL: ground.baseUrl, maxRetries: 0 });
  expect(await itself.accounts.tokens.verify({ account_id })).toMatchObject({ id: made.id, status: "active" });
  await expect(itself.accounts.tokens.list({ account_id })).rejects.toMatchObject({ status: 403 });
  await tokens.delete(made.id ?? "", { account_id });
  await expect(itself.accounts.tokens.verify({ account_id })).rejects.toMatchObject({ status: 403 });
  expect(ground.tokens).toBeInstanceOf(ApiTokens);
});
