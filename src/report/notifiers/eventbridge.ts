import type { PutEvents } from "../../cloud/event-bus.ts";
import type { Notifier } from "../../rotation/world.ts";
import { toldOf } from "./parts/words.ts";

/** Sends each notice as one event, `keyturn.rotation.<Code>`, to an event bus. `docs/events.md` is its contract. */
export function createEventBridgeNotifier(put: PutEvents): Notifier {
  return {
    name: "eventbridge",
    notify: (notices) =>
      put(
        notices.map((notice) => ({ type: `keyturn.rotation.${notice.code}`, at: notice.at, detail: toldOf(notice) })),
      ),
  };
}
