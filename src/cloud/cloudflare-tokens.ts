import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import { Secret } from "../rotation/secret.ts";
import { instant } from "../rotation/time.ts";
import { type CloudflareOptions, createSender } from "./cloudflare.ts";

/** A user has 50 tokens, an account 500. More pages than this are a fault that would never end. */
const PAGES_MAX = 100;
const PER_PAGE = 50;

const Time = z.pipe(
  z.string().check(z.refine((text) => !Number.isNaN(Date.parse(text)))),
  z.transform((text) => instant(Date.parse(text))),
);
const MaybeTime = z.pipe(
  z.nullish(Time),
  z.transform((at) => at ?? null),
);

/** One thing that a token may or may not do. Names and explanations of it are left out. */
const Policy = z.object({
  effect: z.string(),
  resources: z.record(z.string(), z.unknown()),
  permission_groups: z.array(z.object({ id: z.string() })),
});

/** A token as the API lists it, without its value. Source: Cloudflare API, account and user tokens. */
export type ApiToken = z.infer<typeof ApiToken>;
const ApiToken = z.object({
  id: z.string().check(z.regex(/^[\w-]{1,52}$/)),
  name: z.string(),
  status: z.string(),
  issued_on: Time,
  last_used_on: MaybeTime,
  expires_on: MaybeTime,
  policies: z.array(Policy),
  /** From where it may be used. */
  condition: z.optional(z.unknown()),
});
const Made = z.object({ id: ApiToken.shape.id, value: z.string(), policies: z.array(Policy) });
const Verified = z.object({ id: z.string(), status: z.string() });

/** Tokens as one that may issue them sees them. Every method throws `RotationError` and nothing else. */
export type TokenIssuer = ReturnType<typeof createTokenIssuer>;

/** `accountId`: whose tokens; null for those of the user whom the issuer belongs to. */
export function createTokenIssuer(options: CloudflareOptions, accountId: string | null) {
  const path = accountId === null ? "/user/tokens" : `/accounts/${encodeURIComponent(accountId)}/tokens`;
  const sender = createSender(options);
  const send: typeof sender = (request) =>
    sender(request).catch((error: unknown) => {
      if (!(error instanceof RotationError) || error.code !== "Denied") throw error;
      const mend = "Give it API Tokens Write, or store a valid one in the issuer secret";
      throw new RotationError("Denied", `${request.doing}, the issuer token is not allowed to. ${mend}`);
    });
  return {
    /** All pages. An empty page is the end. */
    async list(): Promise<readonly ApiToken[]> {
      const doing = "listing Cloudflare's API tokens";
      const found: ApiToken[] = [];
      for (let page = 1; page <= PAGES_MAX; page += 1) {
        const query = `per_page=${String(PER_PAGE)}&page=${String(page)}`;
        const said = read(z.array(ApiToken), await send({ doing, method: "GET", path: `${path}?${query}` }), doing);
        if (said.length === 0) return found;
        found.push(...said);
      }
      throw new RotationError("Unreachable", `${doing}, more than ${String(PAGES_MAX)} pages`);
    },
    /**
     * Makes a token with the policies and the addresses of another. Sent once: repeated it would make two. One that may
     * do anything else than was asked is thrown away by whoever finds it.
     */
    async issue(
      like: ApiToken,
      name: string,
      expiresOn: string | null,
    ): Promise<{ readonly id: string; readonly value: Secret }> {
      const doing = `issuing a token like ${like.id}`;
      const { policies, condition } = like;
      const body = { name, policies, condition: condition ?? undefined, expires_on: expiresOn ?? undefined };
      const request = { doing, method: "POST", path, body: JSON.stringify(body), type: "application/json" } as const;
      const made = read(Made, await send(request), doing);
      if (rightsIn(made.policies) === rightsIn(policies)) return { id: made.id, value: new Secret(made.value) };
      throw new RotationError("Unreachable", `${doing}, the new token has other rights`);
    },
    async remove(id: string): Promise<void> {
      await send({ doing: `deleting token ${id}`, method: "DELETE", path: `${path}/${encodeURIComponent(id)}` });
    },
    /** Which token a value is, or the issuer itself (null). Null for one that Cloudflare refuses, or that is not active. */
    async verify(value: Secret | null): Promise<string | null> {
      const doing = "verifying an API token";
      const ask = value === null ? sender : createSender({ ...options, readToken: () => Promise.resolve(value) });
      try {
        const { id, status } = read(Verified, await ask({ doing, method: "GET", path: `${path}/verify` }), doing);
        return status === "active" ? id : null;
      } catch (error) {
        // A token that does not exist is "not found" to this call, and denied to all others (code 1000).
        if (error instanceof RotationError && ["Denied", "NotFound"].includes(error.code)) return null;
        throw error;
      }
    },
  };
}

function read<T>(answer: z.core.$ZodType<T>, said: unknown, doing: string): T {
  const parsed = z.safeParse(answer, said);
  if (parsed.success) return parsed.data;
  throw new RotationError("Unreachable", `${doing}, the answer has an unknown shape`);
}

/** Policies in one order, so that equal rights are equal texts. */
function rightsIn(policies: ApiToken["policies"]): string {
  const lines = policies.map(({ effect, resources, permission_groups: groups }) =>
    JSON.stringify([effect, sorted(resources), groups.map(({ id }) => id).toSorted()]),
  );
  return lines.toSorted().join("\n");
}

/** An object's entries by their names, at every depth. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, inner]) => [name, sorted(inner)]);
}
