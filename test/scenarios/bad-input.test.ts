import { afterEach, describe, expect, test } from "vitest";
import { CLOUDFLARE_ACCOUNT, CLOUDFLARE_TOKEN } from "../../scripts/local-run/local-cloud.ts";
import type { LocalCloud } from "../../scripts/local-run/local-cloud.ts";
import { handler } from "../../src/handlers/keyturn.ts";
import type { SweepResult } from "../../src/sweep.ts";
import { setUpScenario } from "./setup.ts";
import type { Scenario } from "./setup.ts";

let scenario: Scenario;
afterEach(async () => scenario.close());

interface Case {
  readonly spoil: (local: LocalCloud) => void;
  /** What the result must say. */
  readonly says: RegExp;
  /** What the notice's subject must say. */
  readonly told: RegExp;
}

const deny =
  (service: string, operation: string, code: string): Case["spoil"] =>
  ({ cloud }) =>
    cloud.faults.add({ service, operation, kind: "error-before", code, status: 403, times: "forever" });

/** matchmaking is due; each of these is in its way. */
const CASES: Readonly<Record<string, Case>> = {
  "a Worker that does not exist": {
    spoil: ({ cloudflare }) => cloudflare.remove(CLOUDFLARE_ACCOUNT, "matchmaking"),
    says: /NotFound.*matchmaking/,
    told: /step failed/,
  },
  "a Cloudflare token that is refused": {
    spoil: ({ cloudflare }) =>
      cloudflare.setToken(CLOUDFLARE_TOKEN, { account: CLOUDFLARE_ACCOUNT, scripts: null, status: "disabled" }),
    says: /Denied.*token/,
    told: /step failed/,
  },
  "a newest version that nobody released": {
    spoil: ({ cloudflare }) => {
      cloudflare.upload(CLOUDFLARE_ACCOUNT, "matchmaking", {});
    },
    says: /newest version is not the live one/,
    told: /destination blocked/,
  },
  "IAM that throttles": {
    spoil: ({ cloud }) =>
      cloud.faults.add({ service: "iam", operation: "ListAccessKeys", kind: "throttle", times: "forever" }),
    says: /BlindSpot.*Throttling/,
    told: /blind spot/,
  },
  "IAM that refuses to make a key": {
    spoil: deny("iam", "CreateAccessKey", "AccessDenied"),
    says: /Denied/,
    told: /step failed/,
  },
  "a secret that may not be read": {
    spoil: deny("secretsmanager", "DescribeSecret", "AccessDeniedException"),
    says: /BlindSpot.*custody/,
    told: /blind spot/,
  },
  "a tag that names somebody else's profile": {
    spoil: ({ cloud }) => {
      const user = cloud.iam.users.get("cloudflare-sveltekit-lambda-invoker");
      if (user !== undefined) user.tags = [{ Key: "keyturn", Value: "cognito-admin" }];
    },
    says: /NotServedByProfile/,
    told: /not served by profile/,
  },
};

describe("what is in the way ends in a clear result and a notice, and leaves every key and consumer as it was", () => {
  test.for(Object.entries(CASES))("%s", async ([, { spoil, says, told }]) => {
    scenario = await setUpScenario({ systems: ["matchmaking"] });
    const { local } = scenario;
    const before = scenario.keysOf("matchmaking");
    spoil(local);
    const liveOf = () =>
      local.cloudflare.has(CLOUDFLARE_ACCOUNT, "matchmaking")
        ? local.cloudflare.live(CLOUDFLARE_ACCOUNT, "matchmaking")
        : null;
    const live = liveOf();
    const users = [local.systems.matchmaking.user];
    const result = (await handler({ command: "sweep", users })) as SweepResult;
    expect(JSON.stringify(result.users)).toMatch(says);
    expect(local.cloud.sns.published.map(({ subject }) => subject).join("\n")).toMatch(told);
    expect(scenario.keysOf("matchmaking")).toEqual(before);
    // The Worker goes on with the version, and so with the pair, that it had.
    expect(liveOf()).toEqual(live);
  });
});

test("an event that nobody understands is refused by its field, before anything is asked", async () => {
  scenario = await setUpScenario({ systems: ["matchmaking"] });
  scenario.local.cloud.counts.clear();
  await expect(handler({ command: "dance", user: "x" })).rejects.toThrow('reading the event, command: found "dance"');
  expect(scenario.local.cloud.counts.size).toBe(0);
});
