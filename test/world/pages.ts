import type { ApiRequest } from "./cloudflare-api.ts";
import { CloudflareRefusal } from "./cloudflare.ts";

/** A deployment, immutable but for how far it is: it keeps code and secrets as they were when it was made. */
interface Made {
  readonly id: string;
  readonly createdAt: number;
  readonly commit: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** When its last stage ends, and how. */
  readonly endsAt: number;
  readonly end: "success" | "failure";
}

type Variable = { readonly type: "plain_text" | "secret_text"; readonly value: string };

interface Config {
  variables: Record<string, Variable>;
  hash: string | null;
}

interface Project {
  readonly name: string;
  readonly account: string;
  readonly isGit: boolean;
  readonly configs: Record<"production" | "preview", Config>;
  readonly deployments: Made[];
  /** What somebody rolled back to, and when: until a later deployment goes live. */
  rolledBack: { readonly to: Made; readonly at: number } | null;
}

const PAGE_MAX = 25;

/**
 * Cloudflare Pages as far as secrets and production deployments go. Setting a secret changes no deployment that there is.
 * Source: Cloudflare Pages, bindings (secrets); Cloudflare API, Pages.
 */
export class Pages {
  readonly #clock: { now(): number };
  readonly #projects = new Map<string, Project>();
  /** How long a build takes, from queued to deployed. */
  buildMs = 180_000;
  /** How the builds end that begin from now on. */
  buildsEnd: Made["end"] = "success";
  /** What `canonical_deployment` is while a newer one is under way: the reference says "most recent". */
  canonicalIs: "live" | "newest" = "live";
  #ids = 0;

  constructor(clock: { now(): number }) {
    this.#clock = clock;
  }

  create(account: string, name: string, how: { readonly isGit: boolean; readonly hash?: string }): Project {
    const config = (): Config => ({ variables: {}, hash: how.hash ?? null });
    const configs = { production: config(), preview: config() };
    const project: Project = { name, account, isGit: how.isGit, configs, deployments: [], rolledBack: null };
    this.#projects.set(`${account}/${name}`, project);
    return project;
  }

  remove(account: string, name: string): void {
    this.#projects.delete(`${account}/${name}`);
  }

  has(account: string, name: string): boolean {
    return this.#projects.has(`${account}/${name}`);
  }

  project(account: string, name: string): Project {
    const found = this.#projects.get(`${account}/${name}`);
    if (found === undefined)
      throw refusal(404, 8000007, "Project not found. The specified project name does not match");
    return found;
  }

