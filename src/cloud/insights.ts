import {
  CloudWatchLogsClient,
  GetQueryResultsCommand,
  StartQueryCommand,
  StopQueryCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { RotationError } from "../rotation/errors.ts";
import type { Instant } from "../rotation/time.ts";
import type { Clock } from "../rotation/world.ts";
import type { Clients } from "./clients.ts";
import { type Row, runQuery } from "./run-query.ts";

/** Runs a query of CloudWatch Logs Insights over a window of one log group. Throws rather than give a part. */
export function createInsights(
  clients: Clients,
  clock: Pick<Clock, "sleep">,
  { logGroup, region }: { readonly logGroup: string; readonly region: string },
) {
  const client = clients.make((options) => new CloudWatchLogsClient({ ...options, region }));
  const doing = `querying the log group ${logGroup} in ${region}`;
  return (queryString: string, { from, to }: { readonly from: Instant; readonly to: Instant }) =>
    runQuery(clock, {
      doing,
      async start() {
        // Both ends are in the window, in whole seconds.
        const window = { startTime: Math.floor(from / 1_000), endTime: Math.ceil(to / 1_000) };
        return (await client.send(new StartQueryCommand({ logGroupName: logGroup, queryString, ...window }))).queryId;
      },
      async rows(queryId) {
        const { status, results = [] } = await client.send(new GetQueryResultsCommand({ queryId }));
        if (status === "Scheduled" || status === "Running") return null;
        if (status !== "Complete") {
          throw new RotationError("Unreachable", `${doing}, the query's end is ${status ?? "unsaid"}`);
        }
        const named = results.map((fields) => fields.map(({ field = "", value }) => [field.toLowerCase(), value]));
        return named.map((fields) => Object.fromEntries(fields) as Row);
      },
      stop: (queryId) => client.send(new StopQueryCommand({ queryId })),
    });
}
