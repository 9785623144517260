import * as z from "zod/mini";
import { Duration } from "./duration.ts";

/** A secret of Secrets Manager that is not custody: those begin with keyturn. */
const SecretName = z.string().check(
  z.minLength(1),
  z.refine((name) => !name.startsWith("keyturn"), "must not begin with keyturn"),
);

/** A Cloudflare API token of Keyturn's own, which another token may replace. */
export const TokenInput = z
  .strictObject({
    /** The secret that holds it, as the destinations' `apiToken` names it. */
    secret: SecretName,
    /** The secret with a token that may issue others: API Tokens Write, and nothing else. */
    issuer: SecretName,
    /** Whose tokens they are: an account's. Left out: those of the user whom the issuer belongs to. */
    accountId: z.optional(z.string().check(z.regex(/^[0-9a-f]{32}$/, "an account id of 32 hexadecimal digits"))),
    rotateTokenAfter: z.prefault(Duration, "75d"),
  })
  .check(
    z.refine(({ secret, issuer }) => secret !== issuer, {
      error: "another secret than the token's own",
      path: ["issuer"],
    }),
  );
