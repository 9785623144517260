import { createGitHub, createTurns, type GitHubClient, type GitHubOptions } from "../../src/cloud/github.ts";
import { createGitHubActions, type GitHubActionsOptions, scopeOf } from "../../src/destinations/github-actions.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { instant } from "../../src/rotation/time.ts";
import type { DestinationUnderTest } from "../contracts/destination-contract.ts";
import { type GitHub, simulateGitHub } from "../world/github.ts";
import { QUICK } from "./worker-under-test.ts";

export const GITHUB_TOKEN = "github_pat_0123456789";
export const REPOSITORY = "octo/ai-math-tutor";
export const ENVIRONMENT = "production";
const OLD = { id: "AKIAOLDOLDOLDOLDOLD1", secret: "old-secret" };
const OLD_JSON = JSON.stringify({ Version: 1, AccessKeyId: OLD.id, SecretAccessKey: OLD.secret });

const common = { kind: "github-actions", runsForHours: 6, apiToken: "github/token" } as const;
const halves = {
  secrets: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
  acceptTornPair: "A failed run is repeated.",
} as const;

/** One for each scope, of one secret or two. */
export const GITHUB = {
  json: { ...common, repository: REPOSITORY, secret: "AWS_CREDENTIALS" },
  halves: { ...common, repository: REPOSITORY, ...halves },
  environment: { ...common, repository: REPOSITORY, environment: ENVIRONMENT, ...halves },
  organization: { ...common, organization: "octo", secret: "AWS_CREDENTIALS" },
} as const satisfies Readonly<Record<string, GitHubActionsOptions>>;

/** Secrets in all three scopes that hold an old pair, and a token that may set them. Each change has its own second. */
export async function githubWithSecrets(): Promise<GitHub> {
  let nowMs = 1_800_000_000_000;
  const github = await simulateGitHub({ now: () => (nowMs += 1_000) });
  for (const path of ["octo", REPOSITORY, `${REPOSITORY}/${ENVIRONMENT}`]) {
    const { id } = github.addPlace(path);
    const more = path === "octo" ? { visibility: "selected", repositories: [id + 1] } : {};
    github.setSecret(path, "AWS_CREDENTIALS", OLD_JSON, more);
    github.setSecret(path, "AWS_ACCESS_KEY_ID", OLD.id, more);
    github.setSecret(path, "AWS_SECRET_ACCESS_KEY", OLD.secret, more);
    github.setSecret(path, "OTHER", "theirs", more);
  }
  github.setToken(GITHUB_TOKEN, {
    rights: { secrets: "write", environments: "write", organization_secrets: "write" },
    sees: ["octo", REPOSITORY],
  });
  return github;
}

/** The client that the rotator uses, with waits that end at once. */
export function githubAt(
  baseUrl: string,
  options: GitHubActionsOptions,
  more: Partial<Pick<GitHubOptions, "fetch" | "readToken" | "clock" | "timeoutMs" | "inTurn">> = {},
): GitHubClient {
  return createGitHub({
    baseUrl,
    scope: scopeOf(options),
    readToken: () => Promise.resolve(new Secret(GITHUB_TOKEN)),
    timeoutMs: 2_000,
    clock: { sleep: () => Promise.resolve(), now: () => instant(1_800_000_000_000) },
    random: { fraction: () => 0.5 },
    inTurn: createTurns(),
    ...more,
  });
}

/** What a run that begins now would hold. */
export function pairOf(github: GitHub, { environment, secret }: GitHubActionsOptions) {
  const held = github.startRun(REPOSITORY, environment);
  if (secret === undefined) {
    return { id: held["AWS_ACCESS_KEY_ID"] ?? "", secret: held["AWS_SECRET_ACCESS_KEY"] ?? "" };
  }
  const { AccessKeyId = "", SecretAccessKey = "" } = JSON.parse(held[secret] ?? "{}") as Record<string, string>;
  return { id: AccessKeyId, secret: SecretAccessKey };
}

/** Secrets as the destination contract wants them. */
export function githubUnderTest(
  github: GitHub,
  options: GitHubActionsOptions,
  { client, close }: { readonly client: GitHubClient; readonly close: () => Promise<void> },
): DestinationUnderTest {
  const { repository, environment, organization = "" } = options;
  const place = repository === undefined ? organization : [repository, environment ?? []].flat().join("/");
  // Else the organization's secret, that is below it, would be hidden.
  if (repository === undefined) github.removeSecret(REPOSITORY, "AWS_CREDENTIALS");
  const names = options.secrets === undefined ? [options.secret ?? ""] : Object.values(options.secrets);
  const readers = organization === "" ? {} : { visibility: "all" };
  const put = (texts: readonly string[]): void => {
    for (const [index, name] of names.entries()) github.setSecret(place, name, texts[index] ?? "", readers);
  };
  return {
    destination: createGitHubActions(options, client, QUICK),
    pair: () => pairOf(github, options),
    happenings: {
      tokenIsRefused: () => github.setToken(GITHUB_TOKEN, null),
      targetIsAbsent: () => github.removeSecret(place, names.at(-1) ?? ""),
      somebodyDeploys: () => put(["{}", "{}"]),
      previousIsBroughtBack: () => put(options.secrets === undefined ? [OLD_JSON] : [OLD.id, OLD.secret]),
      answerIsLost: () => void github.faults.push({ on: "write", kind: "lost", hasEffect: true }),
      // As long as a delivery insists.
      writeFails: () =>
        void github.faults.push({ on: "write", kind: "failed", status: 502, hasEffect: false, times: 99 }),
    },
    previousLooks: "foreign",
    blocks: {},
    exists: () => github.place(place).secrets.has(names.at(-1) ?? ""),
    close,
  };
}
