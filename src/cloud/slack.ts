import { RotationError, type RotationErrorCode } from "../rotation/errors.ts";
import type { Secret } from "../rotation/secret.ts";
import type { Clock } from "../rotation/world.ts";
import { retryAfterMsOf } from "./translate-error.ts";

const TRIES_MAX = 3;
/** A longer wait is left to the next sweep: others wait for this one. */
const WAIT_MAX_MS = 10_000;
/** Where Slack does not say how long. Its webhooks take one message a second. Source: Slack API, rate limits. */
const WAIT_MS = 1_000;

interface SlackOptions {
  /** Reads the webhook's URL, which is a secret: whoever has it may post. */
  readonly readWebhook: () => Promise<Secret>;
  /** Of one request, answer included. */
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "sleep">;
}

/** Posts one message to a channel; again only when Slack said that it was one too many. Throws `RotationError`. */
export type PostToSlack = (message: object) => Promise<void>;

const DOING = "posting to Slack";

export function createSlack({ readWebhook, timeoutMs, clock }: SlackOptions): PostToSlack {
  let webhook: Secret | null = null;
  return async (message) => {
    webhook ??= await readUrl(readWebhook);
    const url = webhook.reveal();
    for (let tried = 1; ; tried += 1) {
      // What fetch says may quote the URL: its error goes no further.
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(message),
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      })
        .then(async (response) => ({ ...headOf(response), text: await response.text() }))
        .catch(() => null);
      if (answer === null) throw new RotationError("Unreachable", `${DOING}, no answer`, { outcomeUnknown: true });
      if (answer.status === 200) return;
      const waitMs = answer.retryAfterMs ?? WAIT_MS;
      if (answer.status !== 429 || tried === TRIES_MAX || waitMs > WAIT_MAX_MS) throw refused(answer);
      await clock.sleep(waitMs);
    }
  };
}

/** In the clear only as far as this machine's own loopback. */
async function readUrl(readWebhook: SlackOptions["readWebhook"]): Promise<Secret> {
  const webhook = await readWebhook();
  if (/^(https:\/\/|http:\/\/127\.0\.0\.1:)\S+$/.test(webhook.reveal())) return webhook;
  throw new RotationError("Misconfigured", `${DOING}, the secret holds no https address`);
}

const headOf = ({ status, headers }: Response) => ({
  status,
  retryAfterMs: retryAfterMsOf(headers.get("retry-after")),
});

/** Slack answers a plain word, such as "no_service". Source: Slack API, incoming webhooks, handling errors. */
function refused({
  status,
  text,
  retryAfterMs,
}: {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs: number | null;
}) {
  const word = /^\w{1,40}$/.test(text) ? text : "an answer of another kind";
  return new RotationError(codeOf(status), `${DOING}, HTTP ${String(status)}: ${word}`, { retryAfterMs });
}

function codeOf(status: number): RotationErrorCode {
  if (status === 429) return "Throttled";
  if (status >= 500) return "Unreachable";
  if (status === 403) return "Denied";
  return status === 404 || status === 410 ? "NotFound" : "Misconfigured";
}
