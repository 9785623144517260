declare const instantBrand: unique symbol;

/** A moment by AWS's clock: milliseconds since 1970-01-01T00:00:00Z. Made by `Clock.now()` or read from an AWS answer. */
export type Instant = number & { readonly [instantBrand]: "Instant" };

/** Marks a number of milliseconds since the epoch as an instant. Throws when it is not a finite number. */
export function instant(epochMs: number): Instant {
  if (!Number.isFinite(epochMs)) throw new TypeError(`not an instant: ${String(epochMs)}`);
  return epochMs as Instant;
}

export const seconds = (count: number): number => count * 1_000;
export const minutes = (count: number): number => count * 60_000;
export const hours = (count: number): number => count * 3_600_000;
export const days = (count: number): number => count * 86_400_000;

/** The instant `ms` milliseconds after (or, if negative, before) `at`. */
export function plus(at: Instant, ms: number): Instant {
  return instant(at + ms);
}

/** The latest of the instants given, or null when all of them are null. */
export function latest(...instants: readonly (Instant | null)[]): Instant | null {
  const known = instants.filter((at) => at !== null);
  return known.length === 0 ? null : instant(Math.max(...known));
}

const UNITS = Object.entries({ d: days(1), h: hours(1), min: minutes(1), s: seconds(1) });

/** A duration for people, in its two largest units: "86 d 4 h", "12 min", "0 s". */
export function describeMs(ms: number): string {
  let rest = Math.abs(ms);
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 && parts.length < 2) parts.push(`${String(count)} ${unit}`);
  }
  return parts.length === 0 ? "0 s" : (ms < 0 ? "-" : "") + parts.join(" ");
}
