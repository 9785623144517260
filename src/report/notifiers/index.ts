import type { Notifier } from "../../rotation/world.ts";
import { createSnsNotifier, type Publication } from "./sns.ts";

/** What notifiers are made with. */
export interface NotifierClients {
  /** Publishes to the topic of this deployment. */
  publish(publication: Publication): Promise<void>;
}

/** Every notifier. One line here and one file beside this one make another. */
export function createNotifiers(clients: NotifierClients): readonly Notifier[] {
  return [createSnsNotifier((publication) => clients.publish(publication))];
}
