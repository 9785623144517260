/** How often each thing of each kind happened, over many seeds. */
export type Coverage = Record<string, Record<string, number>>;

export function count(coverage: Coverage, kind: string, name: string): void {
  const of = (coverage[kind] ??= {});
  of[name] = (of[name] ?? 0) + 1;
}

/** Adds one seed's counters to a sum. */
export function addCoverage(sum: Coverage, more: Coverage): void {
  for (const [kind, names] of Object.entries(more)) {
    const of = (sum[kind] ??= {});
    for (const [name, times] of Object.entries(names)) of[name] = (of[name] ?? 0) + times;
  }
}
