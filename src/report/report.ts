import { asRotationError } from "../rotation/errors.ts";
import type { Notice } from "../rotation/notice.ts";
import type { UserRecord } from "../rotation/record.ts";
import type { World } from "../rotation/world.ts";
import { type Findings, noticesOf } from "./notices.ts";
import { remember } from "./remember.ts";

type Ways = Pick<World, "notifiers" | "log">;

/** Says what is new or due again, and gives back what to remember of it. Never throws. */
export async function tell(
  world: Ways,
  findings: Findings,
  known: UserRecord["notices"],
): Promise<{ readonly records: UserRecord["notices"]; readonly failed: readonly string[] }> {
  const { toSay, records } = remember(known, noticesOf(findings), findings.now);
  // Sent before they are written down: whoever dies in between says them twice rather than never.
  const failed = await report(world, toSay);
  const isUnsaid = toSay.length > 0 && failed.length === world.notifiers.length;
  return { records: isUnsaid ? known : records, failed };
}

/** Sends the notices to every notifier, and names those that failed. Never throws, and changes no decision. */
export async function report({ notifiers, log }: Ways, notices: readonly Notice[]): Promise<readonly string[]> {
  if (notices.length === 0) return [];
  const failed = notifiers.map(async (notifier) => {
    const { name } = notifier;
    try {
      await notifier.notify(notices);
      return [];
    } catch (thrown) {
      const error = asRotationError(thrown, `notifying by ${name}`);
      const unsaid = notices.map(({ user, dedupeKey }) => `${user} ${dedupeKey}`);
      log.event("error", "a notifier failed", { notifier: name, error, notices: unsaid });
      return [name];
    }
  });
  return (await Promise.all(failed)).flat();
}
