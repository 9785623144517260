import { describeMs } from "../../../src/rotation/time.ts";
import type { Trace } from "../trace.ts";
import type { Signer } from "./signers.ts";
import type { Span } from "./troubles.ts";
import { leastMs } from "./verdict.ts";
import type { Judging } from "./verdict.ts";

const at = (ms: number): string => (Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 16) : "never");
const spans = (name: string, list: readonly Span[]): string[] =>
  list.map(({ fromMs, untilMs }) => `${name} ${at(fromMs)} to ${at(untilMs)}`);

/** The case in readable lines: what the policy says, who signs when, and what goes wrong. */
export function tellCase(trace: Trace, judging: Judging, consumers: number): void {
  const { profile, times, signers, troubles } = judging;
  const { policy } = profile;
  trace.note("", "policy", () =>
    [
      `${String(consumers)} consumers`,
      profile.isPulled ? "that pull" : "",
      `quietFor ${describeMs(policy.quietForMs)}`,
      policy.idleAtMostMs === null ? "no idleAtMost" : `idleAtMost ${describeMs(policy.idleAtMostMs)}`,
      `cacheFor ${describeMs(policy.cacheForMs)}`,
      `soakFor ${describeMs(policy.soakForMs)}`,
      `adoption ${policy.adoption}`,
      `unasked: ${Object.keys(profile.unaskedRegions).join(" ") || "none"}`,
    ].join(", "),
  );
  const { createdMs, promotedMs, deliveredMs } = times;
  const delivered = deliveredMs.map(at).join(" and ") || "nowhere";
  trace.note("", "times", () => `created ${at(createdMs)}, promoted ${at(promotedMs)}, delivered ${delivered}`);
  for (const signer of signers) trace.note("", "signer", () => tellSigner(signer));
  const { lastUsed, trail, regions } = troubles;
  trace.note("", "sources", () =>
    [
      `last-used ${describeMs(lastUsed.lagMs)} late`,
      ...spans("stands still", [...lastUsed.stalls, ...lastUsed.frozen]),
      ...spans("wavers", lastUsed.wavers),
      ...spans("no date", lastUsed.absent),
      ...spans("refused", lastUsed.outages),
      lastUsed.throttled > 0 ? `throttled in ${String(lastUsed.throttled)} of the hours` : "",
      `CloudTrail ${describeMs(trail.lagMs)} late, ${String(trail.lost)} of its events lost`,
      ...spans("stands still", trail.stalls),
      ...trail.outages.flatMap((outage) => spans(`refused in ${outage.region ?? "all Regions"}`, [outage])),
      ...spans("Regions not told", regions),
    ]
      .filter((said) => said !== "")
      .join(", "),
  );
  trace.note("", "least", () => `the old key may go at ${at(leastMs(judging))} at the earliest`);
}

function tellSigner({ name, rhythm, call, switchesMs, promisedMs, fallsBack }: Signer): string {
  const where = `${call.service} ${call.operation} in ${call.region}${call.isManagement ? "" : " (data plane)"}`;
  const back =
    fallsBack === null
      ? ""
      : `, ${String(fallsBack.chance)} of its calls with AWSPREVIOUS until ${at(fallsBack.untilMs)}`;
  return `${name}: ${rhythm.name}, ${where}, the replacement from ${at(switchesMs)} on${back}; promised ${describeMs(promisedMs)}`;
}
