import { type Notice, type NoticeCode, NOTICES } from "../rotation/notice.ts";
import type { NoticeRecord } from "../rotation/record.ts";
import { describeMs, hours, instant, type Instant } from "../rotation/time.ts";

/** What comes back within this time had not gone: a state that comes and goes is told once. */
const FORGOTTEN_AFTER_MS = hours(24);
/** How exactly it is known when a notice was last seen: a state that lasts is not a reason to write each hour. */
const SEEN_WITHIN_MS = hours(6);

type Records = Readonly<Record<string, NoticeRecord>>;

/** When a look was made, and whether it saw all that a notice could come from. */
export interface Look {
  readonly now: Instant;
  readonly isWhole: boolean;
  /** What it did not ask about, although it saw all else. */
  readonly unseen?: readonly NoticeCode[];
}

interface Remembered {
  readonly toSay: readonly Notice[];
  readonly records: Records;
  /** What lasts, as it is now, since when, and whether it is to be said or not. */
  readonly open: readonly Notice[];
}

/**
 * What is new, due again or over, and what to remember. Kept before sending nothing is said twice, after it none is
 * lost. A look that did not see everything ends nothing.
 */
export function remember(
  records: Records,
  notices: readonly Notice[],
  { now, isWhole, unseen = [] }: Look,
): Remembered {
  const entries = Object.entries(records);
  const topics = entries.map(([key, record]): Topic => ({ ...record, topic: topicOf(key) }));
  const dated = notices.map((notice) => datedBy(topics, notice));
  const isSeen = (key: string): boolean => dated.some(({ dedupeKey }) => topicOf(dedupeKey) === topicOf(key));
  const isSure = (key: string): boolean => isWhole && !unseen.includes(codeOf(key));
  const kept = entries.filter(([key, { seenAt }]) => !isSure(key) || now - seenAt < FORGOTTEN_AFTER_MS);
  const gone = entries.filter((entry) => !kept.includes(entry) && !isSeen(entry[0]));
  const seen = dated.map((notice): [string, NoticeRecord] => {
    const before = records[notice.dedupeKey];
    const saidAt = before === undefined || isToBeSaid(notice, before, now) ? now : before.saidAt;
    const isFresh = before !== undefined && now - before.seenAt < SEEN_WITHIN_MS;
    return [notice.dedupeKey, { saidAt, seenAt: isFresh ? before.seenAt : now, since: notice.since ?? now }];
  });
  const toSay = dated.filter((notice) => isToBeSaid(notice, records[notice.dedupeKey], now));
  const over = gone.flatMap(([key, record]) => closing(key, record, now));
  const open = dated.filter(({ code }) => NOTICES[code]?.lasts === true);
  return { toSay: [...toSay, ...over], records: Object.fromEntries([...kept, ...seen]), open };
}

/** The deadlines of one key are one state: a later one does not end it. */
const topicOf = (dedupeKey: string): string => dedupeKey.replace(/:(soon|week \d+)$/, "");

/** What a dedupe key begins with. */
export const codeOf = (dedupeKey: string): NoticeCode => dedupeKey.split(":", 1)[0] as NoticeCode;

type Topic = NoticeRecord & { readonly topic: string };

/** The notice, with since when it is known. */
function datedBy(topics: readonly Topic[], notice: Notice): Notice {
  const about = topicOf(notice.dedupeKey);
  const known = topics.filter(({ topic }) => topic === about).map(({ since, saidAt }) => since ?? saidAt);
  return known.length === 0 ? notice : { ...notice, since: instant(Math.min(...known)) };
}

function isToBeSaid({ code }: Notice, before: NoticeRecord | undefined, now: Instant): boolean {
  if (before === undefined) return true;
  const againAfterMs = NOTICES[code]?.againAfterMs ?? null;
  return againAfterMs !== null && now - before.saidAt >= againAfterMs;
}

/** The end of a state that was told. The severity stays, so that it reaches whoever was told of the beginning. */
function closing(dedupeKey: string, { saidAt, seenAt, since = saidAt }: NoticeRecord, now: Instant): Notice[] {
  const code = codeOf(dedupeKey);
  const entry = NOTICES[code];
  if (entry?.lasts !== true) return [];
  const about = dedupeKey.slice(code.length + 1).replaceAll(",", ", ");
  const was = `was told on ${new Date(since).toISOString()}, and was last seen ${describeMs(now - seenAt)} ago`;
  const text = `This is over${about === "" ? "" : ` (${about})`}: it ${was}.`;
  const said = { code, severity: entry.severity, user: null, at: now, text, advice: "Nothing to do." };
  return [{ ...said, dedupeKey, since, move: "nobody", isOver: true }];
}
