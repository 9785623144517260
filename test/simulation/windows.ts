import { days, hours, minutes } from "../../src/rotation/time.ts";
import type { Profile } from "../../src/rotation/policy.ts";
import type { Window } from "../../src/rotation/window.ts";
import type { Dice } from "./dice.ts";

/** By what the clocks of a place are ahead of UTC, in minutes, and until when; the spring of 2026 by hand, for no code is asked. */
const AHEAD: Readonly<Record<string, readonly (readonly [untilMs: number, minutes: number])[]>> = {
  UTC: [[Infinity, 0]],
  "Asia/Kolkata": [[Infinity, 330]],
  "Europe/Berlin": [
    [Date.UTC(2026, 2, 29, 1), 60],
    [Infinity, 120],
  ],
  "America/New_York": [
    [Date.UTC(2026, 2, 8, 7), -300],
    [Infinity, -240],
  ],
};

const WORKDAYS = [true, true, true, true, true, false, false];
const EVERY_DAY = WORKDAYS.map(() => true);
const ON_TUESDAY = WORKDAYS.map((_, day) => day === 1);
const AT_WEEKENDS = WORKDAYS.map((isWorkday) => !isWorkday);

const WINDOWS: readonly Window[] = [
  spelled("Mon-Fri 09:00-16:00 Europe/Berlin", WORKDAYS, [540, 960]),
  spelled("Mon-Fri 08:00-18:00 America/New_York", WORKDAYS, [480, 1_080]),
  spelled("Mon-Sun 22:00-04:00 UTC", EVERY_DAY, [1_320, 240]),
  spelled("Sat,Sun 01:00-05:00 Europe/Berlin", AT_WEEKENDS, [60, 300]),
  spelled("Tue 08:00-16:00 Asia/Kolkata", ON_TUESDAY, [480, 960]),
];

function spelled(text: string, opensOn: readonly boolean[], [from, to]: readonly [number, number]): Window {
  return { text, opensOn, from, to, timeZone: text.split(" ").at(-1) ?? "" };
}

/** So many profiles have a window. */
const WINDOWED = 0.25;

/** The profile with a window, perhaps, and with the time that it takes: both sums of a profile count its gap twice. */
export function withWindow(dice: Dice, profile: Profile): Profile {
  if (!dice.chance(WINDOWED)) return profile;
  const window = dice.pick(WINDOWS);
  const { policy } = profile;
  const twiceMs = 2 * gapMs(window);
  const [rotateAfterMs, maxAgeMs] = [policy.rotateAfterMs + twiceMs, policy.maxAgeMs + 2 * twiceMs];
  return { ...profile, policy: { ...policy, window, rotateAfterMs, maxAgeMs } };
}

/** Whether it is open, by the clocks of its place. */
export function isOpenAt({ timeZone, opensOn, from, to }: Window, atMs: number): boolean {
  const ahead = (AHEAD[timeZone] ?? []).find(([untilMs]) => atMs < untilMs)?.[1] ?? 0;
  const wallMs = atMs + minutes(ahead);
  const minute = Math.floor((wallMs % days(1)) / minutes(1));
  // 1970-01-01 was a Thursday.
  const weekday = (Math.floor(wallMs / days(1)) + 3) % 7;
  const isToday = opensOn[weekday] === true && minute >= from;
  if (to > from) return isToday && minute < to;
  return isToday || (opensOn[(weekday + 6) % 7] === true && minute < to);
}

/** The longest time for which it is closed, and the hour by which clocks are changed. */
export function gapMs(window: Window | null): number {
  if (window === null) return 0;
  const longMs = window.to > window.from ? window.to - window.from : window.to - window.from + 1_440;
  const opening = window.opensOn.flatMap((opens, day) => (opens ? [day] : []));
  const apart = opening.map((day, at) => (opening[at + 1] ?? (opening[0] ?? 0) + 7) - day);
  return days(Math.max(...apart)) - minutes(longMs) + hours(1);
}

/** How long until it is open, to the half hour; 0 while it is. No more than asked for. */
export function untilOpenMs(window: Window, nowMs: number, mostMs: number): number {
  let waitMs = 0;
  while (waitMs < mostMs && !isOpenAt(window, nowMs + waitMs)) waitMs += minutes(30);
  return Math.min(waitMs, mostMs);
}
