import type { AccessKey } from "./keys.ts";
import type { Probe, UserRecord } from "./record.ts";
import { type Instant, minutes, plus, seconds } from "./time.ts";

/** A probe ends within this time; one without an end on record is taken to have lasted so long. */
export const PROBE_LASTS_MS = minutes(2);
/** An intent stands for the first probes of the key made under it: for so long after it was written. */
export const PLANNED_PROBE_MS = minutes(15);

/** Whether a record knows all of a key's life. IAM dates keys in whole seconds, so the same second is soon enough. */
export function knowsWholeLife({ since }: UserRecord, { createdAt }: AccessKey): boolean {
  return since < plus(createdAt, seconds(1));
}

/** Whether a use may be one of our own probes: last-used gives the first use of a span of 15 minutes. */
export function isOurFootprint(at: Instant, probes: readonly Probe[]): boolean {
  return probes.some((probe) => {
    const end = probe.to ?? plus(probe.from, PROBE_LASTS_MS);
    return at >= plus(probe.from, -minutes(1)) && at <= plus(end, minutes(15));
  });
}
