import { Agent, createServer, request } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import type { Cloudflare, Deployment, WorkerVersion } from "./cloudflare.ts";

interface EdgeWorker {
  /** The Worker's module; what it imports is bundled. */
  readonly scriptPath: string;
  /** Plain variables beside those of the version, such as AWS_ENDPOINT. */
  readonly bindings?: Readonly<Record<string, string>>;
  readonly isolates?: Isolates;
}

/**
 * The worse reading of what the documentation leaves open: an isolate goes on with the version whose pair it has read, for
 * so long by this clock, and then reads what is live. So on every path but one, which makes its client anew.
 */
interface Isolates {
  readonly count: number;
  readonly keepForMs: number;
  readonly clock: { now(): number };
  readonly but: string;
}

/** One isolate: the version whose pair it has, and since when. */
interface Isolate {
  instance: Instance;
  readAtMs: number;
}

export interface EdgeOptions {
  readonly account: string;
  /** By script name. */
  readonly workers: Readonly<Record<string, EdgeWorker>>;
}

/** One running version. */
interface Instance {
  readonly versionId: string;
  readonly url: URL;
  readonly miniflare: Miniflare;
  /** Requests under way, and switches that count on it: it is not stopped before they end. */
  holds: number;
}

interface Route {
  readonly instance: Instance;
  readonly percentage: number;
}

/** A Worker at the edge. `switching` is a chain, so that deployments are served in the order in which they were made. */
interface Site {
  readonly name: string;
  readonly code: string;
  readonly bindings: Readonly<Record<string, string>>;
  readonly keeping: Isolates | null;
  readonly isolates: Isolate[];
  routes: readonly Route[];
  served: number;
  switching: Promise<void>;
}

const OVERRIDES = "cloudflare-workers-version-overrides";

/** Starts serving what is deployed, and follows every later deployment. */
export async function startEdge(cloudflare: Cloudflare, options: EdgeOptions): Promise<Edge> {
  const { account } = options;
  const sites = new Map<string, Site>();
  for (const [name, { scriptPath, bindings = {}, isolates: keeping = null }] of Object.entries(options.workers)) {
    const code = await bundle(scriptPath);
    const nothing = { isolates: [], routes: [], served: 0, switching: Promise.resolve() };
    sites.set(name, { name, code, bindings, keeping, ...nothing });
  }
  const edge = new Edge(sites);
  cloudflare.onDeployed((event) => {
    if (event.account === account) edge.follow(event.script, event.deployment, event.versions);
  });
  for (const name of sites.keys()) {
    if (!cloudflare.has(account, name)) continue;
    const [live] = cloudflare.deployments(account, name);
    if (live !== undefined) edge.follow(name, live, cloudflare.live(account, name));
  }
  await edge.settled();
  await edge.listen();
  return edge;
}

/**
 * Cloudflare's network on this machine, with real workerd. Each version runs in a Miniflare of its own behind one router,
 * because changing the bindings of a running one refuses connections for a while, which the real edge does not. A
 * request ends on the version that it began with. A switch takes as long as workerd needs to start.
 */
