import * as z from "zod/mini";
import { type ActionsSecret, type GitHubClient, retryWaitMs, type SecretScope } from "../cloud/github.ts";
import { formatPair } from "../cloud/custody-content.ts";
import { RotationError } from "../rotation/errors.ts";
import type { Credential } from "../rotation/keys.ts";
import { Secret } from "../rotation/secret.ts";
import { hours, seconds } from "../rotation/time.ts";
import type { Clock, Destination } from "../rotation/world.ts";
import { CloudflareWorkerOptions } from "./cloudflare-worker.ts";
import { createMarked, type Look, markOf } from "./parts/one-text.ts";

/** How long a write is repeated: between the two of a pair every run that begins fails. */
const INSISTS_FOR_MS = seconds(150);
const INSISTS_FIRST_WAIT_MS = seconds(1);
/** Less than this is not enough to see a begun delivery through. */
const TIME_TO_DELIVER_MS = seconds(30);

/** Source: GitHub, naming your secrets; names are compared without case. */
const Name = z.string().check(z.regex(/^(?!github_)[a-z_]\w{0,254}$/i, "letters, digits and _, and not GITHUB_ first"));
const Owner = z.string().check(z.regex(/^[\w-]{1,100}$/, "the name of an organization"));

/** Of a job on GitHub's own runners, and of a whole run (GitHub Actions limits). */
const RUN_HOURS_MIN = 6;
const RUN_HOURS_MAX = 35 * 24;

export type GitHubActionsOptions = z.infer<typeof GitHubActionsOptions>;
export const GitHubActionsOptions = z
  .strictObject({
    kind: z.literal("github-actions"),
    /** As "owner/name". The secrets are its own, or its environment's where one is named. */
    repository: z.optional(
      z.string().check(z.regex(/^[\w-]{1,100}\/(?!\.+$)[\w.-]{1,100}$/, 'a repository, such as "owner/name"')),
    ),
    environment: z.optional(z.string().check(z.minLength(1), z.maxLength(255))),
    /** Instead of a repository: the secrets are an organization's. Who may read them stays as it is. */
    organization: z.optional(Owner),
    /** One secret that holds the pair as JSON, and changes whole. */
    secret: z.optional(Name),
    /** Two secrets, which change one after the other. */
    secrets: z.optional(z.strictObject({ accessKeyId: Name, secretAccessKey: Name })),
    /** Why it may be that a run which begins between the two changes fails. */
    acceptTornPair: z.optional(z.string().check(z.regex(/^\S+(\s+\S+){2,}/, "the reason, in three words or more"))),
    /** How long a run that has begun may go on with the pair that it was given. */
    runsForHours: z._default(z.int().check(z.minimum(RUN_HOURS_MIN), z.maximum(RUN_HOURS_MAX)), RUN_HOURS_MIN),
    /** The Secrets Manager secret that holds a fine-grained token, or a GitHub App's key. */
    apiToken: CloudflareWorkerOptions.shape.apiToken,
  })
  .check(
    z.refine((all) => (all.repository === undefined) !== (all.organization === undefined), {
      error: "a repository or an organization, and not both",
      path: ["repository"],
    }),
    z.refine((all) => all.environment === undefined || all.repository !== undefined, {
      error: "an environment of a repository",
      path: ["environment"],
    }),
    z.refine((all) => (all.secret === undefined) !== (all.secrets === undefined), {
      error: "one secret for JSON, or secrets with two names, and not both",
      path: ["secret"],
    }),
    z.refine(
      ({ secrets }) => secrets?.accessKeyId.toLowerCase() !== secrets?.secretAccessKey.toLowerCase() || !secrets,
      {
        error: "the two halves of a pair need two names",
        path: ["secrets"],
      },
    ),
    z.refine((all) => all.secrets === undefined || all.acceptTornPair !== undefined, {
      error: "the reason why a run may fail that begins between the two changes, or one secret for JSON",
      path: ["acceptTornPair"],
    }),
  );

