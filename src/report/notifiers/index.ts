import type { Publish } from "../../cloud/sns.ts";
import type { Notifier } from "../../rotation/world.ts";
import { createSnsNotifier } from "./sns.ts";

/** Every notifier. One line here and one file beside this one make another. */
export function createNotifiers({ publish }: { readonly publish: Publish }): readonly Notifier[] {
  return [createSnsNotifier(publish)];
}
