import * as z from "zod/mini";
import type { PagesClient, PagesDeployment, PagesProject } from "../cloud/cloudflare-pages.ts";
import { RotationError } from "../rotation/errors.ts";
import type { Credential } from "../rotation/keys.ts";
import type { LiveState } from "../rotation/observation.ts";
import type { Receipt } from "../rotation/record.ts";
import { Secret } from "../rotation/secret.ts";
import type { Destination, Preflight } from "../rotation/world.ts";
import { CloudflareWorkerOptions } from "./cloudflare-worker.ts";

const { accountId, apiToken, secrets } = CloudflareWorkerOptions.shape;

export type CloudflarePagesOptions = z.infer<typeof CloudflarePagesOptions>;
export const CloudflarePagesOptions = z.strictObject({
  kind: z.literal("cloudflare-pages"),
  accountId,
  project: z.string().check(z.regex(/^[a-z0-9][a-z0-9-]*$/, "lowercase letters, digits and hyphens")),
  /** What the project calls the two halves of the pair. */
  secrets,
  /** Whether previews that are made from then on get the pair, too. */
  previews: z.optional(z.boolean()),
  apiToken,
});

/** What the options alone say. */
export const cloudflarePagesFacts = (options: CloudflarePagesOptions) => ({
  name: `cloudflare-pages:${options.project}`,
  slots: Object.values(options.secrets).map(
    (name) => `cloudflare-pages:${options.accountId}/${options.project}/${name}`,
  ),
  readsCustody: false,
});

/**
 * Two secrets of a Cloudflare Pages project, set in one request. That stores the pair, and no deployment has it: each keeps
 * what was set when it was made. So the commit that is live is built again, or, where nothing but an upload deploys, is
 * waited for. A deployment is known by when it was made, and by its id.
 */
export function createCloudflarePages(options: CloudflarePagesOptions, pages: PagesClient): Destination {
  const facts = cloudflarePagesFacts(options);
  const doing = `delivering to ${facts.name}`;
  const names = Object.values(options.secrets);

  async function store(project: PagesProject, { id, secret }: Credential): Promise<void> {
    const values = { [options.secrets.accessKeyId]: new Secret(id), [options.secrets.secretAccessKey]: secret };
    const environments = options.previews === true ? (["production", "preview"] as const) : (["production"] as const);
    await pages.set(options, { values, environments, project });
  }

  const look = async () => {
    const [project, newest] = [await pages.project(options), await pages.newest(options)];
    return { project, newest, live: project.canonical_deployment ?? null, flaw: flawOf(project, newest, names) };
  };

  return {
    ...facts,
    async preflight(): Promise<Preflight> {
      const { live, flaw } = await look();
      return flaw === null ? { kind: "ready", anchor: markOf(live) } : { kind: "blocked", because: flaw };
    },
    async deliver(credential, anchor): Promise<Receipt> {
      const { project, newest, live, flaw } = await look();
      if (flaw !== null || live === null) throw new RotationError("Conflict", `${doing}, ${flaw ?? "nothing is live"}`);
      if (anchor !== null && markOf(live) !== anchor) {
        throw new RotationError("Conflict", `${doing}, another deployment went live since the pre-flight`);
      }
      await store(project, credential);
      if (isUploaded(project)) {
        // Whatever is made after the newest of now has the pair; of one that was made meanwhile nobody can tell.
        const [last = live] = await pages.newest(options);
        return { anchor: markOf(last), version: null, awaits: UPLOAD };
      }
      const made = await rebuild({ options, pages }, live, newest);
      return { anchor: markOf(live), version: markOf(made), awaits: "the build of the same commit that was begun" };
    },
    kept: (receipt) => keptAt({ options, pages }, receipt),
    live: (receipt) => liveAt({ options, pages }, receipt),
  };
}

/** A project, and the way to it. */
type Place = { readonly options: CloudflarePagesOptions; readonly pages: PagesClient };