  /** A push to the production branch, or an upload: a deployment of this commit that takes its time. */
  deploy(account: string, name: string, commit: string): Made {
    const project = this.project(account, name);
    const { variables } = project.configs.production;
    const secrets = Object.entries(variables).filter(([, { type }]) => type === "secret_text");
    // No two are made at the same time, to the microsecond that the API shows.
    const createdAt = Math.max(this.#clock.now(), (project.deployments.at(-1)?.createdAt ?? 0) + 1);
    const made: Made = {
      id: this.#id(),
      createdAt,
      commit,
      secrets: Object.fromEntries(secrets.map(([variable, { value }]) => [variable, value])),
      endsAt: createdAt + this.buildMs,
      end: this.buildsEnd,
    };
    project.deployments.push(made);
    return made;
  }

  /** The production deployment that serves; null before the first. */
  live(account: string, name: string): Made | null {
    const { deployments, rolledBack } = this.project(account, name);
    const ended = deployments.filter(({ end, endsAt }) => end === "success" && endsAt <= this.#clock.now());
    const last = ended.toSorted((one, other) => one.endsAt - other.endsAt).at(-1) ?? null;
    return rolledBack !== null && (last?.endsAt ?? 0) <= rolledBack.at ? rolledBack.to : last;
  }

  /** An older successful production deployment serves again, with the secrets that it had. */
  rollBack(account: string, name: string, id: string): Made {
    const project = this.project(account, name);
    const to = project.deployments.find((made) => made.id === id && made.end === "success");
    if (to === undefined) throw refusal(404, 8000009, "Deployment not found");
    project.rolledBack = { to, at: this.#clock.now() };
    return to;
  }

  /** Merge meaning: given is set, null is deleted, absent stays. A hash that is not sent is gone. */
  change(project: Project, environment: "production" | "preview", config: Readonly<Record<string, unknown>>): void {
    const target = project.configs[environment];
    for (const [name, value] of Object.entries((config["env_vars"] ?? {}) as Record<string, Variable | null>)) {
      if (value === null) delete target.variables[name];
      else target.variables[name] = { type: value.type, value: value.value };
    }
    const hash = config["wrangler_config_hash"];
    target.hash = typeof hash === "string" ? hash : null;
  }

  now(): number {
    return this.#clock.now();
  }

  #id(): string {
    this.#ids += 1;
    return `00000000-0000-4000-9000-${this.#ids.toString(16).padStart(12, "0")}`;
  }
}

const refusal = (status: number, code: number, message: string): CloudflareRefusal =>
  new CloudflareRefusal(status, code, message);

/** The paths of Pages that are served. */
export const PAGES = /^\/accounts\/([^/]+)\/pages\/projects\/([^/]+)(?:\/deployments(?:\/([^/]+)(?:\/([a-z]+))?)?)?$/;

/** Carries out one request of Pages: what stands in the answer's `result`. Throws CloudflareRefusal. */
export function askPages(pages: Pages, request: ApiRequest): unknown {
  const [account = "", name = "", id, verb] = (PAGES.exec(request.path) ?? []).slice(1);
  const { method } = request;
  const project = pages.project(account, decodeURIComponent(name));
  const isListed = request.path.endsWith("/deployments");
  if (isListed && method === "GET") return listed(pages, project, request);
  if (id === undefined && method === "GET") return shownProject(pages, project);
  if (id === undefined && !isListed && method === "PATCH") {
    for (const [environment, config] of Object.entries(configsIn(request))) {
      if (environment !== "production" && environment !== "preview") throw refusal(400, 8000000, "No such environment");
      pages.change(project, environment, config);
    }
    return shownProject(pages, project);
  }
  const found = project.deployments.find((made) => made.id === id);
  if (found === undefined) throw refusal(404, 8000009, "Deployment not found");
  if (verb === undefined && method === "GET") return shown(pages, project, found);
  if (verb === "rollback" && method === "POST") {
    return shown(pages, project, pages.rollBack(account, project.name, found.id));
  }
  if (verb === "retry" && method === "POST") {
    if (!project.isGit) throw refusal(400, 8000043, "A Direct Upload deployment cannot be retried");
    return shown(pages, project, pages.deploy(account, project.name, found.commit));
  }
  throw refusal(405, 10405, "Method not allowed");
}

function configsIn({ body }: ApiRequest): Record<string, Record<string, unknown>> {
  try {
    return (
      (JSON.parse(body) as { deployment_configs?: Record<string, Record<string, unknown>> }).deployment_configs ?? {}
    );
  } catch {
    throw refusal(400, 8000000, "The body is no JSON");
  }
}

function listed(pages: Pages, project: Project, { query }: ApiRequest): unknown {
  const size = Number(query.get("per_page") ?? PAGE_MAX);
  if (size > PAGE_MAX) throw refusal(400, 8000024, "Invalid list options provided. Review the `per_page` parameter.");
  if (query.get("env") === "preview") return [];
  const from = (Number(query.get("page") ?? 1) - 1) * size;
  return project.deployments
    .toReversed()
    .slice(from, from + size)
    .map((made) => shown(pages, project, made));
}

function shownProject(pages: Pages, project: Project) {
  const newest = project.deployments.at(-1);
  const live = pages.live(project.account, project.name);
  const canonical = pages.canonicalIs === "live" ? live : newest;
  const show = (made: Made | null | undefined) => (made ? shown(pages, project, made) : null);
  const config = ({ variables, hash }: Config) => ({
    env_vars: Object.fromEntries(Object.entries(variables).map(([name, it]) => [name, withoutSecret(it)])),
    ...(hash === null ? {} : { wrangler_config_hash: hash }),
  });
  return {
    id: `id-of-${project.name}`,
    name: project.name,
    production_branch: "main",
    canonical_deployment: show(canonical),
    latest_deployment: show(newest),
    deployment_configs: { production: config(project.configs.production), preview: config(project.configs.preview) },
    ...(project.isGit ? { source: { type: "github", config: {} } } : {}),
  };
}

const withoutSecret = ({ type, value }: Variable): Variable => ({ type, value: type === "secret_text" ? "" : value });

function shown(pages: Pages, project: Project, made: Made) {
  const hasEnded = made.endsAt <= pages.now();
  const name = hasEnded && made.end === "success" ? "deploy" : "build";
  return {
    id: made.id,
    short_id: made.id.slice(-8),
    project_name: project.name,
    environment: "production",
    url: `https://${made.id.slice(-8)}.${project.name}.pages.dev`,
    created_on: new Date(made.createdAt).toISOString(),
    modified_on: new Date(made.createdAt).toISOString(),
    latest_stage: { name, status: hasEnded ? made.end : "active", started_on: null, ended_on: null },
    deployment_trigger: {
      type: project.isGit ? "github:push" : "ad_hoc",
      metadata: { branch: "main", commit_hash: made.commit, commit_message: "", commit_dirty: false },
    },
  };
}
