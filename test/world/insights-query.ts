import { aggregateOf, grouped, sorted } from "./aggregate.ts";
import type { Aggregate, ResultRow } from "./aggregate.ts";
import { ServiceError } from "./call.ts";
import type { DeliveredEvent } from "./trail.ts";

interface Stage {
  readonly events: readonly DeliveredEvent[];
  /** Null until the events are aggregated. */
  readonly rows: readonly ResultRow[] | null;
}
type Command = (stage: Stage) => Stage;

const malformed = (what: string): ServiceError =>
  new ServiceError("MalformedQueryException", `unexpected symbol found ${what}`);

/**
 * The part of the Logs Insights language that is used here: filter on equality, stats with count, min, max by fields
 * and bin(1d), sort, limit (CloudWatch Logs User Guide, query syntax). Anything else is malformed.
 */
export function insightsQuery(text: string): (events: readonly DeliveredEvent[]) => readonly ResultRow[] {
  const commands = text.split("|").map((part) => commandOf(part.trim()));
  return (events) => {
    const { rows } = commands.reduce<Stage>((stage, command) => command(stage), { events, rows: null });
    if (rows === null) throw malformed("at the end: only aggregations are simulated");
    return rows;
  };
}

function commandOf(command: string): Command {
  const [, field = "", value] = /^filter ([\w.@]+) = "([^"|]*)"$/.exec(command) ?? [];
  if (value !== undefined) {
    return ({ events, rows }) => ({ rows, events: events.filter(({ fields }) => fields[field] === value) });
  }
  const [, calls, by = ""] = /^stats (.+?)(?: by (.+))?$/.exec(command) ?? [];
  if (calls !== undefined) return stats(calls, by);
  const [, column, direction] = /^sort (\w+) (asc|desc)$/.exec(command) ?? [];
  if (column !== undefined) {
    return ({ events, rows }) => ({ events, rows: sorted(rows ?? [], column, direction === "desc") });
  }
  const [, limit] = /^limit (\d+)$/.exec(command) ?? [];
  if (limit !== undefined) return ({ events, rows }) => ({ events, rows: rows?.slice(0, Number(limit)) ?? null });
  throw malformed(`in "${command}"`);
}

function stats(calls: string, by: string): Command {
  const aggregates = calls.split(", ").map((part): readonly [string, Aggregate] => {
    const [call = "", name = call] = part.split(" as ");
    const aggregate = aggregateOf(call);
    if (aggregate === null) throw malformed(`in "${part}"`);
    return [name, aggregate];
  });
  const keys = by.split(", ").filter(Boolean).map(keyOf);
  return ({ events }) => ({ events: [], rows: grouped(events, keys, aggregates) });
}

function keyOf(key: string): readonly [string, (event: DeliveredEvent) => string | undefined] {
  if (key === "bin(1d)") {
    return [key, ({ deliveredAtMs }) => `${new Date(deliveredAtMs).toISOString().slice(0, 10)} 00:00:00.000`];
  }
  if (!/^[\w.@]+$/.test(key)) throw malformed(`in "${key}"`);
  return [key, ({ fields }) => fields[key]];
}
