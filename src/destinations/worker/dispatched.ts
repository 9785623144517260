import type { CloudflareClient, WorkerName } from "../../cloud/cloudflare.ts";
import type { Credential } from "../../rotation/keys.ts";
import type { DestinationFacts } from "../../rotation/observation.ts";
import type { Secret } from "../../rotation/secret.ts";
import type { Destination } from "../../rotation/world.ts";
import { createMarked, type Look, markOf } from "../parts/one-text.ts";

/** What a script of a dispatch namespace is delivered to with. */
interface Dispatching {
  readonly cloudflare: CloudflareClient;
  readonly worker: WorkerName;
  /** All the names that are set. */
  readonly names: readonly string[];
  readonly valuesOf: (credential: Credential) => Readonly<Record<string, Secret>>;
}

/**
 * A script of a dispatch namespace: whatever changes it is live at once and whole, so that there is nothing to stage and
 * nothing newer than what is live. Source: Cloudflare for Platforms, limits. What tells its states apart is its last change.
 */
export function createDispatched(facts: DestinationFacts, dispatching: Dispatching): Destination {
  const { cloudflare, worker, names, valuesOf } = dispatching;
  const mark = async (): Promise<string> => {
    const { modified_on: modified, script } = await cloudflare.dispatched(worker);
    return markOf(Date.parse(modified), `${modified} ${script.etag}`);
  };
  return createMarked(facts, {
    async look(): Promise<Look> {
      const now = await mark();
      const secrets = await cloudflare.secrets(worker);
      const missing = names.filter((name) => !secrets.some((it) => it.name === name && it.type === "secret_text"));
      const words = `the script has no secret ${missing.join(" and ")}. Correct the name, or set it once`;
      return { mark: now, blocked: missing.length === 0 ? null : words };
    },
    async write(credential) {
      await cloudflare.putSecrets(worker, valuesOf(credential));
      // Cloudflare has said that the pair is set. That it cannot be read back takes nothing from that but the mark.
      return await mark().catch(() => null);
    },
  });
}
