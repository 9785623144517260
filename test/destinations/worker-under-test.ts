import { type CloudflareClient, type CloudflareOptions, createCloudflare } from "../../src/cloud/cloudflare.ts";
import { type CloudflareWorkerOptions, createCloudflareWorker } from "../../src/destinations/cloudflare-worker.ts";
import type { AskHealth } from "../../src/cloud/worker-health.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { accessKeyId } from "../../src/rotation/keys.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { minutes } from "../../src/rotation/time.ts";
import type { Destination } from "../../src/rotation/world.ts";
import type { DestinationUnderTest } from "../contracts/destination-contract.ts";
import { Cloudflare, type Readings, type VersionChange } from "../world/cloudflare.ts";

export const ACCOUNT = "0123456789abcdef0123456789abcdef";
export const TOKEN = "cf-token-0123456789";
export const ID = "LAMBDA_AWS_ACCESS_KEY_ID";
export const SECRET = "LAMBDA_AWS_SECRET_ACCESS_KEY";
export const WORKER = "matchmaking";
/** A pair that is delivered, with what a URL and JSON would spell otherwise. */
export const PAIR = { id: accessKeyId("AKIANEWNEWNEWNEWNEW1"), secret: new Secret("new+secret/") };
const OLD = { [ID]: "AKIAOLDOLDOLDOLDOLD1", [SECRET]: "old-secret" };

export const WORKER_OPTIONS: CloudflareWorkerOptions = {
  kind: "cloudflare-worker",
  accountId: ACCOUNT,
  worker: WORKER,
  secrets: { accessKeyId: ID, secretAccessKey: SECRET },
  apiToken: "cloudflare/matchmaking",
};

/** A Worker that holds an old pair, and a token that may edit it. */
export function simulateWorker(readings: Partial<Readings> = {}): Cloudflare {
  const cloudflare = new Cloudflare({ now: () => 1_800_000_000_000 }, readings);
  cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: [WORKER], status: "active" });
  cloudflare.deploy(ACCOUNT, WORKER, { plain: { AWS_REGION: "us-east-1" }, secrets: OLD });
  return cloudflare;
}

/** What a client of Cloudflare's has beside its address: the token, and waits that end at once. */
export const AT_ONCE = {
  readToken: () => Promise.resolve(new Secret(TOKEN)),
  timeoutMs: 2_000,
  clock: { sleep: () => Promise.resolve() },
  random: { fraction: () => 0.5 },
};

/** The client that the rotator uses, with waits that end at once. */
export function clientFor(
  baseUrl: string,
  more: Partial<Pick<CloudflareOptions, "fetch" | "readToken" | "timeoutMs">> = {},
): CloudflareClient {
  return createCloudflare({
    baseUrl,
    ...AT_ONCE,
    ...more,
  });
}

/** A clock whose waits end at once, in a run with time enough. */
export const QUICK = { sleep: () => Promise.resolve(), remainingMs: () => minutes(15) };

/** Tokens count up, from their first digits on. */
export const COUNTING = (() => {
  let tokens = 0;
  return {
    fraction: () => 0.5,
    token: () =>
      String((tokens += 1))
        .padStart(8, "0")
        .padEnd(32, "0"),
  };
})();

/** The Worker as a destination, with a health route or without. */
export const workerDestination = (cloudflare: CloudflareClient, ask: AskHealth | null = null): Destination =>
  createCloudflareWorker(WORKER_OPTIONS, { cloudflare, ask, clock: QUICK, random: COUNTING });

