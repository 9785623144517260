import * as z from "zod/mini";
import { clockOf, lengthOf, WEEKDAYS, type Window } from "../rotation/window.ts";

const SPELLED =
  /^([A-Z][a-z]{2}(?:[-,][A-Z][a-z]{2})*) ([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d) ([\w+/-]+)$/;
/** A change of the clocks may swallow an hour of it, and a sweep comes once an hour. */
const LENGTH_MIN = 120;

/** A window as people write it: days, hours, and whose clocks: "Mon-Thu 09:00-16:00 Europe/Berlin", "Sat,Sun 22:00-04:00 UTC". */
export const WindowInput = z.pipe(
  z.string(),
  z.transform((text: string, ctx): Window => {
    const read = parse(text);
    if (typeof read !== "string") return read;
    ctx.issues.push({ code: "custom", message: read, input: text });
    return z.NEVER;
  }),
);

/** The window, or what is wrong with it. */
function parse(text: string): Window | string {
  const [, dayNames = "", fromHour, fromMinute, toHour, toMinute, timeZone = ""] = SPELLED.exec(text) ?? [];
  if (timeZone === "") return 'days, hours and a time zone, such as "Mon-Thu 09:00-16:00 Europe/Berlin"';
  const opensOn = daysIn(dayNames);
  if (opensOn === null) return `days such as "Mon-Thu" or "Sat,Sun", of ${WEEKDAYS.join(", ")}`;
  const from = Number(fromHour) * 60 + Number(fromMinute);
  const to = Number(toHour) * 60 + Number(toMinute);
  const window = { text, opensOn, from, to, timeZone };
  if (to > 1_440) return "hours until 24:00 at the latest";
  if (to === from || lengthOf(window) < LENGTH_MIN) return "a window of two hours or more";
  return isTimeZone(timeZone) ? window : 'a time zone by its name, such as "Europe/Berlin" or "UTC"';
}

/** Which days are named, Monday first; null for a name that is none. A range may go over the end of the week. */
function daysIn(names: string): readonly boolean[] | null {
  const opensOn = WEEKDAYS.map(() => false);
  for (const range of names.split(",")) {
    const [first = -1, last = first, ...more] = range.split("-").map((name) => WEEKDAYS.indexOf(name));
    if (first < 0 || last < 0 || more.length > 0) return null;
    const count = (last - first + WEEKDAYS.length) % WEEKDAYS.length;
    for (let day = first; day <= first + count; day += 1) opensOn[day % WEEKDAYS.length] = true;
  }
  return opensOn;
}

function isTimeZone(name: string): boolean {
  try {
    clockOf(name);
    return true;
  } catch (thrown) {
    if (thrown instanceof RangeError) return false;
    throw thrown;
  }
}
