import { createAthena } from "../../cloud/athena.ts";
import type { Clients } from "../../cloud/clients.ts";
import type { Instant } from "../../rotation/time.ts";
import type { Clock } from "../../rotation/world.ts";
import type { TrailOptions } from "./deepen.ts";
import type { TrailQueries } from "./trail.ts";

const WHO = "eventsource, eventname, awsregion, sourceipaddress, useragent";

/**
 * A table over a trail's bucket, with the columns that the Athena User Guide gives it. A file lies in the partition of the
 * day on which it was delivered, which is never before the call.
 */
export function athenaQueries(
  options: Extract<TrailOptions, { readonly kind: "athena" }>,
  clients: Clients,
  clock: Clock,
): TrailQueries {
  const run = createAthena(clients, clock, options);
  const from = `FROM "${options.database}"."${options.table}" WHERE "${options.dayPartition}" >= ? AND eventtime >= ?`;
  return {
    uses: (keyId, window) =>
      run(
        `SELECT ${WHO}, count(*) AS uses, max(eventtime) AS lastseen ${from} AND useridentity.accesskeyid = ? ` +
          "GROUP BY 1, 2, 3, 4, 5 ORDER BY lastseen DESC LIMIT 1000",
        [dayOf(window.from), secondOf(window.from), keyId],
      ),
    pulse: (window) =>
      run(
        `SELECT substr(eventtime, 1, 10) AS day, min(eventtime) AS firstseen, max(eventtime) AS lastseen ${from} GROUP BY 1`,
        [dayOf(window.from), secondOf(window.from)],
      ),
  };
}

/** As CloudTrail spells the times of events, so that texts compare as times do. */
const secondOf = (at: Instant): string => `${new Date(at).toISOString().slice(0, 19)}Z`;
const dayOf = (at: Instant): string => secondOf(at).slice(0, 10).replaceAll("-", "/");