/** Builds what is live again; and what others made meanwhile, which ours would else put back by one. */
async function rebuild(
  { options, pages }: Place,
  live: PagesDeployment,
  known: readonly PagesDeployment[],
): Promise<PagesDeployment> {
  const seen = new Set(known.map(({ id }) => id));
  let target = live;
  for (let built = 1; built <= REBUILDS_MAX; built += 1) {
    const made = await pages.rebuild(options, target.id);
    seen.add(made.id);
    const isOvertaken = ({ id, created_on }: PagesDeployment): boolean =>
      !seen.has(id) && Date.parse(created_on) < Date.parse(made.created_on);
    const theirs = (await pages.newest(options)).find((one) => isOvertaken(one));
    if (theirs === undefined) return made;
    seen.add(theirs.id);
    target = theirs;
  }
  throw new RotationError(
    "Conflict",
    `building ${options.project} again, others deploy again and again. The pair is stored`,
  );
}

async function liveAt({ options, pages }: Place, receipt: Receipt | null): Promise<LiveState> {
  const live = (await pages.project(options)).canonical_deployment ?? null;
  const known = receipt?.version ?? receipt?.anchor ?? null;
  if (receipt === null || known === null || live === null || !hasEnded(live, ["success"])) return "unknown";
  if (markOf(live) === receipt.version) return "ours";
  // Uploads are always somebody's: one that came after ours was stored carries it.
  if (madeAt(markOf(live)) > madeAt(known)) return receipt.version === null ? "ours" : "foreign";
  if (receipt.version === null || receipt.awaits === undefined) return "previous";
  const made = await pages.deployment(options, receipt.version.split(" ")[1] ?? "");
  // Built, and not what serves: somebody went back, before anybody saw ours. It is not live by itself any more.
  return hasEnded(made, ENDS) ? "failed" : "previous";
}

async function keptAt({ options, pages }: Place, receipt: Receipt | null): Promise<string | null> {
  const known = receipt?.version ?? receipt?.anchor ?? null;
  const isOlder = (made: PagesDeployment): boolean =>
    known !== null && madeAt(markOf(made)) <= madeAt(known) && markOf(made) !== receipt?.version;
  const older = (await pages.newest(options)).filter((made) => isOlder(made)).length;
  const previews = options.previews === true ? "previews of before" : "all previews";
  const many = `${String(older)} older deployments or more`;
  return older === 0 ? null : `${many} with an older pair, and so do ${previews}: who goes back to one brings it back`;
}

/** So many deployments of others during one delivery are no accident. */
const REBUILDS_MAX = 3;

const UPLOAD =
  "a deployment: the project is not connected to Git, and only its own upload can make one. Run its CI, or wrangler pages deploy, once; that deployment has the pair";

const markOf = (made: PagesDeployment | null | undefined): string =>
  made ? `${made.created_on} ${made.id}` : "never deployed";
const madeAt = (mark: string): number => Date.parse(mark.split(" ", 1)[0] ?? "");

const isUploaded = ({ source }: PagesProject): boolean => !source;

const FAILURES = ["failure", "canceled", "skipped"];
const ENDS = ["success", ...FAILURES];

/** A failure ends a deployment at any of its stages, a success only at the last. */
const hasEnded = ({ latest_stage: { name, status } }: PagesDeployment, how: readonly string[]): boolean =>
  how.includes(status) && (status !== "success" || name === "deploy");

/** What must be mended before the pair could be set, in words; null for nothing. */
function flawOf(
  { canonical_deployment, deployment_configs }: PagesProject,
  [last]: readonly PagesDeployment[],
  names: readonly string[],
): string | null {
  if (!canonical_deployment) return "the project was never deployed to production. Deploy it once";
  // It has the old pair, and would go live after ours, or ours after it.
  if (last !== undefined && !hasEnded(last, ENDS)) return "a deployment is under way. Wait until it has ended";
  const set = deployment_configs.production.env_vars ?? {};
  const flaws = names.flatMap((name) => {
    const type = set[name]?.type;
    if (type === "secret_text") return [];
    const mend = `with wrangler pages secret put ${name}`;
    if (type === undefined) return [`the project has no secret ${name}. Correct the name, or set it once ${mend}`];
    return [`${name} is a ${type} variable and no secret. Remove it, and set it ${mend}`];
  });
  return flaws.length === 0 ? null : flaws.join("; ");
}
