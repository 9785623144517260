import { ageDays, DAY_MS, type KeyStory, type Report, type UserStory } from "./story.ts";

const BACK_MS = 400 * DAY_MS;
const AHEAD_MS = 100 * DAY_MS;
const SHORTEST_MS = 120 * DAY_MS;
const LANE = 18;
const BAR = 10;

/** From and to in milliseconds, and now. All bars of a page share them. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
}

const ms = (at: string | null): number | null => (at === null ? null : Date.parse(at));
export const escape = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (sign) => `&#${String(sign.codePointAt(0))};`);
export const day = (at: string | null): string => at?.slice(0, 10) ?? "unknown";

/** As far back as the oldest key, and as far ahead as the policies reach; neither without limit. */
export function spanOf({ at, users }: Report): Span {
  const nowMs = Date.parse(at);
  const made = users.flatMap(({ keys }) => keys.flatMap(({ createdAt }) => ms(createdAt) ?? []));
  const ends = users.flatMap(({ keys, maxAgeMs }) =>
    keys.flatMap(({ status, createdAt }) => (status === "active" ? (ms(createdAt) ?? nowMs) + (maxAgeMs ?? 0) : [])),
  );
  const oldest = made.reduce((least, one) => Math.min(least, one), nowMs - SHORTEST_MS);
  const last = ends.reduce((most, one) => Math.max(most, one), nowMs);
  return {
    fromMs: Math.max(oldest, nowMs - BACK_MS) - 5 * DAY_MS,
    toMs: Math.min(last, nowMs + AHEAD_MS) + 5 * DAY_MS,
    nowMs,
  };
}

/** Where an instant lies, in percent of the width. */
const place = ({ fromMs, toMs }: Span, atMs: number): number =>
  Math.round(Math.min(100, Math.max(0, ((atMs - fromMs) / (toMs - fromMs)) * 100)) * 1_000) / 1_000;
const percent = (span: Span, atMs: number): string => `${String(place(span, atMs))}%`;

/** A line a month, and one for now, behind all rows. */
export function gridOf(span: Span): string {
  const lines = months(span).map(
    (atMs) => `<line class="month" x1="${percent(span, atMs)}" x2="${percent(span, atMs)}" y2="100%"/>`,
  );
  const now = percent(span, span.nowMs);
  return `<svg class="grid" aria-hidden="true">${lines.join("")}<line class="now" x1="${now}" x2="${now}" y2="100%"/></svg>`;
}

/** The names of the months, above. */
export function axisOf(span: Span): string {
  const starts = months(span);
  const every = Math.ceil(starts.length / 10);
  const names = starts.flatMap((atMs, index) => {
    const name = new Date(atMs).toISOString().slice(0, 7);
    const isNearEnd = place(span, atMs) > 94;
    return index % every > 0 || isNearEnd ? [] : `<text x="${percent(span, atMs)}" dx="4" y="14">${name}</text>`;
  });
  const today = new Date(span.nowMs).toISOString().slice(0, 10);
  const anchor = place(span, span.nowMs) > 75 ? ' text-anchor="end" dx="-4"' : ' dx="4"';
  const now = `<text class="today" x="${percent(span, span.nowMs)}" y="30"${anchor}>today, ${today}</text>`;
  return `<svg class="axis" height="36" aria-hidden="true">${names.join("")}${now}</svg>`;
}

function months({ fromMs, toMs }: Span): readonly number[] {
  const first = new Date(fromMs);
  const found: number[] = [];
  for (let month = 1; ; month += 1) {
    const atMs = Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + month);
    if (atMs >= toMs) return found;
    found.push(atMs);
  }
}

/** A user's keys, one bar below the other: active, inactive, beyond its policy; the promotion, and the policy's end. */
export function lanesOf(user: UserStory, span: Span): string {
  const keys = user.keys.filter((key) => (ms(key.deletedAt) ?? span.nowMs) >= span.fromMs && key.createdAt !== null);
  const sorted = keys.toSorted((one, other) => (one.createdAt ?? "").localeCompare(other.createdAt ?? ""));
  const height = Math.max(1, sorted.length) * LANE + 6;
  const said = sorted.map((key) => describe(user, key, span)).join(". ") || "no key";
  const lanes = sorted.map((key, index) => laneOf(user, key, { span, top: index * LANE + 3 }));
  return `<svg class="lanes" height="${String(height)}" role="img" aria-label="${escape(said)}">${lanes.join("")}</svg>`;
}

function laneOf(user: UserStory, key: KeyStory, { span, top }: { readonly span: Span; readonly top: number }): string {
  const fromMs = ms(key.createdAt) ?? span.fromMs;
  const endMs = ms(key.deletedAt) ?? span.nowMs;
  const offMs =
    key.status === "active" ? endMs : (ms(key.deactivatedAt) ?? (key.status === "inactive" ? fromMs : endMs));
  const policyMs = user.maxAgeMs === null ? Number.POSITIVE_INFINITY : fromMs + user.maxAgeMs;
  const y = top + (LANE - BAR) / 2;
  const bar = (kind: string, from: number, to: number): string => {
    const width = place(span, to) - place(span, from);
    const size = `x="${percent(span, from)}" y="${String(y)}" width="${width.toFixed(3)}%" height="${String(BAR)}"`;
    return to > from && width > 0 ? `<rect class="${kind}" ${size} rx="2"/>` : "";
  };
  const at = (atMs: number, shape: string): string =>
    `<svg x="${percent(span, atMs)}" y="${String(y + BAR / 2)}" overflow="visible">${shape}</svg>`;
  const marks = [
    fromMs < span.fromMs ? at(span.fromMs, '<path class="before" d="M8 -5 L1 0 L8 5 Z"/>') : "",
    key.promotedAt === null
      ? ""
      : at(Date.parse(key.promotedAt), '<path class="rotation" d="M0 -6 L6 0 L0 6 L-6 0 Z"/>'),
    key.deletedAt === null ? "" : at(endMs, '<path class="end" d="M0 -6 V6"/>'),
    key.status === "active" && policyMs < span.toMs ? at(policyMs, '<path class="policy" d="M0 -9 V9"/>') : "",
  ];
  const bars = [
    bar("active", fromMs, Math.min(offMs, policyMs)),
    bar("beyond", Math.max(fromMs, Math.min(offMs, policyMs)), offMs),
    bar("inactive", offMs, endMs),
  ];
  return `<g><title>${escape(describe(user, key, span))}</title>${bars.join("")}${marks.join("")}</g>`;
}

function describe({ maxAgeMs }: UserStory, key: KeyStory, { nowMs }: Span): string {
  const age = ageDays(key, new Date(nowMs).toISOString());
  const of = maxAgeMs === null ? "" : ` of ${String(Math.round(maxAgeMs / DAY_MS))}`;
  return [
    `${key.id} ${key.status}, made ${day(key.createdAt)}, ${age === null ? "of unknown age" : `${String(age)}${of} days old`}`,
    key.promotedAt === null ? [] : `current since ${day(key.promotedAt)}`,
    key.deactivatedAt === null ? [] : `deactivated ${day(key.deactivatedAt)}`,
    key.deletedAt === null ? [] : `deleted ${day(key.deletedAt)}`,
  ]
    .flat()
    .join(", ");
}
