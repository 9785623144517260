import { describe, expect, test } from "vitest";
import { CloudflareWorkerOptions, createCloudflareWorker } from "../../src/destinations/cloudflare-worker.ts";
import { accessKeyId } from "../../src/rotation/keys.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { destinationContract, type DestinationUnderTest } from "../contracts/destination-contract.ts";
import { SimulatedClock } from "../world/clock.ts";
import { cloudflareFetch } from "../world/cloudflare-api.ts";
import { Cloudflare } from "../world/cloudflare.ts";
import { ACCOUNT, clientFor, COUNTING, ID, QUICK, SECRET, TOKEN, WORKER_OPTIONS } from "./worker-under-test.ts";

const PAIR = { id: accessKeyId("AKIANEWNEWNEWNEWNEW1"), secret: new Secret("new-secret") };
const OLD = { [ID]: "AKIAOLDOLDOLDOLDOLD1", [SECRET]: "old-secret" };

/** A script under this name, with an old pair, and a Worker destination for it. */
function simulate(script: string, options: Partial<CloudflareWorkerOptions>, secrets: Record<string, string> = OLD) {
  const clock = new SimulatedClock(1_800_000_000_000);
  const cloudflare = new Cloudflare(clock);
  cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: null, status: "active" });
  cloudflare.deploy(ACCOUNT, script, { secrets });
  clock.advance(1_000);
  const client = clientFor("http://cloudflare.invalid/client/v4", { fetch: cloudflareFetch(cloudflare) });
  const clients = { cloudflare: client, ask: null, clock: QUICK, random: COUNTING };
  const destination = createCloudflareWorker({ ...WORKER_OPTIONS, ...options }, clients);
  const live = () => cloudflare.live(ACCOUNT, script)[0]?.secrets ?? {};
  return { clock, cloudflare, destination, live };
}

describe("a named environment of a Worker", () => {
  test("is a script of its own, and the Worker without one is let be", async () => {
    const { cloudflare, destination, live } = simulate("matchmaking-staging", { environment: "staging" });
    cloudflare.deploy(ACCOUNT, "matchmaking", { secrets: OLD });
    await destination.deliver(PAIR, null);
    expect(live()).toMatchObject({ [ID]: PAIR.id });
    expect(cloudflare.live(ACCOUNT, "matchmaking")[0]?.secrets).toEqual(OLD);
    expect(destination.name).toBe("cloudflare-worker:matchmaking-staging");
    expect(destination.slots[0]).toBe(`cloudflare-worker:${ACCOUNT}/matchmaking-staging/${ID}`);
  });
});

describe("values that go with the pair", () => {
  const options = { alongside: { AWS_REGION: "eu-central-1" } };

  test("are set in the same version", async () => {
    const { cloudflare, destination, live } = simulate("matchmaking", options, { ...OLD, AWS_REGION: "us-east-1" });
    await destination.deliver(PAIR, null);
    expect(live()).toEqual({ [ID]: PAIR.id, [SECRET]: "new-secret", AWS_REGION: "eu-central-1" });
    expect(cloudflare.versions(ACCOUNT, "matchmaking")).toHaveLength(2);
    expect(destination.slots).toContain(`cloudflare-worker:${ACCOUNT}/matchmaking/AWS_REGION`);
  });

  test("are blocked where the name is a plain variable, which the call cannot set", async () => {
    const { cloudflare, destination } = simulate("matchmaking", options);
    cloudflare.deploy(ACCOUNT, "matchmaking", { plain: { AWS_REGION: "us-east-1" } });
    expect(await destination.preflight()).toEqual({
      kind: "blocked",
      because: expect.stringMatching(/AWS_REGION is a plain_text binding and no secret/),
    });
  });
});

/** A script of a dispatch namespace as the destination contract wants it. */
function dispatchedUnderTest(): DestinationUnderTest {
  const script = "customers/matchmaking";
  const { clock, cloudflare, destination, live } = simulate(script, { dispatchNamespace: "customers" });
  const later = (change: () => unknown) => (): void => {
    clock.advance(1_000);
    change();
  };
  const fault = { on: "write", kind: "lost", hasEffect: true } as const;
  return {
    destination,
    pair: () => ({ id: live()[ID] ?? "", secret: live()[SECRET] ?? "" }),
    happenings: {
      tokenIsRefused: () => cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: null, status: "disabled" }),
      targetIsAbsent: () => cloudflare.remove(ACCOUNT, script),
      somebodyDeploys: later(() => cloudflare.deploy(ACCOUNT, script, { code: "theirs" })),
      previousIsBroughtBack: later(() => cloudflare.deploy(ACCOUNT, script, { secrets: OLD })),
      answerIsLost: () => void cloudflare.faults.push(fault),
      writeFails: () => void cloudflare.faults.push({ on: "write", kind: "failed", status: 503, hasEffect: false }),
    },
    previousLooks: "foreign",
    blocks: {
      "a name that does not exist": {
        arrange: () => void cloudflare.deploy(ACCOUNT, script, { secrets: { [SECRET]: null } }),
        words: /no secret LAMBDA_AWS_SECRET_ACCESS_KEY\. Correct the name/,
      },
    },
    exists: () => cloudflare.has(ACCOUNT, script),
    close: () => Promise.resolve(),
  };
}

destinationContract("cloudflare-worker, in a dispatch namespace,", () => Promise.resolve(dispatchedUnderTest()));

describe("the options of a Worker of these kinds", () => {
  const health = { url: "https://example.com/health", token: "matchmaking-health" };
  test.for([
    ["an environment", { environment: "staging" }, true],
    ["a dispatch namespace", { dispatchNamespace: "customers" }, true],
    ["values that go with the pair", { alongside: { AWS_REGION: "us-east-1" } }, true],
    ["an environment with a slash", { environment: "a/b" }, false],
    ["a dispatch namespace with a slash", { dispatchNamespace: "a/b" }, false],
    ["a health route in a dispatch namespace", { dispatchNamespace: "customers", health }, false],
    ["a value under a name of the pair", { alongside: { [ID]: "x" } }, false],
    ["a value under no name of a variable", { alongside: { "a-b": "x" } }, false],
  ] as const)("%s", ([, change, isTaken]) => {
    expect(CloudflareWorkerOptions.safeParse({ ...WORKER_OPTIONS, ...change }).success).toBe(isTaken);
  });
});
