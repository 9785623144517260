import * as z from "zod/mini";
import { days, hours, minutes } from "../rotation/time.ts";

const UNITS_MS: Readonly<Record<string, number>> = { d: days(1), h: hours(1), min: minutes(1) };

/** A duration as people write it ("75d", "36h", "15min"), read into milliseconds. */
export const Duration = z.pipe(
  z
    .string()
    .check(z.regex(/^\d{1,4}(d|h|min)$/, 'a whole number of days, hours or minutes, such as "75d", "36h" or "15min"')),
  z.transform((text: string) => Number.parseInt(text, 10) * (UNITS_MS[text.replace(/^\d+/, "")] ?? Number.NaN)),
);
