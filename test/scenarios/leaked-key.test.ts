import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { env } from "node:process";
import { AwsClient } from "aws4fetch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { build } from "../../scripts/build.ts";
import { createWorkerCallers } from "../../scripts/local-run/worker-callers.ts";
import { startLocalCloud } from "../../scripts/local-run/local-cloud.ts";
import type { LocalCloud } from "../../scripts/local-run/local-cloud.ts";
import { hours, minutes } from "../../src/rotation/time.ts";
import type { SigningPair } from "../world/caller.ts";
import { healthEvent } from "../world/leak.ts";

type Handler = (event: unknown) => Promise<unknown>;

const OUTPUT = "dist/leaked-key-test/keyturn.cjs";
const CUSTODY = "keyturn/flowid-dev-user";

let local: LocalCloud;
let handler: Handler;
beforeAll(async () => {
  const [{ file }, started] = await Promise.all([build({ output: OUTPUT }), startLocalCloud()]);
  local = started;
  Object.assign(env, local.environment);
  ({ handler } = createRequire(import.meta.url)(file) as { readonly handler: Handler });
  await handler({ command: "resume" });
}, 60_000);
afterAll(async () => {
  await local.close();
  await rm("dist/leaked-key-test", { recursive: true, force: true });
});

const statusOf = (keyId: string): string | undefined => local.cloud.iam.keys.get(keyId)?.status;
/** All that people were told of a key. */
const told = (keyId: string): string =>
  local.cloud.sns.published.flatMap(({ message }) => (message.startsWith(keyId) ? [message] : [])).join("\n");

/** One run of the function while time runs. Gives how long it took by the cloud's time. */
async function run(event: unknown): Promise<number> {
  local.clock.run();
  const from = local.clock.now();
  await handler(event);
  const tookMs = local.clock.now() - from;
  local.clock.stop();
  return tookMs;
}

describe("the packaged function, over the wire", () => {
  test("has the leaked key of a busy Worker replaced and Inactive within 5 minutes, and no call of the Worker fails", async () => {
    const { firstPair, user } = local.systems.matchmaking;
    const callers = createWorkerCallers(local);
    local.clock.run();
    callers.open();
    const tookMs = await run(healthEvent(firstPair.keyId));
    local.clock.run();
    await local.edge.settled();
    await callers.close();
    // Calls that were under way when the version changed may have been answered last: each is called once more.
    callers.open();
    await callers.close();
    local.clock.stop();
    expect(tookMs).toBeLessThan(minutes(5));
    expect(statusOf(firstPair.keyId)).toBe("Inactive");
    const book = callers.books.find(({ system }) => system === "matchmaking");
    const next = local.cloud.iam.keysOf(user).find(({ id }) => id !== firstPair.keyId)?.id ?? "";
    expect([book?.latest()?.key, book?.failures]).toEqual([next.slice(-4), []]);
    expect(book?.count()).toBeGreaterThan(20);
    expect(told(firstPair.keyId)).toContain(`${firstPair.keyId} was deactivated`);
    // It did not wait for silence, and whoever reads the notice at night must not look for it.
    expect(told(firstPair.keyId)).not.toContain("silent since");
  });

  test("leaves who has a laptop's leaked key, and a session of it, without the new pair; the notice names both", async () => {
    const { firstPair } = local.systems.flowid;
    const asThief = ({ keyId, secret }: SigningPair, sessionToken?: string) => {
      const signed = { accessKeyId: keyId, secretAccessKey: secret, region: "us-east-1", retries: 0 };
      const client = new AwsClient({ ...signed, ...(sessionToken === undefined ? {} : { sessionToken }) });
      return async (service: string, target: string, input: object): Promise<Response> =>
        client.fetch(local.wire.url, {
          method: "POST",
          headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": target },
          body: JSON.stringify(input),
          aws: { service, signQuery: false },
        });
    };
    const made = local.cloud.callAs(firstPair, { service: "sts", operation: "GetSessionToken" });
    const session = made["Credentials"] as Readonly<Record<string, string>>;
    const pair = { keyId: session["AccessKeyId"] ?? "", secret: session["SecretAccessKey"] ?? "" };
    local.clock.advance(hours(1));
    const tookMs = await run({ command: "revoke", user: "flowid-dev-user", key: firstPair.keyId });
    expect(tookMs).toBeLessThan(minutes(5));
    local.clock.advance(minutes(1));
    const READ = ["secretsmanager", "secretsmanager.GetSecretValue", { SecretId: CUSTODY }] as const;
    const byKey = await asThief(firstPair)(...READ);
    const bySession = await asThief(pair, session["SessionToken"])(...READ);
    expect([byKey.status, await byKey.text()]).toEqual([403, expect.stringContaining("InvalidClientTokenId")]);
    expect([bySession.status, await bySession.text()]).toEqual([400, expect.stringContaining("AccessDenied")]);
    const current = JSON.parse(local.cloud.secretsManager.textOf(CUSTODY, "AWSCURRENT") ?? "{}") as SigningJson;
    const own = await asThief({ keyId: current.AccessKeyId, secret: current.SecretAccessKey })(...READ);
    expect(own.status).toBe(200);
    expect(told(firstPair.keyId)).toContain("A session by GetSessionToken goes on until");
    expect(told(firstPair.keyId)).toContain("who has not read its pair in custody since is behind");
  });

  test("is quiet about both afterwards: nothing is left to do but to wait for the soak", async () => {
    local.clock.advance(hours(1));
    const before = local.cloud.counts.get("iam.CreateAccessKey");
    await run({ command: "sweep", users: ["flowid-dev-user", "cloudflare-sveltekit-lambda-invoker"] });
    expect(local.cloud.counts.get("iam.CreateAccessKey")).toBe(before);
  });
});

interface SigningJson {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
}