export class Edge {
  readonly #sites: ReadonlyMap<string, Site>;
  readonly #instances = new Map<string, Instance>();
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server = createServer((incoming, response) => this.#handle(incoming, response));

  constructor(sites: ReadonlyMap<string, Site>) {
    this.#sites = sites;
  }

  async listen(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
  }

  /** Where a Worker answers, without a slash at the end. */
  url(worker: string): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${String(port)}/${worker}`;
  }

  /** Serves a deployment, after those that were made before it. */
  follow(name: string, deployment: Deployment, versions: readonly WorkerVersion[]): void {
    const site = this.#sites.get(name);
    if (site === undefined) return;
    site.switching = site.switching.then(() => this.#switch(site, deployment, versions));
    // Whoever waits for `settled` is told; nobody else can do anything about it.
    site.switching.catch(() => null);
  }

  /** Resolves when every deployment so far is served; rejects when one could not be started. */
  async settled(): Promise<void> {
    await Promise.all([...this.#sites.values()].map((site) => site.switching));
  }

  /** How many versions are running. */
  running(): number {
    return this.#instances.size;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await this.settled().catch(() => null);
    await Promise.all([...this.#instances.values()].map(({ miniflare }) => miniflare.dispose()));
    this.#instances.clear();
  }

  async #switch(site: Site, { shares }: Deployment, versions: readonly WorkerVersion[]): Promise<void> {
    const held = await Promise.all(versions.map((version) => this.#hold(site, version)));
    site.routes = held.map((instance, index) => ({
      instance,
      percentage: shares[index]?.percentage ?? 0,
    }));
    for (const instance of held) instance.holds -= 1;
    await this.#disposeIdle();
  }

  /** The running instance of a version, started if need be, and held. */
  async #hold(site: Site, version: WorkerVersion): Promise<Instance> {
    const instance = this.#instances.get(version.id) ?? (await startInstance(site, version));
    this.#instances.set(instance.versionId, instance);
    instance.holds += 1;
    return instance;
  }

  async #disposeIdle(): Promise<void> {
    const routes = [...this.#sites.values()].flatMap((site) => site.routes);
    const routed = new Set(routes.map((route) => route.instance));
    const idle = [...this.#instances.values()].filter((one) => !routed.has(one) && one.holds === 0);
    for (const instance of idle) this.#instances.delete(instance.versionId);
    await Promise.all(idle.map((instance) => instance.miniflare.dispose()));
  }

  #handle(incoming: IncomingMessage, response: ServerResponse): void {
    const [, name = "", path = ""] = /^\/([^/?]+)(.*)$/.exec(incoming.url ?? "") ?? [];
    const site = this.#sites.get(name);
    const instance = site === undefined ? null : instanceFor(site, incoming, path);
    if (instance === null) {
      response.writeHead(404).end("There is nothing here yet");
      return;
    }
    instance.holds += 1;
    response.once("close", () => {
      instance.holds -= 1;
      if (instance.holds === 0 || site?.keeping !== null) void this.#disposeIdle();
    });
    this.#forward(incoming, response, { instance, path });
  }

  #forward(
    incoming: IncomingMessage,
    response: ServerResponse,
    { instance, path }: { readonly instance: Instance; readonly path: string },
  ): void {
    const { method = "GET", headers } = incoming;
    const target = new URL(path.startsWith("/") ? path : `/${path}`, instance.url);
    const onward = request(target, { method, headers, agent: this.#agent }, (answer) => {
      const all = { ...answer.headers, "x-worker-version": instance.versionId };
      answer.pipe(response.writeHead(answer.statusCode ?? 502, all));
    });
    onward.once("error", () => response.destroy());
    incoming.pipe(onward);
  }
}

async function bundle(scriptPath: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [scriptPath],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    conditions: ["workerd", "browser"],
  });
  return outputFiles[0]?.text ?? "";
}

async function startInstance(site: Site, version: WorkerVersion): Promise<Instance> {
  const miniflare = new Miniflare({
    modules: true,
    script: site.code,
    compatibilityDate: "2026-01-01",
    // Each request would be reported to this process by another one.
    logRequests: false,
    // A Worker that binds version_metadata is told which version it is; here every Worker is.
    bindings: { ...site.bindings, ...version.plain, ...version.secrets, CF_VERSION_METADATA: metadataOf(version) },
    host: "127.0.0.1",
    port: 0,
  });
  return { versionId: version.id, url: await miniflare.ready, miniflare, holds: 0 };
}

/** Source: Cloudflare Workers, version metadata binding. */
const metadataOf = ({ id, annotations, createdAt }: WorkerVersion): Record<string, string> => ({
  id,
  tag: annotations["workers/tag"] ?? "",
  timestamp: new Date(createdAt).toISOString(),
});

/** The version that a request ends on: that of the isolate whose turn it is, where isolates keep what they have read. */
function instanceFor(site: Site, incoming: IncomingMessage, path: string): Instance | null {
  const { keeping, isolates } = site;
  if (keeping === null || path === keeping.but) return choose(site, incoming);
  const { count, keepForMs, clock } = keeping;
  const at = site.served % count;
  const now = clock.now();
  const isolate = isolates[at];
  if (isolate !== undefined && now - isolate.readAtMs < keepForMs) {
    site.served += 1;
    return isolate.instance;
  }
  const instance = choose(site, incoming);
  if (instance === null) return null;
  instance.holds += 1;
  if (isolate !== undefined) isolate.instance.holds -= 1;
  // They did not all begin at once: each has read its pair at another time.
  const readAtMs = isolate === undefined ? now - (keepForMs * at) / count : now;
  isolates[at] = { instance, readAtMs };
  return instance;
}

/**
 * The version that a request goes to: the one that its header asks for, if it is deployed; else by share, in turn. The
 * header is a dictionary, as one may pass several Workers. Source: Cloudflare Workers, version overrides; RFC 8941.
 */
function choose(site: Site, incoming: IncomingMessage): Instance | null {
  const overrides = String(incoming.headers[OVERRIDES] ?? "").split(/\s*,\s*/);
  const asked = site.routes.find(({ instance }) => overrides.includes(`${site.name}="${instance.versionId}"`));
  if (asked !== undefined) return asked.instance;
  const point = site.served % 100;
  site.served += 1;
  let reached = 0;
  for (const { instance, percentage } of site.routes) {
    reached += percentage;
    if (point < reached) return instance;
  }
  return null;
}
