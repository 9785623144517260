import { type Notice, NOTICES } from "../rotation/notice.ts";
import { days, describeMs, type Instant } from "../rotation/time.ts";
import type { Pause, SweepState, World } from "../rotation/world.ts";
import { report } from "./report.ts";

/** A pause is an operator's, who need not be reminded at once. */
const TOLD_AFTER_MS = days(1);

/**
 * Reminds people of a pause after a day, and then each week: also of that of a new or lost table, which begins when a sweep
 * first sees it. Gives the notifiers that failed; where all did, the next sweep tries again.
 */
export async function remindOfPause(
  world: Pick<World, "journal" | "notifiers" | "log">,
  { pause }: Pick<SweepState, "pause">,
  now: Instant,
): Promise<readonly string[]> {
  const { journal, notifiers } = world;
  if (pause === null) await journal.notePause({ since: now, reason: null, toldAt: null });
  if (pause === null || !isDue(pause, now)) return [];
  const failed = await report(world, [noticeOf(pause, now)]);
  if (notifiers.length === 0 || failed.length < notifiers.length) await journal.notePause({ ...pause, toldAt: now });
  return failed;
}

function isDue({ since, toldAt }: Pause, now: Instant): boolean {
  if (toldAt === null) return now - since >= TOLD_AFTER_MS;
  return now - toldAt >= (NOTICES.Paused?.againAfterMs ?? TOLD_AFTER_MS);
}

function noticeOf({ since, reason }: Pause, at: Instant): Notice {
  const why = reason ?? "the table is new or was lost, and nobody has said resume";
  const { severity = "warning", advice = "" } = NOTICES.Paused ?? {};
  const text = `Keyturn is paused for ${describeMs(at - since)}: ${why}`;
  return { code: "Paused", severity, user: null, at, text, advice, dedupeKey: "Paused" };
}