/** The Worker's health route: the version that the override names, if it is deployed, else the live one. AWS knows all pairs but these. */
export const healthOf =
  (cloudflare: Cloudflare, refused: readonly string[] = [], lastSignedAt: number | null = null): AskHealth =>
  async (asked) => {
    await Promise.resolve();
    const [live] = cloudflare.deployments(ACCOUNT, WORKER);
    const named = live?.shares.find(({ versionId }) => versionId === asked?.versionId);
    const serving = named ?? live?.shares.find(({ percentage }) => percentage > 0);
    const version = cloudflare.versions(ACCOUNT, WORKER).find(({ id }) => id === serving?.versionId);
    if (version === undefined) throw new RotationError("Unreachable", "asking the health route, nothing is deployed");
    const keyId = version.secrets[ID] ?? "";
    const isRefused = refused.includes(keyId);
    const aws = isRefused
      ? { authenticated: false, status: 403, code: "InvalidClientTokenId" }
      : { authenticated: true, status: 200, code: null };
    return { versionId: version.id, keyId: keyId.slice(-4), aws, lastSignedAt };
  };

/** A Worker as the destination contract wants it. */
export function workerUnderTest(
  cloudflare: Cloudflare,
  client: CloudflareClient,
  {
    ask = null,
    close = () => Promise.resolve(),
  }: { readonly ask?: AskHealth | null; readonly close?: () => Promise<void> } = {},
): DestinationUnderTest {
  return {
    destination: workerDestination(client, ask),
    pair() {
      const secrets = cloudflare.live(ACCOUNT, WORKER)[0]?.secrets ?? {};
      return { id: secrets[ID] ?? "", secret: secrets[SECRET] ?? "" };
    },
    happenings: happeningsOf(cloudflare),
    blocks: blocksOf(cloudflare),
    exists: () => cloudflare.has(ACCOUNT, WORKER),
    close,
  };
}

function happeningsOf(cloudflare: Cloudflare): DestinationUnderTest["happenings"] {
  return {
    tokenIsRefused() {
      cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: [WORKER], status: "disabled" });
    },
    targetIsAbsent: () => cloudflare.remove(ACCOUNT, WORKER),
    somebodyDeploys() {
      cloudflare.deploy(ACCOUNT, WORKER, { code: "theirs" });
    },
    previousIsBroughtBack() {
      const before = cloudflare.versions(ACCOUNT, WORKER).at(-2);
      const shares = [{ versionId: before?.id ?? "", percentage: 100 }];
      cloudflare.createDeployment(ACCOUNT, WORKER, { shares, isForced: true });
    },
    answerIsLost() {
      cloudflare.faults.push({ on: "write", kind: "lost", hasEffect: true });
    },
    writeFails() {
      cloudflare.faults.push({ on: "write", kind: "failed", status: 503, hasEffect: false });
    },
  };
}

function blocksOf(cloudflare: Cloudflare): DestinationUnderTest["blocks"] {
  const deploy = (change: VersionChange): void => {
    cloudflare.deploy(ACCOUNT, WORKER, change);
  };
  return {
    "a newest version that is not live": {
      arrange() {
        cloudflare.upload(ACCOUNT, WORKER, { code: "unreleased" });
      },
      words: /newest version is not the live one/,
    },
    "a gradual deployment": {
      arrange() {
        const old = cloudflare.versions(ACCOUNT, WORKER).at(-1)?.id ?? "";
        const shares = [
          { versionId: old, percentage: 90 },
          { versionId: cloudflare.upload(ACCOUNT, WORKER).id, percentage: 10 },
        ];
        cloudflare.createDeployment(ACCOUNT, WORKER, { shares, isForced: false });
      },
      words: /gradual deployment is under way/,
    },
    "a name that is a plain variable": {
      arrange: () => deploy({ plain: { [ID]: "AKIAOLDOLDOLDOLDOLD1" }, secrets: { [ID]: null } }),
      words: /LAMBDA_AWS_ACCESS_KEY_ID is a plain_text binding and no secret/,
    },
    "a name that does not exist": {
      arrange: () => deploy({ secrets: { [SECRET]: null } }),
      words: /no secret LAMBDA_AWS_SECRET_ACCESS_KEY.*wrangler secret put/,
    },
  };
}
