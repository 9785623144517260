import * as z from "zod";
import { days, hours, minutes } from "../rotation/time.ts";

const UNITS: Readonly<Record<string, (count: number) => number>> = {
  d: days,
  h: hours,
  min: minutes,
};
const SPELLING = /^(\d{1,4})(d|h|min)$/;

const ALLOWED = 'a whole number of days, hours or minutes, such as "75d", "36h" or "15min"';

/** A duration as people write it ("75d", "36h", "15min"), read into milliseconds. */
export const Duration = z.string().transform((text, context) => {
  const [, count, unit] = SPELLING.exec(text) ?? [];
  const toMs = unit === undefined ? undefined : UNITS[unit];
  if (toMs === undefined) {
    context.addIssue({ code: "custom", message: ALLOWED, input: text });
    return z.NEVER;
  }
  return toMs(Number(count));
});
