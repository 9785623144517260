import { aggregateOf, grouped, sorted } from "./aggregate.ts";
import type { Aggregate, ResultRow } from "./aggregate.ts";
import type { DeliveredEvent } from "./trail.ts";

/** A table over the trail's bucket, partitioned by the day of delivery, spelled "2027/03/14". */
export interface AthenaTable {
  readonly database: string;
  readonly table: string;
  readonly dayPartition: string;
}

/** What a query came to: its columns and rows, or the reason that it failed with. */
export type Queried = { readonly columns: readonly string[]; readonly rows: readonly ResultRow[] } | string;

type Value = (event: DeliveredEvent) => string | undefined;

const SELECT =
  /^SELECT (.+?) FROM "(\w+)"\."(\w+)" WHERE (.+?)(?: GROUP BY ([\w, ]+?))?(?: ORDER BY (\w+) DESC)?(?: LIMIT (\d+))?$/;

/** Hive knows columns in lower case; the record's own names stand in the table's definition (Athena User Guide, CloudTrail). */
const RECORD_NAMES = new Map(
  ["eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent"]
    .concat("userIdentity.accessKeyId", "userIdentity.arn", "errorCode")
    .map((name) => [name.toLowerCase(), name]),
);

class Failure extends Error {}

/**
 * The part of SQL that is used here: one SELECT with parameters in its conditions. A parameter stands in the query as it is
 * given, so that a text without quotes is a column that does not exist.
 */
export function athenaQuery(
  sql: string,
  parameters: readonly string[],
  { table, events }: { readonly table: AthenaTable; readonly events: readonly DeliveredEvent[] },
): Queried {
  try {
    return run(sql, parameters, table, events);
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown.message;
    throw thrown;
  }
}

function run(
  sql: string,
  parameters: readonly string[],
  table: AthenaTable,
  events: readonly DeliveredEvent[],
): Queried {
  const [, columns, database, name, conditions = "", groups = "", order, limit] = SELECT.exec(sql) ?? [];
  if (columns === undefined) throw new Failure("SYNTAX_ERROR: line 1:1: mismatched input");
  if (database !== table.database || name !== table.table) {
    throw new Failure(`TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.${database}.${name}' does not exist`);
  }
  const isWanted = conditionOf(conditions, parameters, table);
  const parts = columns.split(/, (?![^(]*\))/).map((part) => {
    const [call = "", alias = call] = part.split(" AS ");
    return { call, alias };
  });
  const keys: (readonly [string, Value])[] = [];
  const aggregates: (readonly [string, Aggregate])[] = [];
  for (const [at, { call, alias }] of parts.entries()) {
    const aggregate = aggregateOf(call, recordName);
    if (aggregate !== null) aggregates.push([alias, aggregate]);
    else if ([call, String(at + 1)].some((key) => groups.split(", ").includes(key)))
      keys.push([alias, valueOf(call, table)]);
    else throw new Failure(`EXPRESSION_NOT_AGGREGATE: line 1:8: '${call}' must be an aggregate expression`);
  }
  const rows = grouped(events.filter(isWanted), keys, aggregates);
  const inOrder = order === undefined ? rows : sorted(rows, order, true);
  return { columns: parts.map(({ alias }) => alias), rows: inOrder.slice(0, Number(limit ?? rows.length)) };
}

function conditionOf(
  conditions: string,
  parameters: readonly string[],
  table: AthenaTable,
): (event: DeliveredEvent) => boolean {
  const parts = conditions.split(" AND ");
  if (parts.length !== parameters.length) {
    throw new Failure(`INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected ${String(parts.length)}`);
  }
  const tests = parts.map((part, at) => {
    const [, column = "", operator] = /^"?([\w.]+)"? (=|>=) \?$/.exec(part) ?? [];
    if (operator === undefined) throw new Failure(`SYNTAX_ERROR: line 1:1: mismatched input '${part}'`);
    const [, text] = /^'((?:[^']|'')*)'$/.exec(parameters[at] ?? "") ?? [];
    if (text === undefined) throw new Failure(`COLUMN_NOT_FOUND: line 1:1: Column '${parameters[at] ?? ""}'`);
    const value = valueOf(column, table);
    const wanted = text.replaceAll("''", "'");
    return (event: DeliveredEvent): boolean => {
      const found = value(event);
      return found !== undefined && (operator === "=" ? found === wanted : found >= wanted);
    };
  });
  return (event) => tests.every((isSo) => isSo(event));
}

function valueOf(call: string, { dayPartition }: AthenaTable): Value {
  const [, column, from, length] = /^substr\((\w+), (\d+), (\d+)\)$/.exec(call) ?? [];
  if (column !== undefined) {
    const name = recordName(column);
    return ({ fields }) => fields[name]?.slice(Number(from) - 1, Number(from) - 1 + Number(length));
  }
  if (call === dayPartition) {
    return ({ deliveredAtMs }) => new Date(deliveredAtMs).toISOString().slice(0, 10).replaceAll("-", "/");
  }
  const name = recordName(call);
  return ({ fields }) => fields[name];
}

function recordName(column: string): string {
  const name = RECORD_NAMES.get(column);
  if (name === undefined) throw new Failure(`COLUMN_NOT_FOUND: line 1:1: Column '${column}' cannot be resolved`);
  return name;
}
