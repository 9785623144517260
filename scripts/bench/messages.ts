import type { CloudRole } from "../../test/world/cloud.ts";

export const START_MS = Date.UTC(2027, 0, 4);

/** A throttle: a bucket that fills at so many a second. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What the simulated cloud in its own process is told. */
export type Order =
  | { readonly do: "seed"; readonly users: number; readonly keyAgeMs: number; readonly isInCustody: boolean }
  | { readonly do: "advance"; readonly ms: number }
  | ({ readonly do: "limit-iam" } & Rate)
  /** Counts from now on. */
  | { readonly do: "measure" }
  | { readonly do: "tell" };

/** Its answer to every order, and with the place where it is, its first message. */
export interface Told {
  /** All keys there ever were. */
  readonly keys: number;
  readonly regions: number;
  readonly byService: Readonly<Record<string, number>>;
  readonly inFlightMax: number;
}
export interface Place {
  readonly url: string;
  readonly tableName: string;
  readonly role: CloudRole;
}