/** What the options alone say. A pair of two secrets is torn for as long as the second takes. */
export function gitHubActionsFacts(options: GitHubActionsOptions) {
  const scope = scopeOf(options);
  const place = scope.kind === "organization" ? scope.organization : scope.repository;
  const where = scope.kind === "environment" ? `${place}/${scope.environment}` : place;
  // GitHub compares all but an environment's name without case; what is taken for one place too many is only refused.
  const slots = namesOf(options).map((name) => `github-actions:${where}/${name}`.toLowerCase());
  const name = `github-actions:${where}/${namesOf(options).join("+")}`;
  return { name, slots, readsCustody: false, isAtomic: options.secrets === undefined };
}

/** How long what was delivered before may still be held by runs that had begun. */
export const gitHubDrainMs = ({ runsForHours }: GitHubActionsOptions): number => hours(runsForHours);

/** What the client is made for. The options name a repository where they name no organization. */
export function scopeOf({ repository = "", environment, organization }: GitHubActionsOptions): SecretScope {
  if (organization !== undefined) return { kind: "organization", organization };
  return environment === undefined
    ? { kind: "repository", repository }
    : { kind: "environment", repository, environment };
}

/** In the order of their writing: the id comes last, so that whoever sees the new id has the new secret. */
function namesOf({ secret, secrets }: GitHubActionsOptions): readonly string[] {
  if (secrets !== undefined) return [secrets.secretAccessKey, secrets.accessKeyId];
  return secret === undefined ? [] : [secret];
}

function textsOf({ secrets }: GitHubActionsOptions, pair: Credential): readonly Secret[] {
  return secrets === undefined ? [new Secret(formatPair(pair))] : [pair.secret, new Secret(pair.id)];
}

/** Actions secrets, which each run reads when it begins: one of JSON, or two that hold a half each. */
export function createGitHubActions(
  options: GitHubActionsOptions,
  client: GitHubClient,
  clock: Pick<Clock, "sleep" | "remainingMs">,
): Destination {
  const facts = gitHubActionsFacts(options);
  async function findAll(): Promise<readonly ActionsSecret[]> {
    const found: ActionsSecret[] = [];
    for (const name of namesOf(options)) found.push(await client.find(name));
    return found;
  }
  return createMarked(facts, {
    look: async () => lookAt(await findAll()),
    write: (pair) =>
      client.inTurn(async () => {
        const before = await findAll();
        const seal = await client.sealer();
        const sealed = textsOf(options, pair).map((text) => seal(text));
        const kept: object[] = [];
        for (const secret of before) kept.push(await client.kept(secret));
        // All that can be known before is known: from the first write on only the second matters.
        client.mustHaveRoom();
        if (clock.remainingMs() < TIME_TO_DELIVER_MS) {
          throw new RotationError("Unreachable", `delivering to ${facts.name}, too little time is left in this run`);
        }
        for (const [index, { name }] of before.entries()) {
          const put = () => client.put(name, { ...sealed[index], ...kept[index] });
          // One secret is whole either way, and the next sweep may write it again.
          await (before.length > 1 ? insist(clock, put) : put());
        }
        // GitHub has said that the pair is set. That it does not show it, or not yet, takes nothing from that but the mark.
        const after = await findAll().catch(() => null);
        const isShown = after?.every(({ updated_at }, index) => updated_at !== before[index]?.updated_at) === true;
        return isShown ? lookAt(after).mark : null;
      }),
  });
}

/** Writes until it is heard, or the time for it is over: the same write again does no harm, and half of a pair does. */
async function insist(clock: Pick<Clock, "sleep" | "remainingMs">, write: () => Promise<void>): Promise<void> {
  const endsWith = Math.max(0, clock.remainingMs() - INSISTS_FOR_MS);
  for (let tried = 0; ; tried += 1) {
    try {
      return await write();
    } catch (error) {
      const waitMs = retryWaitMs(error, INSISTS_FIRST_WAIT_MS * 2 ** tried);
      if (waitMs === null || clock.remainingMs() - waitMs <= endsWith) throw error;
      await clock.sleep(waitMs);
    }
  }
}

/** Times are to the second, by GitHub's clock, and compared with each other alone. */
function lookAt(secrets: readonly ActionsSecret[]): Look {
  const rest = secrets.map(({ created_at, updated_at }) => `${created_at} ${updated_at}`).join(" ");
  const order = Math.max(...secrets.map(({ updated_at }) => Date.parse(updated_at)));
  return { mark: markOf(order, rest), blocked: null };
}
