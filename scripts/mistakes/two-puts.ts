export * from "../../src/cloud/cloudflare.ts";
import { createCloudflare as createRight } from "../../src/cloud/cloudflare.ts";
import type { CloudflareClient, CloudflareOptions } from "../../src/cloud/cloudflare.ts";

/** Sets the two halves of a pair one after the other, as `wrangler secret put` does: in between, the pair is torn. */
export function createCloudflare(options: CloudflareOptions): CloudflareClient {
  const right = createRight(options);
  return {
    ...right,
    async putSecrets(worker, values) {
      for (const [name, value] of Object.entries(values)) {
        await right.putSecrets(worker, { [name]: value });
      }
    },
  };
}
