import { RotationError, type RotationErrorCode } from "../rotation/errors.ts";

interface Meaning {
  readonly code: RotationErrorCode;
  /** What is the case, and what to do about it. */
  readonly words: string;
}

const NO_WORKER: Meaning = {
  code: "NotFound",
  words:
    "the account has no Worker of that name. Correct the name (an environment is part of it: api-staging). It is never created",
};
const NOT_LIVE: Meaning = {
  code: "Conflict",
  words: "the newest version of the Worker is not the live one. Deploy the newest version first",
};
const REFUSED: Meaning = {
  code: "Denied",
  words:
    "the API token is not allowed to. Give it the role Editor on this Worker, or store a valid token in the secret named by apiToken",
};
const NAME_TAKEN: Meaning = {
  code: "Misconfigured",
  words: "the name belongs to another kind of binding, such as a plain variable. Remove that, and make it a secret",
};
const BAD_PATH: Meaning = { code: "Misconfigured", words: "the account id is not valid" };
const BAD_REQUEST: Meaning = { code: "Bug", words: "the request was not understood" };

/** The codes of Cloudflare's error envelope that its API is known to answer to our calls. */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  7000: BAD_PATH,
  7003: BAD_PATH,
  9106: REFUSED,
  9109: REFUSED,
  10000: REFUSED,
  10001: REFUSED,
  10007: NO_WORKER,
  10021: BAD_REQUEST,
  10053: NAME_TAKEN,
  10056: { code: "Misconfigured", words: "the Worker has no binding of that name" },
  10090: NO_WORKER,
  10201: BAD_REQUEST,
  10214: NOT_LIVE,
  10215: NOT_LIVE,
  10222: { code: "Misconfigured", words: "the Worker has no version yet. Deploy it once" },
  100160: { code: "LimitReached", words: "too many secrets in one request" },
};

/** What an answer said, as far as telling what is wrong needs it. */
export interface Refusal {
  readonly status: number;
  /** The codes of the envelope; empty when there was none. */
  readonly codes: readonly number[];
  readonly isChallenge: boolean;
  readonly retryAfterMs: number | null;
  /** The request may change something. */
  readonly isWrite: boolean;
}

/**
 * The one translation of Cloudflare's refusals. By code and status, never by message: Cloudflare's text is left out,
 * since it may repeat what was sent.
 */
export function translateRefusal(doing: string, refusal: Refusal): RotationError {
  const { status, codes, retryAfterMs } = refusal;
  const fail = (code: RotationErrorCode, words: string, outcomeUnknown = false): RotationError =>
    new RotationError(code, `${doing}, ${words}`, {
      outcomeUnknown,
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
    });
  if (refusal.isChallenge) {
    return fail("Unreachable", "Cloudflare answered with a challenge for browsers instead");
  }
  if (status === 429) {
    return fail("Throttled", "too many requests with this token. Cloudflare lifts it in minutes");
  }
  if (status >= 500) {
    return fail("Unreachable", `Cloudflare failed (HTTP ${String(status)})`, refusal.isWrite);
  }
  const meaning = codes.map((code) => MEANINGS[code]).find((known) => known !== undefined);
  if (meaning !== undefined) return fail(meaning.code, meaning.words);
  if (status === 401 || status === 403) return fail(REFUSED.code, REFUSED.words);
  const said = `HTTP ${String(status)}, code ${codes.length === 0 ? "none" : codes.join(" ")}`;
  if (status >= 200 && status < 300) {
    return fail("Unreachable", `the answer was no success (${said})`, refusal.isWrite);
  }
  return fail("Misconfigured", `Cloudflare refused with an error that is not known (${said})`);
}
