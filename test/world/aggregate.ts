/** One result of a query: columns by name, in their order. */
export type ResultRow = Readonly<Record<string, string>>;

/** One column of an aggregation over groups. */
export type Aggregate = (fields: readonly Readonly<Record<string, string>>[]) => string | undefined;

const extreme =
  (field: string, isBetter: (one: string, other: string) => boolean): Aggregate =>
  (group) =>
    group
      .flatMap((fields) => fields[field] ?? [])
      .reduce<string | undefined>(
        (best, value) => (best === undefined || isBetter(value, best) ? value : best),
        undefined,
      );

/** `count(*)`, `min(field)` and `max(field)`, as both query languages have them; null for any other. */
export function aggregateOf(call: string, fieldOf = (name: string): string => name): Aggregate | null {
  if (call === "count(*)") return (group) => String(group.length);
  const [, name, field = ""] = /^(min|max)\(([\w.@]+)\)$/.exec(call) ?? [];
  if (name === undefined) return null;
  return extreme(fieldOf(field), (one, other) => (name === "min" ? one < other : one > other));
}

/** Groups by the keys, and gives one row a group: keys first, then aggregates. What is null has no column. */
export function grouped<Event extends { readonly fields: Readonly<Record<string, string>> }>(
  events: readonly Event[],
  keys: readonly (readonly [string, (event: Event) => string | undefined])[],
  aggregates: readonly (readonly [string, Aggregate])[],
): ResultRow[] {
  const groups = Map.groupBy(events, (event) => JSON.stringify(keys.map(([, value]) => value(event) ?? null)));
  return [...groups].map(([group, members]) => {
    const values = JSON.parse(group) as readonly (string | null)[];
    const columns = [
      ...keys.map(([name], at) => [name, values[at] ?? undefined] as const),
      ...aggregates.map(([name, of]) => [name, of(members.map(({ fields }) => fields))] as const),
    ];
    return Object.fromEntries(columns.filter((column): column is readonly [string, string] => column[1] !== undefined));
  });
}

/** Sorts by a column, texts as texts; those without it last. */
export function sorted(rows: readonly ResultRow[], column: string, isDescending: boolean): ResultRow[] {
  const ascending = rows.toSorted((one, other) => (one[column] ?? "").localeCompare(other[column] ?? ""));
  return isDescending ? ascending.toReversed() : ascending;
}
