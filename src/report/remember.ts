import { type Notice, NOTICES } from "../rotation/notice.ts";
import type { NoticeRecord } from "../rotation/record.ts";
import { hours, type Instant } from "../rotation/time.ts";

/** What comes back within this time had not gone: a state that comes and goes is told once. */
const FORGOTTEN_AFTER_MS = hours(24);
/** How exactly it is known when a notice was last seen: a state that lasts is not a reason to write each hour. */
const SEEN_WITHIN_MS = hours(6);

type Records = Readonly<Record<string, NoticeRecord>>;

/** What is new or due again, and what to remember. Kept before sending nothing is said twice, after it none is lost. */
export function remember(
  records: Records,
  notices: readonly Notice[],
  now: Instant,
): { readonly toSay: readonly Notice[]; readonly records: Records } {
  const toSay = notices.filter((notice) => isToBeSaid(notice, records[notice.dedupeKey], now));
  const kept = Object.entries(records).filter(([, record]) => now - record.seenAt < FORGOTTEN_AFTER_MS);
  const seen = notices.map((notice): [string, NoticeRecord] => {
    const before = records[notice.dedupeKey];
    const saidAt = before === undefined || toSay.includes(notice) ? now : before.saidAt;
    const isFresh = before !== undefined && now - before.seenAt < SEEN_WITHIN_MS;
    return [notice.dedupeKey, { saidAt, seenAt: isFresh ? before.seenAt : now }];
  });
  return { toSay, records: Object.fromEntries([...kept, ...seen]) };
}

function isToBeSaid({ code }: Notice, before: NoticeRecord | undefined, now: Instant): boolean {
  if (before === undefined) return true;
  const againAfterMs = NOTICES[code]?.againAfterMs ?? null;
  return againAfterMs !== null && now - before.saidAt >= againAfterMs;
}
