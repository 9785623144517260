import type { Received } from "./caller.ts";
import { eventRegion, isManagementEvent } from "./event-kind.ts";
import type { Lags } from "./iam-state.ts";

/** One event as a trail has delivered it: the fields of its record by their paths, which query languages see. */
export interface DeliveredEvent {
  readonly deliveredAtMs: number;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * A trail of all Regions, for what reads its log group or its bucket. Data events are in it where the trail selects them
 * (CloudTrail User Guide, logging data events).
 */
export class Trail {
  /** Whether it delivers. A simulated account has no trail until it is switched on. */
  isOn = false;
  hasDataEvents = true;
  readonly #lags: Lags;
  readonly #events: DeliveredEvent[] = [];

  constructor(lags: Lags) {
    this.#lags = lags;
  }

  record(received: Received, errorCode: string | null): void {
    const { service, operation, region, nowMs } = received;
    if (!this.isOn || (!this.hasDataEvents && !isManagementEvent(service, operation))) return;
    const fields = {
      eventTime: `${new Date(nowMs).toISOString().slice(0, 19)}Z`,
      eventSource: `${service}.amazonaws.com`,
      eventName: operation,
      awsRegion: eventRegion(service, region),
      sourceIPAddress: received.sourceAddress,
      userAgent: received.userAgent,
      "userIdentity.accessKeyId": received.caller.keyId,
      "userIdentity.arn": received.caller.arn,
      ...(errorCode === null ? {} : { errorCode }),
    };
    this.#events.push({ deliveredAtMs: nowMs + this.#lags.cloudTrailMs, fields });
  }

  /** What was delivered by then, oldest first. */
  deliveredBy(nowMs: number): readonly DeliveredEvent[] {
    return this.#events.filter(({ deliveredAtMs }) => deliveredAtMs <= nowMs);
  }
}
