import { days, hours, minutes } from "../../../src/rotation/time.ts";
import { count } from "../coverage.ts";
import type { Coverage } from "../coverage.ts";
import type { Dice } from "../dice.ts";
import { hashed } from "./signers.ts";

/** A time in which something is wrong: from an instant, until before another. */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

type Refusal = "denied" | "throttled" | "failed" | "lost";

interface Outage extends Span {
  readonly refusal: Refusal;
  /** Null: everywhere. */
  readonly region: string | null;
}

/** How late, how incomplete and how broken the sources are. All of it is a function of the time alone. */
export interface Troubles {
  readonly seed: number;
  readonly lastUsed: {
    readonly lagMs: number;
    /** It stands still, and is four hours late at most. */
    readonly stalls: readonly Span[];
    /** It stands still for days: worse than anything that AWS speaks of. */
    readonly frozen: readonly Span[];
    /** Hosts differ: every other hour it answers as it did four hours ago. */
    readonly wavers: readonly Span[];
    /** It tells no date at all, although there was one. */
    readonly absent: readonly Span[];
    readonly outages: readonly Outage[];
    /** The share of hours in which it is throttled. */
    readonly throttled: number;
  };
  readonly trail: {
    readonly lagMs: number;
    /** Delivery stops for up to an hour. */
    readonly stalls: readonly Span[];
    /** The share of events that never come. */
    readonly lost: number;
    readonly outages: readonly Outage[];
    /** The share of hours in which pages get lost on their way. */
    readonly lostPages: number;
  };
  readonly regions: readonly Outage[];
}

const REFUSALS: readonly Refusal[] = ["denied", "throttled", "failed", "lost"];
const LAST_USED_LATE_MAX_MS = hours(4);
const STALL_MAX_MS = hours(1);

export function drawTroubles(
  dice: Dice,
  {
    fromMs,
    regions,
    coverage,
  }: { readonly fromMs: number; readonly regions: readonly string[]; readonly coverage: Coverage },
): Troubles {
  const some = (name: string, chance: number, lengths: readonly number[], withinMs = days(30)): readonly Span[] => {
    if (!dice.chance(chance)) return [];
    count(coverage, "trouble", name);
    return Array.from({ length: dice.between(1, 2) }, () => {
      const startMs = fromMs + dice.between(0, withinMs);
      return { fromMs: startMs, untilMs: startMs + dice.pick(lengths) };
    });
  };
  const outages = (name: string, chance: number, places: readonly (string | null)[]): readonly Outage[] =>
    some(name, chance, [minutes(10), hours(3), days(1), days(5), days(15)], days(25)).map((span) => ({
      ...span,
      refusal: dice.pick(REFUSALS),
      region: dice.pick(places),
    }));
  const share = (name: string, chance: number, shares: readonly number[]): number => {
    if (!dice.chance(chance)) return 0;
    count(coverage, "trouble", name);
    return dice.pick(shares);
  };
  return {
    seed: dice.between(0, 1_000_000_000),
    lastUsed: {
      lagMs: dice.chance(0.2) ? LAST_USED_LATE_MAX_MS : dice.between(0, LAST_USED_LATE_MAX_MS),
      stalls: some("last-used stands still, up to 4 h", 0.3, [hours(1), hours(6)]),
      frozen: some("last-used stands still for days", 0.06, [days(2), days(5), days(12), days(40)], days(8)),
      wavers: some("last-used wavers", 0.1, [hours(3), hours(12)]),
      absent: some("last-used tells no date", 0.05, [minutes(30), hours(4), hours(12)]),
      outages: outages("last-used refused", 0.12, [null]),
      throttled: share("last-used throttled", 0.1, [0.1, 0.5]),
    },
    trail: {
      lagMs: dice.chance(0.2) ? hours(1) : dice.between(minutes(2), minutes(30)),
      stalls: some("CloudTrail stands still", 0.2, [minutes(40), hours(3)]),
      lost: share("CloudTrail events lost", 0.15, [0.02, 0.3, 0.9, 1]),
      outages: outages("CloudTrail refused", 0.2, [null, ...regions, ...regions]),
      lostPages: share("CloudTrail pages lost", 0.1, [0.1, 0.5]),
    },
    regions: outages("Regions not told", 0.03, [null]),
  };
}

