import {
  AthenaClient,
  GetQueryExecutionCommand,
  paginateGetQueryResults,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from "@aws-sdk/client-athena";
import { RotationError } from "../rotation/errors.ts";
import type { Clock } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import { readPages } from "./pages.ts";
import { type Row, runQuery } from "./run-query.ts";

interface AthenaOptions {
  readonly workgroup: string;
  readonly outputLocation?: string | undefined;
  readonly region: string;
}

/** Runs a query of Athena's with texts for its question marks. Throws rather than give a part. */
export function createAthena(
  clients: Clients,
  clock: Pick<Clock, "sleep">,
  { workgroup, outputLocation, region }: AthenaOptions,
) {
  const client = clients.make((options) => new AthenaClient({ ...options, region }));
  const doing = `querying Athena in ${region}`;
  return (sql: string, texts: readonly string[]) =>
    runQuery(clock, {
      doing,
      async start() {
        const command = new StartQueryExecutionCommand({
          QueryString: sql,
          // A parameter stands in the query as it is given: a text has its quotes, or it is a sum or a column.
          ExecutionParameters: texts.map((text) => `'${text.replaceAll("'", "''")}'`),
          WorkGroup: workgroup,
          ...(outputLocation === undefined ? {} : { ResultConfiguration: { OutputLocation: outputLocation } }),
        });
        return (await client.send(command)).QueryExecutionId;
      },
      async rows(QueryExecutionId) {
        const { QueryExecution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId }));
        const { State, StateChangeReason = "without a reason" } = QueryExecution?.Status ?? {};
        if (State === "QUEUED" || State === "RUNNING") return null;
        if (State !== "SUCCEEDED") {
          throw new RotationError(
            "Unreachable",
            `${doing}, the query's end is ${State ?? "unsaid"}: ${StateChangeReason}`,
          );
        }
        const pages = await readPages(doing, paginateGetQueryResults({ client }, { QueryExecutionId }));
        const rows = pages.flatMap(({ ResultSet }) => ResultSet?.Rows ?? []);
        // The first row of a SELECT names the columns (Athena API, GetQueryResults).
        const [head = [], ...values] = rows.map(({ Data = [] }) => Data.map(({ VarCharValue }) => VarCharValue));
        return values.map((row) => Object.fromEntries(head.map((name, at) => [name ?? "", row[at]])) as Row);
      },
      stop: (QueryExecutionId) => client.send(new StopQueryExecutionCommand({ QueryExecutionId })),
    });
}
