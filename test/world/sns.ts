import type { Operations } from "./caller.ts";
import { optionalText, text } from "./input.ts";
import { uuid } from "./random.ts";
import type { SeededRandom } from "./random.ts";

export interface Publication {
  readonly topicArn: string;
  readonly subject: string | null;
  readonly message: string;
  readonly atMs: number;
}

/** Topics that keep what was published. Any topic exists. */
export class Sns {
  readonly published: Publication[] = [];
  readonly operations: Operations;

  constructor(random: SeededRandom) {
    this.operations = {
      Publish: ({ input, nowMs }) => {
        this.published.push({
          topicArn: text(input, "TopicArn"),
          subject: optionalText(input, "Subject"),
          message: text(input, "Message"),
          atMs: nowMs,
        });
        return { MessageId: uuid(random) };
      },
    };
  }
}
