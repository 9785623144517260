import type { Measured, Row } from "./rotation.ts";

const COLUMNS = ["row", "calls", "a second", "in a delivery", "failed", "how it ended"] as const;
const WIDTHS = [58, 7, 8, 13, 7] as const;

const count = (value: number): string => value.toLocaleString("en");

/** Markdown that can be read as it is. The last column takes what it needs. */
const line = (cells: readonly string[]): string =>
  `| ${cells
    .map((cell, at) => (at === 0 || at > 4 ? cell.padEnd(WIDTHS[at] ?? 0) : cell.padStart(WIDTHS[at] ?? 0)))
    .join(" | ")} |`;

export const HEAD = `${line(COLUMNS)}\n| ${WIDTHS.map((width, at) => (at === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} | --- |`;

/** Whether a row went as it was announced: without anything wrong, or with a mistake that shows. */
export const isAsAnnounced = ({ isSound }: Row, { wrong }: Measured): boolean => isSound === (wrong.length === 0);

/** One row. What went wrong is said where it had to, and marked where it had not. */
export function lineOf(row: Row, measured: Measured): string {
  const { requests, perSecond, duringDeliveries, failed, codes, ended, wrong } = measured;
  const others = wrong.filter((words) => !words.endsWith("calls failed"));
  const said = [ended, ...codes, ...others].join("; ");
  const mark = isAsAnnounced(row, measured) ? "" : "NOT AS IT MUST BE: ";
  return line([row.what, ...[requests, perSecond, duringDeliveries, failed].map(count), mark + said]);
}

/** What all of it came to. */
export function summaryOf(results: readonly (readonly [Row, Measured])[], tookMs: number): string {
  const sum = (of: readonly (readonly [Row, Measured])[], figure: (measured: Measured) => number): number =>
    of.reduce((total, [, measured]) => total + figure(measured), 0);
  const sound = results.filter(([row]) => row.isSound);
  const noticed = results.filter(([row, { wrong }]) => !row.isSound && wrong.length > 0).length;
  const slowest = Math.min(...results.map(([, { perSecond }]) => perSecond));
  const [calls, failed] = [sum(sound, ({ requests }) => requests), sum(sound, (one) => one.failed)];
  return [
    `${String(results.length)} rows, ${count(sum(results, ({ requests }) => requests))} calls in ${(tookMs / 60_000).toFixed(1)} minutes; the slowest row had ${String(slowest)} a second.`,
    `${String(sound.length)} rows in which nothing may fail: ${count(failed)} of ${count(calls)} calls failed.`,
    `${String(results.length - sound.length)} rows in which something must: it was noticed in ${String(noticed)}.`,
  ].join("\n");
}
