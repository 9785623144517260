import { describe, expect, test } from "vitest";
import { days, hours } from "../../src/rotation/time.ts";
import { aPolicy, aProfile } from "../builders.ts";
import type { SigningPair } from "../world/caller.ts";
import { install } from "../world/installation.ts";
import { memoryDestination } from "../world/memory-destination.ts";
import { consumer, pullReader } from "../world/workloads.ts";

describe("an invoice scanner that pulls its pair from custody", () => {
  const user = "ai-invoice-scanner-user";
  const profile = aProfile({
    name: "invoice-scanner",
    users: [user],
    isPulled: true,
    // The laptop keeps its pair for seven hours.
    policy: aPolicy({ rotateAfterMs: days(47), idleAtMostMs: days(28), cacheForMs: hours(8) }),
  });

  test("rotates twice in a row, and no call of its consumers fails", async () => {
    const here = await install({ profiles: { "invoice-scanner": profile } });
    here.cloud.iam.createUser({ name: user, tags: { keyturn: "invoice-scanner" } });
    const first = here.cloud.iam.createKey(user, { createdAtMs: here.clock.now() - days(60) });
    const pair: SigningPair = { keyId: first.id, secret: first.secret };
    const at = { region: "us-east-1", sourceAddress: "198.51.100.7", userAgent: "aws-cli/2.9" };
    const laptop = pullReader(here.cloud, { ...at, name: "laptop", secretId: `keyturn/${user}`, first: pair });
    const scanner = consumer(here.cloud, {
      ...at,
      name: "scanner",
      pair: () => laptop.pair(),
      call: { service: "s3", operation: "GetObject" },
    });
    let hour = 0;
    const work = (): void => {
      hour += 1;
      if (hour % 7 === 0) laptop.pull();
      if (hour % 3 === 0) scanner.work();
    };
    await here.passUntil(
      () => here.keysOf(user).length === 1 && !here.keysOf(user)[0]?.startsWith(first.id),
      days(60),
      work,
    );
    const second = here.keysOf(user);
    expect(second).toHaveLength(1);
    await here.passUntil(() => here.keysOf(user).length === 2, days(60), work);
    await here.passUntil(() => here.keysOf(user).length === 1, days(60), work);
    expect(here.keysOf(user)).not.toEqual(second);
    expect(scanner.failures()).toEqual([]);
    expect(scanner.calls.length).toBeGreaterThan(500);
    // The hand-made key was 60 days old when it was met, and is 89 when it goes: that is told, and nothing else is.
    expect(here.told).toEqual(
      ["KeyOverdue", "KeyDeactivated", "KeyDeleted", "KeyDeactivated", "KeyDeleted"].map((code) => `${user} ${code}`),
    );
  });
});

describe("a Worker that is delivered to", () => {
  const user = "cloudflare-sveltekit-lambda-invoker";
  const profile = aProfile({ name: "matchmaking", users: [user] });

  test("rotates twice in a row, and no call of its consumers fails", async () => {
    const here = await install({ profiles: { matchmaking: profile } });
    here.cloud.iam.createUser({ name: user, tags: { keyturn: "matchmaking" } });
    const first = here.cloud.iam.createKey(user, { createdAtMs: here.clock.now() - days(70) });
    const worker = memoryDestination("cloudflare-worker:matchmaking", { keyId: first.id, secret: first.secret });
    here.destinations = { matchmaking: [worker] };
    const calls = consumer(here.cloud, {
      name: "worker",
      region: "us-east-1",
      sourceAddress: "203.0.113.9",
      userAgent: "workerd",
      pair: worker.pair,
      call: { service: "lambda", operation: "Invoke" },
    });
    const work = (): void => {
      calls.work();
    };
    await here.passUntil(() => here.keysOf(user).length === 2, days(6), work);
    await here.passUntil(() => here.keysOf(user).length === 1, days(20), work);
    const second = here.keysOf(user);
    await here.passUntil(() => here.keysOf(user).length === 2, days(70), work);
    await here.passUntil(() => here.keysOf(user).length === 1, days(20), work);
    expect(here.keysOf(user)).not.toEqual(second);
    expect(calls.failures()).toEqual([]);
    expect(worker.deliveries).toHaveLength(2);
  });
});
