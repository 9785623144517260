import type { PostToSlack } from "../../cloud/slack.ts";
import type { Notice, Severity } from "../../rotation/notice.ts";
import type { Notifier } from "../../rotation/world.ts";
import { factsOf, inWords, shortened } from "./parts/words.ts";

/** Of one message; and a notice takes two of them. Source: Slack API, Block Kit, blocks. */
const BLOCKS_MAX = 50;
/** Of a text in a block, counted after the escapes. Source: Slack API, text object. */
const TEXT_LENGTH_MAX = 3_000;
const SAID_LENGTH_MAX = 2_400;

/** Else a plain "@channel" or an address, as in the reason of a hold, becomes a mention or a link. Source: Slack API, text object. */
const MARKDOWN = { type: "mrkdwn", verbatim: true };

const SIGN: Record<Severity, string> = { urgent: ":rotating_light:", warning: ":warning:", info: ":white_check_mark:" };

/** Posts notices to the channel of an incoming webhook, as many in one message as it takes. */
export function createSlackNotifier(post: PostToSlack): Notifier {
  return {
    name: "slack",
    async notify(notices) {
      const perMessage = BLOCKS_MAX / 2;
      for (let start = 0; start < notices.length; start += perMessage) {
        const some = notices.slice(start, start + perMessage);
        // The text is what a phone shows before the message is opened.
        await post({ text: some.map(titleOf).join("\n").slice(0, TEXT_LENGTH_MAX), blocks: some.flatMap(blocksOf) });
      }
    },
  };
}

/** Source: Slack API, formatting: these three characters, and no others, are escaped. */
const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Leaves room for title and advice. An escape that was cut in two goes whole. */
const clipped = (text: string): string => shortened(escaped(text), SAID_LENGTH_MAX).replace(/&\w*…$/, "…");

function titleOf({ severity, user, code, isOver }: Notice): string {
  return `${isOver ? SIGN.info : SIGN[severity]} ${escaped(user ?? "the service")}: ${inWords(code)}${isOver ? ", over" : ""}`;
}

function blocksOf(notice: Notice): readonly object[] {
  const said = `*${titleOf(notice)}*\n${clipped(notice.text)}\n*What to do:* ${escaped(notice.advice)}`;
  const facts = factsOf(notice).map(([name, value]) => `*${name}:* ${escaped(value)}`);
  return [
    { type: "section", text: { ...MARKDOWN, text: said } },
    { type: "context", elements: [{ ...MARKDOWN, text: facts.join("\n").slice(0, TEXT_LENGTH_MAX) }] },
  ];
}
