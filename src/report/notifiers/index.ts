import type { PutEvents } from "../../cloud/event-bus.ts";
import type { PostToSlack } from "../../cloud/slack.ts";
import type { Topic } from "../../cloud/sns.ts";
import type { Notifier } from "../../rotation/world.ts";
import { createEventBridgeNotifier } from "./eventbridge.ts";
import { createSlackNotifier } from "./slack.ts";
import { createSnsNotifier } from "./sns.ts";

/** What each kind needs to be told in `keyturn.config.ts`. */
export type NotifierOptions =
  | { readonly kind: "sns" }
  /** The secret in Secrets Manager that holds the address of an incoming webhook. */
  | { readonly kind: "slack"; readonly webhook: string }
  | { readonly kind: "eventbridge"; readonly bus: string };

/** The services behind them. */
export interface NotifierClients {
  readonly topic: Topic;
  readonly slack: (webhook: string) => PostToSlack;
  readonly bus: (name: string) => PutEvents;
}

/** Makes one notifier. One case here and one file beside this one make another kind. */
export function createNotifier(options: NotifierOptions, { topic, slack, bus }: NotifierClients): Notifier {
  switch (options.kind) {
    case "sns":
      return createSnsNotifier(topic);
    case "slack":
      return createSlackNotifier(slack(options.webhook));
    case "eventbridge":
      return createEventBridgeNotifier(bus(options.bus));
  }
}
