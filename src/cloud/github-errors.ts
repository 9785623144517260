import type { RotationErrorCode } from "../rotation/errors.ts";
import { retryAfterMsOf } from "./translate-error.ts";

type Meaning = readonly [code: RotationErrorCode, words: string];

const MEANINGS: Readonly<Record<number, Meaning>> = {
  401: ["Denied", "GitHub does not know the token. Store a valid one in the apiToken secret"],
  404: ["NotFound", "GitHub shows none. Correct the name, make it once, or let the token see the repository"],
  409: ["Conflict", "somebody changed it meanwhile"],
  410: ["NotFound", "it is gone for good"],
  422: [
    "Misconfigured",
    "GitHub does not accept it. See that the app's installation has the rights and the repository",
  ],
};

/** By status and headers, never by message: GitHub's text is left out, since it may repeat what was sent. */
export function meaningOf({ status, headers }: Pick<Response, "status" | "headers">): Meaning {
  if (isLimited(status, headers)) return ["Throttled", "GitHub's rate limit is reached. It is lifted within the hour"];
  if (status === 403) return ["Denied", `the token is not allowed to. ${rightsOf(headers)}`];
  const known = MEANINGS[status];
  if (known !== undefined) return known;
  const said = `HTTP ${String(status)}`;
  if (status >= 500) return ["Unreachable", `GitHub failed (${said})`];
  if (status >= 400) return ["Misconfigured", `GitHub refused with an error that is not known (${said})`];
  if (status >= 300) return ["Misconfigured", `it was renamed or moved (${said}). Correct the name`];
  return ["Unreachable", `the answer is not GitHub's (${said})`];
}

/**
 * How long GitHub asks us to wait, in milliseconds; null where it does not say. The end of an hour's limit is given by
 * GitHub's clock, and so is measured by the `Date` of the same answer. Source: GitHub REST API, rate limits.
 */
export function waitMsOf(headers: Headers): number | null {
  const asked = retryAfterMsOf(headers.get("retry-after"));
  if (asked !== null || headers.get("x-ratelimit-remaining") !== "0") return asked;
  const waitMs = Number(headers.get("x-ratelimit-reset")) * 1_000 - Date.parse(headers.get("date") ?? "");
  return waitMs > 0 ? waitMs : null;
}

/** The primary limit and the secondary ones are told by 403 or 429. Source: GitHub REST API, rate limits. */
function isLimited(status: number, headers: Headers): boolean {
  const isSaid = headers.has("retry-after") || headers.get("x-ratelimit-remaining") === "0";
  return status === 429 || (status === 403 && isSaid);
}

/** The right that GitHub names, where it does so in plain words. Source: GitHub REST API, troubleshooting. */
function rightsOf(headers: Headers): string {
  const named = headers.get("x-accepted-github-permissions") ?? "";
  const wanted = /^[\w=,; ]{1,200}$/.test(named) ? named : "secrets=write, of an environment environments=write";
  return `Give it ${wanted}${headers.has("x-github-sso") ? ", and authorise it for the organization's single sign-on" : ""}`;
}
