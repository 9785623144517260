import { PublishCommand } from "@aws-sdk/client-sns";
import { RotationError } from "../rotation/errors.ts";
import type { Clients } from "./clients.ts";
import { asking } from "./translate-error.ts";

/** What SNS takes as the subject of an e-mail: at most 100 characters of printable ASCII. */
const SUBJECT_LENGTH_MAX = 100;

interface Publication {
  readonly subject: string;
  readonly message: string;
}

/**
 * Publishes to a topic, in the Region that its ARN names. A subject that SNS would refuse is cut to fit, and what is
 * not ASCII in it becomes a question mark. Throws `Misconfigured` when the ARN names no Region.
 */
export function createPublisher(clients: Clients, topicArn: string): (publication: Publication) => Promise<void> {
  const region = topicArn.split(":")[3];
  return async ({ subject, message }) => {
    if (region === undefined || region === "") {
      throw new RotationError("Misconfigured", `publishing to ${topicArn}, it is no topic's ARN`);
    }
    const command = new PublishCommand({
      TopicArn: topicArn,
      Subject: subject.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, SUBJECT_LENGTH_MAX),
      Message: message,
    });
    await asking(`publishing to ${topicArn}`, clients.snsIn(region).send(command));
  };
}
