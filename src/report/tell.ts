import type { UserRecord } from "../rotation/record.ts";
import type { World } from "../rotation/world.ts";
import type { Findings } from "./notices.ts";
import { noticesOf } from "./notices.ts";
import { remember } from "./remember.ts";
import { report } from "./report.ts";

/** Says what is new or due again, and gives back what to remember of it. Never throws. */
export async function tell(
  world: Pick<World, "notifiers" | "log">,
  findings: Findings,
  known: UserRecord["notices"],
): Promise<{ readonly records: UserRecord["notices"]; readonly failed: readonly string[] }> {
  const { toSay, records } = remember(known, noticesOf(findings), findings.now);
  // Sent before they are written down: whoever dies in between says them twice rather than never.
  const { failed } = await report(world, toSay);
  const isUnsaid = toSay.length > 0 && failed.length === world.notifiers.length;
  return { records: isUnsaid ? known : records, failed };
}
