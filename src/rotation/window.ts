import { hours, type Instant, instant, minutes, plus } from "./time.ts";

/** When delivering, promoting and deactivating may happen, by the clocks of one place. */
export interface Window {
  /** As the profile spells it: "Mon-Thu 09:00-16:00 Europe/Berlin". */
  readonly text: string;
  /** The days on which it opens, Monday first. */
  readonly opensOn: readonly boolean[];
  /** Minutes after midnight. Where `to` is not later than `from`, it closes on the next day. */
  readonly from: number;
  readonly to: number;
  readonly timeZone: string;
}

export const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MINUTES_A_DAY = 1_440;
const MINUTES_A_WEEK = 7 * MINUTES_A_DAY;
/** Clocks are changed by an hour, in a few places by half of one. */
const CLOCK_CHANGE_MS = hours(1);
const STRIDE_MS = minutes(30);
/** A week and a day of them. */
const STRIDES_MAX = 384;

/** What the clocks of a place show. */
interface WallTime {
  /** Monday is 0. */
  readonly weekday: number;
  readonly minute: number;
  readonly text: string;
}

/** Null while the window is open; else when it opens next, to the minute. */
export function opensAt(window: Window, now: Instant): Instant | null {
  if (isOpen(window, now)) return null;
  const minute = instant(Math.floor(now / minutes(1)) * minutes(1));
  const byCalendar = plus(minute, minutes(minutesUntilStart(window, minute)));
  // Where the clocks are not changed on the way, that is the opening.
  if (minutesUntilStart(window, byCalendar) === 0) return byCalendar;
  // Else it is close to it, and is looked for by the clocks.
  const nearMs = byCalendar - minute - 2 * CLOCK_CHANGE_MS;
  let closed = plus(minute, Math.max(0, nearMs));
  let open = closed;
  // It stays open for longer than a stride, and so none steps over it.
  for (let strides = 0; strides < STRIDES_MAX && !isOpen(window, open); strides += 1) {
    closed = open;
    open = plus(open, STRIDE_MS);
  }
  while (open - closed > minutes(1)) {
    const middle = plus(closed, Math.floor((open - closed) / minutes(2)) * minutes(1));
    if (isOpen(window, middle)) open = middle;
    else closed = middle;
  }
  return open;
}

function minutesUntilStart(window: Window, at: Instant): number {
  const { weekday, minute } = wallTime(window, at);
  const passed = weekday * MINUTES_A_DAY + minute;
  return Math.min(...startsOf(window).map((start) => (start - passed + MINUTES_A_WEEK) % MINUTES_A_WEEK));
}

/** The longest time for which the window may stay closed: by the calendar, and an hour for a change of the clocks. */
export function longestGapMs(window: Window | null): number {
  if (window === null) return 0;
  const starts = startsOf(window);
  const gaps = starts.map((start, index) => {
    const next = starts[index + 1] ?? (starts[0] ?? 0) + MINUTES_A_WEEK;
    return next - start - lengthOf(window);
  });
  return minutes(Math.max(...gaps)) + CLOCK_CHANGE_MS;
}

/** For how many minutes it stays open at a time. */
export const lengthOf = ({ from, to }: Window): number => (to > from ? to - from : to - from + MINUTES_A_DAY);

/** "Mon 2026-03-30 09:00 (Europe/Berlin)". */
export const spellIn = (window: Window, at: Instant): string => `${wallTime(window, at).text} (${window.timeZone})`;

/** When the window opens, in minutes after the midnight on which a Monday begins. */
function startsOf({ opensOn, from }: Window): readonly number[] {
  return opensOn.flatMap((opens, day) => (opens ? [day * MINUTES_A_DAY + from] : []));
}

function isOpen(window: Window, at: Instant): boolean {
  const { opensOn, from, to } = window;
  const { weekday, minute } = wallTime(window, at);
  const opened = opensOn[weekday] === true && minute >= from;
  if (to > from) return opened && minute < to;
  return opened || (opensOn[(weekday + 6) % 7] === true && minute < to);
}

const CLOCKS = new Map<string, Intl.DateTimeFormat>();
/** What they showed: a decision asks of the same few minutes again and again. */
const SHOWN = new Map<string, WallTime>();
const SHOWN_MAX = 1_000;

function wallTime({ timeZone }: Window, at: Instant): WallTime {
  const asked = `${String(Math.floor(at / minutes(1)))} ${timeZone}`;
  const shown = SHOWN.get(asked) ?? read(timeZone, at);
  if (SHOWN.size >= SHOWN_MAX) SHOWN.clear();
  SHOWN.set(asked, shown);
  return shown;
}

function read(timeZone: string, at: Instant): WallTime {
  const clock = CLOCKS.get(timeZone) ?? clockOf(timeZone);
  CLOCKS.set(timeZone, clock);
  const parts = Object.fromEntries(clock.formatToParts(at).map(({ type, value }) => [type, value]));
  const { weekday = "", year = "", month = "", day = "", hour = "", minute = "" } = parts;
  const text = `${weekday} ${year}-${month}-${day} ${hour}:${minute}`;
  return { weekday: WEEKDAYS.indexOf(weekday), minute: Number(hour) * 60 + Number(minute), text };
}

/** Throws a RangeError for a time zone that nobody knows. */
export function clockOf(timeZone: string): Intl.DateTimeFormat {
  const date = { weekday: "short", year: "numeric", month: "2-digit", day: "2-digit" } as const;
  return new Intl.DateTimeFormat("en-US", { ...date, hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone });
}
