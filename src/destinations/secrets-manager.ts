import * as z from "zod/mini";
import type { Destination } from "../rotation/world.ts";
import { RotationError } from "../rotation/errors.ts";

export type SecretsManagerOptions = z.infer<typeof SecretsManagerOptions>;
/** Consumers that read the custody secret themselves. There is nothing to say about it. */
export const SecretsManagerOptions = z.strictObject({ kind: z.literal("secrets-manager") });

/** What the options alone say: it occupies nothing but custody. */
export const secretsManagerFacts = ({ kind }: SecretsManagerOptions) => ({ name: kind, slots: [], readsCustody: true });

/** Custody itself: it shows what AWSCURRENT shows, so that promotion is its delivery, and it is never delivered to. */
export function createSecretsManager(options: SecretsManagerOptions): Destination {
  return {
    ...secretsManagerFacts(options),
    preflight: () => Promise.resolve({ kind: "ready", anchor: null }),
    deliver: () =>
      Promise.reject(new RotationError("Bug", "delivering to secrets-manager, it is delivered by promotion")),
    live: () => Promise.resolve("unknown"),
  };
}
