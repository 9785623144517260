import { type Notice, NOTICES } from "../rotation/notice.ts";
import type { NoticeRecord } from "../rotation/record.ts";
import { hours, type Instant } from "../rotation/time.ts";

/** What comes back within this time had not gone: a state that comes and goes is told once. */
const FORGOTTEN_AFTER_MS = hours(24);
/** How exactly it is known when a notice was last seen: a state that lasts is not a reason to write each hour. */
const SEEN_WITHIN_MS = hours(6);

type Records = Readonly<Record<string, NoticeRecord>>;

/**
 * Which of these notices are new, or have lasted long enough to be said again, and what to remember of them all.
 * Whoever keeps the records before the notices were sent says nothing twice; whoever keeps them afterwards loses none.
 */
export function remember(
  records: Records,
  notices: readonly Notice[],
  now: Instant,
): { readonly toSay: readonly Notice[]; readonly records: Records } {
  const toSay = notices.filter((notice) => isToBeSaid(notice, records[notice.dedupeKey], now));
  const kept = Object.entries(records).filter(([, record]) => now - record.seenAt < FORGOTTEN_AFTER_MS);
  const seen = notices.map(({ dedupeKey }): [string, NoticeRecord] => {
    const before = records[dedupeKey];
    const isSaid = toSay.some((notice) => notice.dedupeKey === dedupeKey);
    const saidAt = before === undefined || isSaid ? now : before.saidAt;
    const isFresh = before !== undefined && now - before.seenAt < SEEN_WITHIN_MS;
    const seenAt = isFresh ? before.seenAt : now;
    return [dedupeKey, { firstAt: before?.firstAt ?? now, saidAt, seenAt }];
  });
  return { toSay, records: Object.fromEntries([...kept, ...seen]) };
}

function isToBeSaid({ code }: Notice, before: NoticeRecord | undefined, now: Instant): boolean {
  if (before === undefined) return true;
  const againAfterMs = NOTICES[code]?.againAfterMs ?? null;
  return againAfterMs !== null && now - before.saidAt >= againAfterMs;
}
