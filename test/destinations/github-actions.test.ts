import { describe, expect, test } from "vitest";
import { createTurns, type GitHubOptions } from "../../src/cloud/github.ts";
import { createGitHubActions, GitHubActionsOptions } from "../../src/destinations/github-actions.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { minutes, seconds } from "../../src/rotation/time.ts";
import { destinationContract } from "../contracts/destination-contract.ts";
import { githubFetch } from "../world/github-api.ts";
import {
  ENVIRONMENT,
  GITHUB,
  GITHUB_TOKEN,
  githubAt,
  githubUnderTest,
  githubWithSecrets,
  pairOf,
  REPOSITORY,
} from "./github-under-test.ts";
import { PAIR, QUICK } from "./worker-under-test.ts";

const BASE = "http://github.invalid";
const NEW = { id: PAIR.id, secret: PAIR.secret.reveal() };

async function simulate(options: GitHubActionsOptions = GITHUB.halves, more: Partial<GitHubOptions> = {}) {
  const github = await githubWithSecrets();
  const client = githubAt(BASE, options, { fetch: githubFetch(github), ...more });
  return { github, client, destination: createGitHubActions(options, client, QUICK) };
}

for (const [name, options] of Object.entries(GITHUB)) {
  destinationContract(`github-actions (${name}), without a socket,`, async () => {
    const github = await githubWithSecrets();
    const client = githubAt(BASE, options, { fetch: githubFetch(github) });
    return githubUnderTest(github, options, { client, close: () => Promise.resolve() });
  });
}

describe("a delivery to GitHub Actions", () => {
  test("leaves every other secret alone, those of other scopes included", async () => {
    const { github, destination } = await simulate(GITHUB.environment);
    const before = { ...github.startRun(REPOSITORY), other: github.startRun(REPOSITORY, ENVIRONMENT)["OTHER"] };
    await destination.deliver(PAIR, null);
    expect({ ...github.startRun(REPOSITORY), other: github.startRun(REPOSITORY, ENVIRONMENT)["OTHER"] }).toEqual(
      before,
    );
    expect(pairOf(github, GITHUB.environment)).toEqual(NEW);
  });

  test("keeps who may read an organization's secret, two hundred and fifty repositories included", async () => {
    const { github, destination } = await simulate(GITHUB.organization);
    const repositories = Array.from({ length: 250 }, (_, index) => index + 1);
    github.setSecret("octo", "AWS_CREDENTIALS", "{}", { visibility: "selected", repositories });
    await destination.deliver(PAIR, null);
    const after = github.place("octo").secrets.get("AWS_CREDENTIALS");
    expect(after).toMatchObject({ visibility: "selected", repositories });
    expect(JSON.parse(after?.value ?? "")).toMatchObject({ AccessKeyId: PAIR.id });
  });

  test.for(["all", "private"])("keeps an organization's secret visible to %s", async (visibility) => {
    const { github, destination } = await simulate(GITHUB.organization);
    github.setSecret("octo", "AWS_CREDENTIALS", "{}", { visibility });
    await destination.deliver(PAIR, null);
    expect(github.place("octo").secrets.get("AWS_CREDENTIALS")?.visibility).toBe(visibility);
  });

  test("goes on to the second half after a lost answer, a failure and a limit that says when it ends", async () => {
    const { github, destination } = await simulate();
    github.faults.push({ on: "write", kind: "lost", hasEffect: true });
    github.faults.push({ on: "write", kind: "failed", status: 502, hasEffect: false, times: 3 });
    github.faults.push({ on: "write", kind: "limited", retryAfterS: 60 });
    const receipt = await destination.deliver(PAIR, null);
    expect(pairOf(github, GITHUB.halves)).toEqual(NEW);
    expect(await destination.live(receipt)).toBe("ours");
  });

  test("writes nothing where the second half could not follow: too little time, or too few requests", async () => {
    const { github, client, destination } = await simulate();
    const before = pairOf(github, GITHUB.halves);
    const late = createGitHubActions(GITHUB.halves, client, { ...QUICK, remainingMs: () => seconds(29) });
    await expect(late.deliver(PAIR, null)).rejects.toMatchObject({ code: "Unreachable", outcomeUnknown: false });
    github.spend(GITHUB_TOKEN, 4_980);
    await expect(destination.deliver(PAIR, null)).rejects.toMatchObject({ code: "Throttled" });
    expect(pairOf(github, GITHUB.halves)).toEqual(before);
  });

  test("gives up on a half that is refused for good, and the next delivery makes the pair whole", async () => {
    const { github, destination } = await simulate();
    const refuse = () => github.setToken(GITHUB_TOKEN, { rights: { secrets: "read" }, sees: [REPOSITORY] });
    github.faults.push({ on: "write", kind: "meanwhile", act: () => undefined });
    github.faults.push({ on: "write", kind: "meanwhile", act: refuse });
    await expect(destination.deliver(PAIR, null)).rejects.toMatchObject({ code: "Denied" });
    expect(pairOf(github, GITHUB.halves)).toEqual({ id: "AKIAOLDOLDOLDOLDOLD1", secret: NEW.secret });
    github.setToken(GITHUB_TOKEN, { rights: { secrets: "write" }, sees: [REPOSITORY] });
    await destination.deliver(PAIR, null);
    expect(pairOf(github, GITHUB.halves)).toEqual(NEW);
  });

  test("does not know what is live where GitHub still shows the time before, and delivers again", async () => {
    const { github, destination } = await simulate(GITHUB.json);
    const at = github.place(REPOSITORY).secrets.get("AWS_CREDENTIALS")?.updatedMs ?? 0;
    github.clock.now = () => at;
    const anchor = await destination.preflight();
    const receipt = await destination.deliver(PAIR, null);
    expect(receipt.version).toBeNull();
    expect(anchor).toEqual({ kind: "ready", anchor: receipt.anchor });
    expect(await destination.live(receipt)).toBe("previous");
  });

  test("says foreign of a secret that was made anew under the same name", async () => {
    const { github, destination } = await simulate(GITHUB.json);
    const receipt = await destination.deliver(PAIR, null);
    github.removeSecret(REPOSITORY, "AWS_CREDENTIALS");
    github.setSecret(REPOSITORY, "AWS_CREDENTIALS", "theirs");
    expect(await destination.live(receipt)).toBe("foreign");
  });

  test("makes its changes one after the other, whatever is delivered at once", async () => {
    const inTurn = createTurns();
    const { github, client, destination } = await simulate(GITHUB.halves, { inTurn });
    github.writeTakesMs = 5;
    const json = createGitHubActions(GITHUB.json, client, QUICK);
    await Promise.all([destination.deliver(PAIR, null), json.deliver(PAIR, null)]);
    expect([pairOf(github, GITHUB.halves), pairOf(github, GITHUB.json)]).toEqual([NEW, NEW]);
  });

  test("changes at once, not in turn, are what GitHub refuses", async () => {
    const { github, client } = await simulate(GITHUB.halves);
    github.writeTakesMs = 5;
    const seal = await client.sealer();
    const both = ["AWS_CREDENTIALS", "OTHER"].map((name) => client.put(name, seal(new Secret("x"))));
    await expect(Promise.all(both)).rejects.toMatchObject({ code: "Throttled", retryAfterMs: minutes(1) });
    await Promise.allSettled(both);
  });
});

