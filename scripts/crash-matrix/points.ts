import { FAULTS, isFault } from "./faults.ts";
import type { FaultName } from "./faults.ts";
import { isSystem } from "./ground.ts";
import type { System } from "./ground.ts";

/** A request of a rotation, as the clean run met it: the n-th of a named sweep. */
export interface Place {
  readonly system: System;
  readonly sweep: string;
  readonly nth: number;
  /** Such as `iam.CreateAccessKey`. Requests that are sent side by side may come in another order at another time. */
  readonly request: string;
}

/** One cell of the matrix. */
export interface Point extends Omit<Place, "request"> {
  readonly fault: FaultName;
}

export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

/** As the command line names a point: `matchmaking:create:32:lost`. */
export const idOf = ({ system, sweep, nth, fault }: Point): string => [system, sweep, nth, fault].join(":");

/** Null for what names no point. */
export function parsePoint(id: string): Point | null {
  const [system = "", sweep = "", nth = "", fault = "", ...more] = id.split(":");
  if (more.length > 0 || !isSystem(system) || !isFault(fault) || !/^[1-9]\d*$/.test(nth)) return null;
  return { system, sweep, nth: Number(nth), fault };
}

export const pointsOf = (places: readonly Place[], faults: readonly FaultName[]): Point[] =>
  places.flatMap(({ system, sweep, nth }) => faults.map((fault) => ({ system, sweep, nth, fault })));

/** So many points, evenly over the requests, and every fault in its turn. */
export function spread(places: readonly Place[], count: number): Point[] {
  return Array.from({ length: count }, (_, index) => {
    const place = places[Math.floor(((index + 0.5) * places.length) / count)];
    const fault = FAULT_NAMES[index % FAULT_NAMES.length];
    if (place === undefined || fault === undefined) throw new RangeError("there is nothing to spread the points over");
    return { system: place.system, sweep: place.sweep, nth: place.nth, fault };
  });
}
