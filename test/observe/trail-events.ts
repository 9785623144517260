import type { SearchEvents, TrailEvent } from "../../src/cloud/event-history.ts";
import type { RotationError } from "../../src/rotation/errors.ts";
import { instant } from "../../src/rotation/time.ts";

/** A management event that a key signed; a test states what matters to it. */
export const anEvent = (changes: Partial<TrailEvent> = {}): TrailEvent => ({
  name: "DescribeLogGroups",
  at: instant(0),
  service: "logs",
  sourceAddress: "198.51.100.7",
  userAgent: "aws-sdk-go/1.44",
  errorCode: null,
  principalArn: null,
  requestParameters: {},
  responseElements: {},
  ...changes,
});

/** Event history that has these events, by Region, and fails where a Region has an error after them. */
export function aHistory(
  regions: Readonly<Record<string, readonly (TrailEvent | RotationError)[]>>,
): SearchEvents & { readonly read: () => number } {
  let read = 0;
  const search: SearchEvents = async function* ({ region, from }) {
    await Promise.resolve();
    for (const event of regions[region] ?? []) {
      if (event instanceof Error) throw event;
      if (event.at < from - (from % 1_000)) return;
      read += 1;
      yield event;
    }
  };
  return Object.assign(search, { read: () => read });
}
