import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import type { Secret } from "../rotation/secret.ts";
import { readJson } from "./read-json.ts";

/** What a Worker's health route says of itself. `docs/health-route.md` is its contract. */
export type WorkerHealth = z.infer<typeof WorkerHealth>;
const When = z.pipe(
  z.pipe(
    z.string(),
    z.transform((text: string) => Date.parse(text)),
  ),
  z.number(),
);
const WorkerHealth = z.object({
  /** The version that answered; null where the Worker is not told its own. */
  versionId: z.nullable(z.string()),
  /** The last four characters of the key id that it signs with. */
  keyId: z.string().check(z.length(4)),
  /** Whether AWS knew the signer, whatever it allowed. The code is foreign text: only a plain word is kept. */
  aws: z.object({
    authenticated: z.boolean(),
    status: z.number(),
    code: z.catch(z.nullable(z.string().check(z.regex(/^\w{1,64}$/))), null),
  }),
  /** When the consumer itself last signed with this key, in milliseconds since the epoch. What is no date is not known. */
  lastSignedAt: z.catch(z.nullish(When), null),
});

interface WorkerHealthOptions {
  readonly url: string;
  readonly readToken: () => Promise<Secret>;
  /** Of one request, answer included. */
  readonly timeoutMs: number;
  readonly fetch?: typeof fetch;
}

/** Which version is to answer, of which Worker: one that is deployed, be it at 0 %. Null: whichever is live. */
type Asked = { readonly script: string; readonly versionId: string } | null;

/** Asks a Worker's health route, once. `Denied` when it refuses the token; every answer but a health is `Unreachable`. */
export type AskHealth = (asked: Asked) => Promise<WorkerHealth>;

export function createWorkerHealth(options: WorkerHealthOptions): AskHealth {
  let token: Secret | null = null;
  return async (asked) => {
    token ??= await options.readToken();
    const doing = `asking the health route ${options.url}`;
    // Source: Cloudflare Workers, version overrides. Without effect where that version is not deployed, or not there yet.
    const override =
      asked === null ? {} : { "cloudflare-workers-version-overrides": `${asked.script}="${asked.versionId}"` };
    const asking = (options.fetch ?? fetch)(options.url, {
      headers: { authorization: `Bearer ${token.reveal()}`, "cache-control": "no-store", ...override },
      redirect: "error",
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    // What fetch says may quote the request: its error goes no further.
    const answer = await asking
      .then(async (response) => ({ status: response.status, text: await response.text() }))
      .catch(() => ({ status: 0, text: "" }));
    if (answer.status === 401) throw new RotationError("Denied", `${doing}, it refuses the token`);
    const health = answer.status === 200 ? readJson(WorkerHealth, answer.text) : null;
    if (health !== null) return health;
    const said = answer.status === 0 ? "no answer" : `HTTP ${String(answer.status)}, and no health`;
    throw new RotationError("Unreachable", `${doing}, ${said}`);
  };
}
