import type { Clients } from "../../cloud/clients.ts";
import { createInsights } from "../../cloud/insights.ts";
import type { Clock } from "../../rotation/world.ts";
import type { TrailOptions } from "./deepen.ts";
import type { TrailQueries } from "./trail.ts";

const WHO = "eventSource, eventName, awsRegion, sourceIPAddress, userAgent";

/** A trail's log group. The fields are those of a CloudTrail record; a log event's own time is never before the call's. */
export function insightsQueries(
  { logGroup, region }: Extract<TrailOptions, { readonly kind: "logs-insights" }>,
  clients: Clients,
  clock: Clock,
): TrailQueries {
  const run = createInsights(clients, clock, { logGroup, region });
  return {
    uses: (keyId, window) =>
      run(
        `filter userIdentity.accessKeyId = "${keyId}" | stats count(*) as uses, max(eventTime) as lastseen by ${WHO} ` +
          "| sort lastseen desc | limit 1000",
        window,
      ),
    pulse: (window) =>
      run("stats min(eventTime) as firstseen, max(eventTime) as lastseen by bin(1d) | limit 1000", window),
  };
}
