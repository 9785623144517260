import { PublishCommand } from "@aws-sdk/client-sns";
import type { Identity } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import { asking } from "./translate-error.ts";

/** What SNS takes as the subject of an e-mail: at most 100 characters of printable ASCII. */
const SUBJECT_LENGTH_MAX = 100;

/** One message of a topic. */
export type Publication = { readonly subject: string; readonly message: string };

export type Publish = (publication: Publication) => Promise<void>;

/** Publishes to the topic of this name in our own account and Region. A subject that SNS would refuse is made to fit. */
export function createPublisher(clients: Clients, topic: string, identity: Identity): Publish {
  return async ({ subject, message }) => {
    const { account, principalArn } = await identity.read();
    const [, partition = "aws"] = principalArn.split(":");
    const command = new PublishCommand({
      TopicArn: `arn:${partition}:sns:${clients.region}:${account}:${topic}`,
      Subject: subject.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, SUBJECT_LENGTH_MAX),
      Message: message,
    });
    await asking(`publishing to ${topic}`, clients.sns.send(command));
  };
}
