import { FAULT_NAMES, idOf } from "./points.ts";
import type { Place } from "./points.ts";
import type { Outcome } from "./rotation.ts";

const isGood = ({ wrong }: Outcome): boolean => wrong.length === 0;
const COLUMN = 13;

const line = (title: string, cells: readonly string[]): string =>
  `${title.padEnd(54)}${cells.map((cell) => cell.padStart(COLUMN)).join("")}`.trimEnd();

/** One row a request, one column a fault: by how many days the rotation ended later, or that it went wrong. */
export function printedTable(places: readonly Place[], outcomes: readonly Outcome[]): string {
  const byId = new Map(outcomes.map((outcome) => [idOf(outcome.point), outcome]));
  const rows = places.map((place) => {
    const found = FAULT_NAMES.map((fault) => byId.get(idOf({ ...place, fault })));
    if (found.every((outcome) => outcome === undefined)) return null;
    const { system, sweep, nth, request } = place;
    return line(`${system} ${sweep} ${String(nth).padStart(2)} ${request}`, found.map(cellOf));
  });
  const heading = line("days by which the rotation ended later", FAULT_NAMES);
  return [heading, ...rows.filter((row) => row !== null)].join("\n");
}

function cellOf(outcome: Outcome | undefined): string {
  if (outcome === undefined) return "";
  return isGood(outcome) ? `+${String(outcome.lateDays)}` : "FAILED";
}

/** The same by kind of request: how many points of each kind converge. */
export function printedSummary(outcomes: readonly Outcome[]): string {
  const kinds = [...new Set(outcomes.map(({ struck }) => struck ?? "none"))].toSorted();
  const rows = kinds.map((kind) => {
    const cells = FAULT_NAMES.map((fault) => {
      const some = outcomes.filter(({ struck, point }) => (struck ?? "none") === kind && point.fault === fault);
      return some.length === 0 ? "" : `${String(some.filter(isGood).length)}/${String(some.length)}`;
    });
    return line(kind, cells);
  });
  return [line("points that converge, by request", FAULT_NAMES), ...rows].join("\n");
}

/** What went wrong at a point, what the sweeps did from its fault on, and how to see it again. */
export function printedStory({ point, struck, wrong, story }: Outcome, mistake: string | null): string {
  const again = `npm run crash-matrix -- --only ${idOf(point)}${mistake === null ? "" : ` --break ${mistake}`}`;
  return [
    `${idOf(point)} (${struck ?? "no request"})`,
    ...wrong.map((said) => `  ${said}`),
    ...story,
    `  again: ${again}`,
  ].join("\n");
}

/** How many points end a rotation so late, the most frequent first: "2400 x +0 d, 6 x +10 d". */
function delaysOf(outcomes: readonly Outcome[]): string {
  const counts = new Map<number, number>();
  for (const { lateDays } of outcomes.filter(isGood)) counts.set(lateDays, (counts.get(lateDays) ?? 0) + 1);
  return [...counts]
    .toSorted(([one], [other]) => one - other)
    .map(([days, count]) => `${String(count)} x +${String(days)} d`)
    .join(", ");
}

/** The last line: all of them, or how many not. */
export function printedEnd(outcomes: readonly Outcome[], wallMs: number): string {
  const good = outcomes.filter(isGood);
  const sum = (figure: (outcome: Outcome) => number): number => outcomes.reduce((all, one) => all + figure(one), 0);
  const orphans = sum(({ made }) => made - 1);
  return [
    `${String(sum(({ calls }) => calls))} calls of consumers, of which ${String(sum(({ failed }) => failed))} failed`,
    `${String(orphans)} keys were made whose answer was lost, or could not be used`,
    `days by which rotations ended later: ${delaysOf(outcomes)}`,
    `${String(good.length)} of ${String(outcomes.length)} points converge, in ${(wallMs / 1_000).toFixed(0)} s`,
  ].join("\n");
}
