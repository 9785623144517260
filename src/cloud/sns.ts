import { paginateListSubscriptionsByTopic, PublishCommand } from "@aws-sdk/client-sns";
import type { Identity } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import { readPages } from "./pages.ts";
import { asking } from "./translate-error.ts";

/** What SNS takes as the subject of an e-mail: at most 100 characters of printable ASCII. */
const SUBJECT_LENGTH_MAX = 100;
/** The protocols behind which a program listens; every other gets the text. Source: SNS API, Publish (MessageStructure). */
const PROGRAMS = ["sqs", "lambda", "http", "https"];

/** One message of a topic. */
export interface Publication {
  readonly subject: string;
  readonly message: string;
  /** What programs get in the message's place. */
  readonly json?: string;
  /** For the filters of subscriptions. None may be empty. */
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface Topic {
  /** Publishes. A subject that SNS would refuse is made to fit. */
  readonly publish: (publication: Publication) => Promise<void>;
  /** Why nobody hears what is published; null where somebody does. */
  readonly whyUnheard: () => Promise<string | null>;
}

/** The topic of this name in our own account and Region. */
export function createTopic(clients: Clients, topic: string, identity: Identity): Topic {
  const arn = async (): Promise<string> => {
    const { account, principalArn } = await identity.read();
    const [, partition = "aws"] = principalArn.split(":");
    return `arn:${partition}:sns:${clients.region}:${account}:${topic}`;
  };
  return {
    async publish({ subject, message, json, attributes = {} }) {
      const texts = { default: message, ...Object.fromEntries(PROGRAMS.map((protocol) => [protocol, json])) };
      const body =
        json === undefined ? { Message: message } : { Message: JSON.stringify(texts), MessageStructure: "json" };
      const valued = Object.entries(attributes).map(([name, StringValue]) => [
        name,
        { DataType: "String", StringValue },
      ]);
      const command = new PublishCommand({
        TopicArn: await arn(),
        Subject: subject.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, SUBJECT_LENGTH_MAX),
        ...body,
        MessageAttributes: Object.fromEntries(valued) as Record<string, { DataType: string; StringValue: string }>,
      });
      await asking(`publishing to ${topic}`, clients.sns.send(command));
    },
    async whyUnheard() {
      const doing = `listing who has subscribed to ${topic}`;
      const pages = await readPages(
        doing,
        paginateListSubscriptionsByTopic({ client: clients.sns }, { TopicArn: await arn() }),
      );
      const arns = pages
        .flatMap(({ Subscriptions = [] }) => Subscriptions)
        .map(({ SubscriptionArn }) => SubscriptionArn);
      // Until it is confirmed, "PendingConfirmation" stands in the ARN's place. Source: SNS API, ListSubscriptionsByTopic.
      if (arns.some((known) => known?.startsWith("arn:"))) return null;
      return arns.length === 0
        ? `nobody has subscribed to ${topic}`
        : `nobody has confirmed a subscription to ${topic}`;
    },
  };
}