const isIn = (spans: readonly Span[], atMs: number): Span | undefined =>
  spans.find(({ fromMs, untilMs }) => fromMs <= atMs && atMs < untilMs);

/** The instant until which last-used knows all uses. */
export function lastUsedKnowsUntil({ lastUsed }: Troubles, nowMs: number): number {
  const { lagMs, stalls, frozen, wavers } = lastUsed;
  let untilMs = nowMs - lagMs;
  for (const stall of stalls) {
    if (isIn([stall], nowMs))
      untilMs = Math.min(untilMs, Math.max(stall.fromMs - lagMs, nowMs - LAST_USED_LATE_MAX_MS));
  }
  if (isIn(wavers, nowMs) && Math.floor(nowMs / hours(1)) % 2 === 1) untilMs = nowMs - LAST_USED_LATE_MAX_MS;
  for (const span of frozen) if (isIn([span], nowMs)) untilMs = Math.min(untilMs, span.fromMs - lagMs);
  return untilMs;
}

/** The instant until which CloudTrail shows all events. It never goes back. */
export function trailKnowsUntil({ trail }: Troubles, nowMs: number): number {
  const { lagMs, stalls } = trail;
  let untilMs = nowMs - lagMs;
  for (const stall of stalls) {
    if (isIn([stall], nowMs)) untilMs = Math.min(untilMs, Math.max(stall.fromMs - lagMs, nowMs - STALL_MAX_MS));
  }
  return untilMs;
}

/** Whether CloudTrail never shows the event of a call. */
export const isEventLost = ({ trail, seed }: Troubles, atMs: number): boolean =>
  trail.lost > 0 && hashed(seed, atMs) < trail.lost;

/** Whether last-used keeps silent about a date that it knows. */
export const isDateAbsent = ({ lastUsed }: Troubles, nowMs: number): boolean =>
  isIn(lastUsed.absent, nowMs) !== undefined;

const hourly = (seed: number, nowMs: number): number => hashed(seed, Math.floor(nowMs / hours(1)) * 1_000);

/** How a request is refused just now; null where it is not. `page` counts the requests of a sweep. */
export function refusalOf(
  { lastUsed, trail, regions, seed }: Troubles,
  request: { readonly operation: string; readonly region: string; readonly page: number },
  nowMs: number,
): Refusal | null {
  const { operation, region, page } = request;
  const within = (outages: readonly Outage[]): Refusal | null =>
    outages.find((outage) => isIn([outage], nowMs) && (outage.region ?? region) === region)?.refusal ?? null;
  switch (operation) {
    case "GetAccessKeyLastUsed":
      return within(lastUsed.outages) ?? (hourly(seed + 1, nowMs) < lastUsed.throttled ? "throttled" : null);
    case "LookupEvents": {
      const isLost = hourly(seed + 2, nowMs) < trail.lostPages && hourly(seed + 3 + page, nowMs) < 0.5;
      return within(trail.outages) ?? (isLost ? "lost" : null);
    }
    case "ListRegions":
      return within(regions);
    default:
      return null;
  }
}

/** Whether a source does worse than its documentation says: then nothing but another source can save the key. */
export const isBeyondDocumented = ({ lastUsed }: Troubles): boolean =>
  lastUsed.frozen.length > 0 || lastUsed.absent.length > 0;

/** When a refusal that holds now is over; null where none does. */
export function outageEndsMs({ lastUsed, trail, regions }: Troubles, nowMs: number): number | null {
  const ends = [...lastUsed.outages, ...trail.outages, ...regions]
    .filter((outage) => isIn([outage], nowMs))
    .map(({ untilMs }) => untilMs);
  return ends.length === 0 ? null : Math.min(...ends);
}
