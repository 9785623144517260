import type { Coverage } from "../../test/simulation/coverage.ts";

interface Figures {
  readonly done: number;
  readonly reconciles: number;
  readonly coverage: Coverage;
}

type Counts = Readonly<Record<string, number>>;

const total = (counts: Counts): number => Object.values(counts).reduce((sum, times) => sum + times, 0);

/** The value below which a share of what was counted lies; the names are numbers. */
function quantile(counts: Counts, share: number): number {
  const sorted = Object.entries(counts)
    .map(([value, times]) => ({ value: Number(value), times }))
    .toSorted((one, other) => one.value - other.value);
  let left = share * total(counts);
  for (const { value, times } of sorted) {
    left -= times;
    if (left <= 0) return value;
  }
  return sorted.at(-1)?.value ?? 0;
}

/** Hours are counted in whole ones, rounded up. */
const spelled = (hours: number): string => (hours < 48 ? `${String(hours)} h` : `${(hours / 24).toFixed(1)} d`);

function spread(counts: Counts): string {
  const [median, high, most] = [0.5, 0.95, 1].map((share) => spelled(quantile(counts, share)));
  return `${median ?? ""} | ${high ?? ""} | ${most ?? ""}`;
}

const list = (counts: Counts): string =>
  Object.entries(counts)
    .toSorted(([, one], [, other]) => other - one)
    .map(([name, times]) => `${name} ${String(times)}`)
    .join(", ") || "none";

/** What a run of retirements says, as Markdown. */
export function tableOf({ done, reconciles, coverage }: Figures): readonly string[] {
  const verdicts = coverage["verdict"] ?? {};
  const became = coverage["the old key"] ?? {};
  const delays = coverage["delay in hours"] ?? {};
  const causes = coverage["delayed, by cause"] ?? {};
  const share = (times: number, of: number): string => `${((100 * times) / Math.max(1, of)).toFixed(2)} %`;
  const taken = total(verdicts) - (verdicts["rightly kept to the end"] ?? 0);
  const kept = coverage["still Active at the end, by cause"] ?? {};
  const late = Object.fromEntries(Object.entries(delays).filter(([hours]) => Number(hours) > 2));
  const rows = Object.entries(causes).toSorted(([, one], [, other]) => other - one);
  return [
    "",
    "| | retirements | |",
    "| --- | --- | --- |",
    `| simulated | ${String(done)} | ${String(reconciles)} sweeps made; ${list(became)} |`,
    `| false "unused" | ${String(verdicts["false unused"] ?? 0)} | of ${String(taken)} deactivations |`,
    `| taken from somebody slower than declared | ${String(verdicts["slower than declared"] ?? 0)} | ${list(coverage["slower than declared"] ?? {})} |`,
    `| hidden by a hand-over, from a holder that the profile does not count | ${String(verdicts["not counted"] ?? 0)} | ${list(coverage["not counted"] ?? {})} |`,
    `| last-used worse than documented, and no source could show it | ${String(verdicts["no source could show it"] ?? 0)} | ${list(coverage["no source could show it"] ?? {})} |`,
    `| rightly kept, being in use to the end | ${String(verdicts["rightly kept to the end"] ?? 0)} | |`,
    `| false "still used": not taken within 120 d | ${String(total(kept))} | ${list(kept)} |`,
    "",
    `| days beyond the least possible | retirements | share | median | p95 | max |`,
    "| --- | --- | --- | --- | --- | --- |",
    `| all that nobody needed any more, and that were taken | ${String(total(delays))} | 100 % | ${spread(delays)} |`,
    `| of these later than 2 h | ${String(total(causes))} | ${share(total(causes), total(delays))} | ${spread(late)} |`,
    ...rows.map(
      ([cause, times]) =>
        `| ${cause} | ${String(times)} | ${share(times, total(delays))} | ${spread(coverage[`hours by ${cause}`] ?? {})} |`,
    ),
  ];
}
