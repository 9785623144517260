import { createPages, type PagesClient } from "../../src/cloud/cloudflare-pages.ts";
import type { CloudflareOptions } from "../../src/cloud/cloudflare.ts";
import { type CloudflarePagesOptions, createCloudflarePages } from "../../src/destinations/cloudflare-pages.ts";
import { hours } from "../../src/rotation/time.ts";
import type { DestinationUnderTest } from "../contracts/destination-contract.ts";
import { SimulatedClock } from "../world/clock.ts";
import { Cloudflare } from "../world/cloudflare.ts";
import { Pages } from "../world/pages.ts";
import { ACCOUNT, AT_ONCE, ID, SECRET, TOKEN } from "./worker-under-test.ts";

export const PROJECT = "storefront";
export const CONFIG_HASH = "hash-of-wrangler-toml";

export const PAGES_OPTIONS: CloudflarePagesOptions = {
  kind: "cloudflare-pages",
  accountId: ACCOUNT,
  project: PROJECT,
  secrets: { accessKeyId: ID, secretAccessKey: SECRET },
  apiToken: "cloudflare/pages",
};

export const OLD_PAIR = { id: "AKIAOLDOLDOLDOLDOLD1", secret: "old-secret" };

export interface SimulatedPages {
  readonly clock: SimulatedClock;
  readonly cloudflare: Cloudflare;
  readonly pages: Pages;
}

/** A project that serves an old pair, with a configuration file's hash and a plain variable, and a token for Pages. */
export function simulatePages({
  isGit = true,
  pair = OLD_PAIR,
  clock = new SimulatedClock(1_800_000_000_000),
} = {}): SimulatedPages {
  const cloudflare = new Cloudflare(clock);
  const pages = new Pages(clock);
  cloudflare.pages = pages;
  cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: null, status: "active" });
  const project = pages.create(ACCOUNT, PROJECT, { isGit, hash: CONFIG_HASH });
  const text = (value: string) => ({ type: "secret_text", value }) as const;
  const env_vars = {
    AWS_REGION: { type: "plain_text", value: "us-east-1" },
    [ID]: text(pair.id),
    [SECRET]: text(pair.secret),
  };
  pages.change(project, "production", { env_vars, wrangler_config_hash: CONFIG_HASH });
  pages.deploy(ACCOUNT, PROJECT, "commit-1");
  clock.advance(hours(1));
  return { clock, cloudflare, pages };
}

/** The client that the rotator uses, with waits that end at once. */
export function pagesAt(
  baseUrl: string,
  more: Partial<Pick<CloudflareOptions, "fetch" | "readToken">> = {},
): PagesClient {
  return createPages({
    baseUrl,
    ...AT_ONCE,
    ...more,
  });
}

/** The pair that the live deployment holds. */
export function pairOnPages({ pages }: Pick<SimulatedPages, "pages">) {
  const secrets = pages.live(ACCOUNT, PROJECT)?.secrets ?? {};
  return { id: secrets[ID] ?? "", secret: secrets[SECRET] ?? "" };
}

/** A project as the destination contract wants it. */
export function pagesUnderTest(
  simulated: SimulatedPages,
  client: PagesClient,
  close: () => Promise<void> = () => Promise.resolve(),
): DestinationUnderTest {
  const { clock, cloudflare, pages } = simulated;
  const config = (env_vars: Readonly<Record<string, unknown>>): void =>
    pages.change(pages.project(ACCOUNT, PROJECT), "production", { env_vars });
  const push = (): void => {
    pages.deploy(ACCOUNT, PROJECT, "theirs");
    clock.advance(hours(1));
  };
  return {
    destination: createCloudflarePages(PAGES_OPTIONS, client),
    pair: () => pairOnPages(simulated),
    happenings: {
      tokenIsRefused: () => cloudflare.setToken(TOKEN, { account: ACCOUNT, scripts: null, status: "disabled" }),
      targetIsAbsent: () => pages.remove(ACCOUNT, PROJECT),
      somebodyDeploys: push,
      previousIsBroughtBack() {
        const [first] = pages.project(ACCOUNT, PROJECT).deployments;
        pages.rollBack(ACCOUNT, PROJECT, first?.id ?? "");
      },
      answerIsLost: () => void cloudflare.faults.push({ on: "write", kind: "lost", hasEffect: true }),
      writeFails: () => void cloudflare.faults.push({ on: "write", kind: "failed", status: 503, hasEffect: false }),
    },
    blocks: {
      "a deployment that is under way": {
        arrange: () => void pages.deploy(ACCOUNT, PROJECT, "theirs"),
        words: /a deployment is under way\. Wait/,
      },
      "a name that is a plain variable": {
        arrange: () => config({ [ID]: { type: "plain_text", value: "AKIA" } }),
        words: /LAMBDA_AWS_ACCESS_KEY_ID is a plain_text variable and no secret/,
      },
      "a name that does not exist": {
        arrange: () => config({ [SECRET]: null }),
        words: /no secret LAMBDA_AWS_SECRET_ACCESS_KEY.*wrangler pages secret put/,
      },
      "a project that was never deployed": {
        arrange: () => void pages.project(ACCOUNT, PROJECT).deployments.splice(0),
        words: /never deployed to production\. Deploy it once/,
      },
    },
    becomesLive: () => clock.advance(hours(1)),
    // Its pair is still awaited, and will not be live by itself.
    previousLooks: "failed",
    exists: () => pages.has(ACCOUNT, PROJECT),
    close,
  };
}
