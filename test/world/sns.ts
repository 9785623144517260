import { ServiceError } from "./call.ts";
import type { Operations, Received } from "./caller.ts";
import { optionalText, page, structures, text } from "./input.ts";
import { uuid } from "./random.ts";
import type { SeededRandom } from "./random.ts";

export interface Publication {
  readonly topicArn: string;
  readonly subject: string | null;
  /** What mail and other readers without a text of their own get. */
  readonly message: string;
  /** What each protocol has of its own, where the message has a structure. */
  readonly byProtocol: Readonly<Record<string, string>>;
  readonly attributes: Readonly<Record<string, string>>;
  readonly atMs: number;
}

/** Somebody who hears a topic, or was asked whether they will. */
interface Subscription {
  readonly protocol: string;
  readonly endpoint: string;
  isConfirmed: boolean;
}

/** Source: SNS API, ListSubscriptionsByTopic. */
const SUBSCRIPTIONS_A_PAGE = 100;

const invalid = (why: string): ServiceError => new ServiceError("InvalidParameter", `Invalid parameter: ${why}`, 400);

/** Topics that keep what was published. Any topic exists, and all have the same subscriptions. */
export class Sns {
  readonly published: Publication[] = [];
  readonly subscriptions: Subscription[] = [{ protocol: "email", endpoint: "you@example.com", isConfirmed: true }];
  readonly operations: Operations;

  constructor(random: SeededRandom) {
    this.operations = {
      Publish: ({ input, nowMs }) => {
        const topicArn = text(input, "TopicArn");
        const told = { topicArn, subject: optionalText(input, "Subject"), atMs: nowMs };
        this.published.push({ ...told, ...messageOf(input), attributes: attributesOf(input) });
        return { MessageId: uuid(random) };
      },
      ListSubscriptionsByTopic: (received) => this.#list(received),
    };
  }

  #list({ input }: Received) {
    const TopicArn = text(input, "TopicArn");
    const [some, NextToken] = page(this.subscriptions, optionalText(input, "NextToken"), SUBSCRIPTIONS_A_PAGE);
    const Subscriptions = some.map(({ protocol, endpoint, isConfirmed }, index) => ({
      SubscriptionArn: isConfirmed ? `${TopicArn}:subscription-${String(index)}` : "PendingConfirmation",
      Protocol: protocol,
      Endpoint: endpoint,
      TopicArn,
    }));
    return { Subscriptions, NextToken };
  }
}

const MESSAGE_BYTES_MAX = 262_144;

/** With a structure the message is JSON of texts by protocol, and must have a default. Source: SNS API, Publish. */
function messageOf(input: Received["input"]): Pick<Publication, "message" | "byProtocol"> {
  const message = text(input, "Message");
  // Source: SNS API, Publish (Message): at most 256 KB in UTF-8, all texts of a structure together.
  if (Buffer.byteLength(message) > MESSAGE_BYTES_MAX) throw invalid("Message too long");
  if (optionalText(input, "MessageStructure") !== "json") return { message, byProtocol: {} };
  const parsed = parse(message);
  const texts = Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  const byProtocol = Object.fromEntries(texts);
  if (byProtocol["default"] === undefined) throw invalid("Message Structure - No default entry in JSON message body");
  return { message: byProtocol["email"] ?? byProtocol["default"], byProtocol };
}

function parse(message: string): object {
  try {
    return JSON.parse(message) as object;
  } catch {
    throw invalid("Message Structure - JSON message body failed to parse");
  }
}

function attributesOf(input: Received["input"]): Record<string, string> {
  const entries = structures(input, "MessageAttributes").map(({ Name, Value }) => {
    const { DataType, StringValue = "" } = Value as Readonly<Record<string, string>>;
    if (DataType !== "String" || StringValue === "") throw invalid(`the attribute ${String(Name)} must have a value`);
    return [String(Name), StringValue] as const;
  });
  return Object.fromEntries(entries);
}
