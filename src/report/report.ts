import { asRotationError } from "../rotation/errors.ts";
import type { Notice } from "../rotation/notice.ts";
import type { World } from "../rotation/world.ts";

/**
 * Sends the notices to every notifier. Never throws, and never changes what was decided: a notifier that fails is
 * logged and named in the answer. Each call to the outside ends by itself within its own time-out.
 */
export async function report(
  world: Pick<World, "notifiers" | "log">,
  notices: readonly Notice[],
): Promise<{ readonly failed: readonly string[] }> {
  if (notices.length === 0) return { failed: [] };
  const sent = await Promise.all(
    world.notifiers.map(async (notifier) => {
      try {
        await notifier.notify(notices);
        return [];
      } catch (thrown) {
        const error = asRotationError(thrown, `notifying by ${notifier.name}`);
        world.log.event("error", "a notifier failed", {
          notifier: notifier.name,
          error,
          notices: notices.map((notice) => `${notice.user} ${notice.dedupeKey}`),
        });
        return [notifier.name];
      }
    }),
  );
  return { failed: sent.flat() };
}
