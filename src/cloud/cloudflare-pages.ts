import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import type { Secret } from "../rotation/secret.ts";
import { type CloudflareOptions, createSender } from "./cloudflare.ts";

/** A deployment, which keeps the secrets that the project had when it was made. Source: Cloudflare API, Pages deployments. */
export type PagesDeployment = z.infer<typeof PagesDeployment>;
const PagesDeployment = z.object({
  id: z.string(),
  created_on: z.string().check(z.refine((text) => !Number.isNaN(Date.parse(text)))),
  latest_stage: z.object({ name: z.string(), status: z.string() }),
});

/** What is set for one environment. The values of secrets come back empty. */
const Environment = z.object({
  env_vars: z.nullish(z.record(z.string(), z.nullable(z.object({ type: z.string() })))),
  wrangler_config_hash: z.optional(z.string()),
});

/** A project. One without a source is not connected to Git: only an upload makes its deployments (Direct Upload). */
export type PagesProject = z.infer<typeof PagesProject>;
const PagesProject = z.object({
  /** The production deployment that serves. */
  canonical_deployment: z.nullish(PagesDeployment),
  deployment_configs: z.object({ production: Environment, preview: Environment }),
  source: z.nullish(z.object({ type: z.string() })),
});

/** Which project. */
export type PagesPlace = { readonly accountId: string; readonly project: string };

/** What one request sets: the same pair for each environment that is named, and what Wrangler's file left there. */
export interface PagesChange {
  readonly values: Readonly<Record<string, Secret>>;
  readonly environments: readonly ("production" | "preview")[];
  /** As it was read: its hash goes back unchanged, so that Wrangler's file goes on owning the plain variables. */
  readonly project: PagesProject;
}

/** The few calls of Cloudflare Pages that a delivery needs. Every method throws `RotationError` and nothing else. */
export type PagesClient = ReturnType<typeof createPages>;

/** Cloudflare Pages, by the sender that Workers have too. */
export function createPages(options: CloudflareOptions) {
  const send = createSender(options);
  const ask = async <T>(
    shape: z.ZodMiniType<T>,
    place: PagesPlace,
    { doing, method = "GET", path = "" }: { doing: string; method?: "GET" | "POST"; path?: string },
  ): Promise<T> => {
    const read = z.safeParse(shape, await send({ doing, method, path: pathOf(place) + path }));
    if (read.success) return read.data;
    const outcomeUnknown = method === "POST";
    throw new RotationError("Unreachable", `${doing}, the answer has an unknown shape`, { outcomeUnknown });
  };
  return {
    project: (place: PagesPlace): Promise<PagesProject> =>
      ask(PagesProject, place, { doing: `reading the Pages project ${place.project}` }),
    deployment: (place: PagesPlace, id: string): Promise<PagesDeployment> =>
      ask(PagesDeployment, place, {
        doing: `reading a deployment of ${place.project}`,
        path: `/deployments/${encodeURIComponent(id)}`,
      }),
    /** The newest production deployments, live or not, the last first. More than 25 are not given at a time. */
    async newest(place: PagesPlace): Promise<readonly PagesDeployment[]> {
      const path = "/deployments?env=production&per_page=25";
      const doing = `reading the deployments of ${place.project}`;
      const all = await ask(z.array(PagesDeployment), place, { doing, path });
      return all.toSorted((one, other) => Date.parse(other.created_on) - Date.parse(one.created_on));
    },
    /** Stores the secrets, all in one request. No deployment that there is has them. What is not named stays. */
    async set(place: PagesPlace, { values, environments, project }: PagesChange): Promise<void> {
      const asText = (value: Secret) => ({ type: "secret_text", value: value.reveal() });
      const env_vars = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, asText(value)]));
      const configs = environments.map((name) => {
        const hash = project.deployment_configs[name].wrangler_config_hash;
        return [name, { env_vars, ...(hash === undefined ? {} : { wrangler_config_hash: hash }) }];
      });
      await send({
        doing: `setting ${Object.keys(values).join(" and ")} of the Pages project ${place.project}`,
        method: "PATCH",
        path: pathOf(place),
        body: JSON.stringify({ deployment_configs: Object.fromEntries(configs) }),
        type: "application/json",
      });
    },
    /** Builds the commit of a deployment again, with the secrets as they are now: a branch would ship newer code. */
    rebuild: (place: PagesPlace, id: string): Promise<PagesDeployment> =>
      ask(PagesDeployment, place, {
        doing: `building ${place.project} again`,
        method: "POST",
        path: `/deployments/${encodeURIComponent(id)}/retry`,
      }),
  };
}

const pathOf = ({ accountId, project }: PagesPlace): string =>
  `/accounts/${encodeURIComponent(accountId)}/pages/projects/${encodeURIComponent(project)}`;
