import type { RequestListener } from "node:http";
import type { SimulatedClock } from "./clock.ts";

export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly Readonly<Record<string, unknown>>[];
}

/** Source: Slack API, Block Kit: blocks of a message, characters of a text, elements of a context. */
const BLOCKS_MAX = 50;
const TEXT_LENGTH_MAX = 3_000;
const ELEMENTS_MAX = 10;
/** Source: Slack API, rate limits: one message a second for each webhook, a short burst above it. */
const BURST_MAX = 3;
const SECOND_MS = 1_000;

/** One incoming webhook, and the channel behind it. */
export class Slack {
  readonly path = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX";
  readonly messages: SlackMessage[] = [];
  /** What the webhook answers instead, such as 404 and "no_service" once it was taken away; null: it posts. */
  trouble: { readonly status: number; readonly word: string } | null = null;
  isThrottling = false;
  requests = 0;
  readonly #clock: Pick<SimulatedClock, "now">;
  #postedAtMs: number[] = [];

  constructor(clock: Pick<SimulatedClock, "now">) {
    this.#clock = clock;
  }

  readonly handler: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const [status, word] = this.#answer(request.url === this.path, Buffer.concat(chunks).toString("utf8"));
      if (status === 429) response.setHeader("retry-after", "1");
      response.writeHead(status, { "content-type": "text/html" }).end(word);
    });
  };

  /** Source: Slack API, incoming webhooks, handling errors: a status, and one word as plain text. */
  #answer(isOurs: boolean, body: string): readonly [number, string] {
    this.requests += 1;
    if (!isOurs) return [403, "invalid_token"];
    if (this.trouble !== null) return [this.trouble.status, this.trouble.word];
    this.#postedAtMs = this.#postedAtMs.filter((atMs) => atMs > this.#clock.now() - SECOND_MS);
    if (this.isThrottling && this.#postedAtMs.length >= BURST_MAX) return [429, "rate_limited"];
    const message = parse(body);
    if (message === null) return [400, "invalid_payload"];
    if (message.blocks.length > BLOCKS_MAX || !message.blocks.every(isGoodBlock)) return [400, "invalid_blocks"];
    if (message.text === "" && message.blocks.length === 0) return [400, "no_text"];
    this.#postedAtMs.push(this.#clock.now());
    this.messages.push(message);
    return [200, "ok"];
  }
}

function parse(body: string): SlackMessage | null {
  try {
    const { text = "", blocks = [] } = JSON.parse(body) as Partial<SlackMessage>;
    return { text, blocks };
  } catch {
    return null;
  }
}

type TextObject = { readonly type?: string; readonly text?: string };

function isGoodBlock({ type, text, elements }: Readonly<Record<string, unknown>>): boolean {
  if (type === "section") return isGoodText(text as TextObject);
  const parts = elements as readonly TextObject[];
  return type === "context" && parts.length >= 1 && parts.length <= ELEMENTS_MAX && parts.every(isGoodText);
}

/** An ampersand or a bracket that is not escaped begins what Slack would read as a link or a mention. */
function isGoodText({ type, text = "" }: TextObject): boolean {
  const isEscaped = !/[<>]|&(?!amp;|lt;|gt;)/.test(text);
  return type === "mrkdwn" && text.length >= 1 && text.length <= TEXT_LENGTH_MAX && isEscaped;
}