describe("what a run is given that begins in the middle of a delivery", () => {
  const delivered = async (options: GitHubActionsOptions): Promise<Set<string>> => {
    const { github, destination } = await simulate(options);
    const seen = new Set<string>();
    const look = (): void => void seen.add(Object.values(pairOf(github, options)).join(" "));
    for (let write = 0; write < 2; write += 1) github.faults.push({ on: "write", kind: "meanwhile", act: look });
    look();
    await destination.deliver(PAIR, null);
    look();
    return seen;
  };
  const [old, whole] = ["AKIAOLDOLDOLDOLDOLD1 old-secret", `${NEW.id} ${NEW.secret}`];

  test("one secret of JSON is the old pair or the new one", async () => {
    expect([...(await delivered(GITHUB.json))]).toEqual([old, whole]);
  });

  test("of two secrets it is torn: never the new id with the old secret, but the old id with the new secret", async () => {
    expect([...(await delivered(GITHUB.halves))]).toEqual([old, `AKIAOLDOLDOLDOLDOLD1 ${NEW.secret}`, whole]);
  });
});

describe("the options of Actions secrets", () => {
  test.for([
    ["neither a repository nor an organization", "repository", { repository: undefined }],
    ["a repository and an organization", "repository", { organization: "octo" }],
    ["a repository without its owner", "repository", { repository: "ai-math-tutor" }],
    ["a repository that is a path", "repository", { repository: "octo/.." }],
    ["an organization's environment", "environment", { repository: undefined, organization: "o", environment: "e" }],
    ["neither one secret nor two", "secret", { secrets: undefined }],
    ["one secret and two", "secret", { secret: "AWS_CREDENTIALS" }],
    ["two halves of one name", "secrets", { secrets: { accessKeyId: "KEY", secretAccessKey: "key" } }],
    ["two secrets without a word on torn pairs", "acceptTornPair", { acceptTornPair: undefined }],
    ["two words on torn pairs", "acceptTornPair", { acceptTornPair: "all right" }],
    ["runs of less than six hours", "runsForHours", { runsForHours: 5 }],
    ["runs of more than 35 days", "runsForHours", { runsForHours: 841 }],
    ["a token kept among the custody secrets", "apiToken", { apiToken: "keyturn/deploy" }],
  ] as const)("refuse %s, and name the field", ([, field, change]) => {
    expect(GitHubActionsOptions.safeParse(GITHUB.halves).success).toBe(true);
    const read = GitHubActionsOptions.safeParse({ ...GITHUB.halves, ...change });
    expect(read.error?.issues.map(({ path }) => path[0])).toContain(field);
  });

  test.for(["GITHUB_KEY", "1KEY", "MY-KEY", "a/b"])("refuse the name %s, which no secret may bear", (secret) => {
    expect(GitHubActionsOptions.safeParse({ ...GITHUB.json, secret }).success).toBe(false);
  });

  test.for([6, 840])("accept runs of %i hours", (runsForHours) => {
    expect(GitHubActionsOptions.safeParse({ ...GITHUB.json, runsForHours }).success).toBe(true);
  });

  test("name the place, and a slot for each secret, without case", async () => {
    const { destination } = await simulate(GITHUB.environment);
    const place = `github-actions:${REPOSITORY}/${ENVIRONMENT}`;
    expect(destination).toMatchObject({
      name: `${place}/AWS_SECRET_ACCESS_KEY+AWS_ACCESS_KEY_ID`,
      slots: [`${place}/aws_secret_access_key`, `${place}/aws_access_key_id`],
      isAtomic: false,
    });
    expect((await simulate(GITHUB.json)).destination).toMatchObject({ isAtomic: true });
  });
});
