import { ServiceError } from "./call.ts";
import type { CloudAnswer } from "./call.ts";
import type { Operations, Received } from "./caller.ts";
import { optionalText, structures } from "./input.ts";
import { uuid } from "./random.ts";
import type { SeededRandom } from "./random.ts";

/** An event that a bus took. */
export interface BusEvent {
  readonly bus: string;
  readonly source: string;
  readonly type: string;
  readonly atMs: number;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Source: EventBridge API, PutEvents: at most ten entries, and 1 MB of them together. */
const ENTRIES_MAX = 10;
const BYTES_MAX = 1_048_576;

/** Event buses that keep what they took. Each entry of a request is taken or refused by itself. */
export class EventBuses {
  readonly buses = new Set(["default"]);
  readonly taken: BusEvent[] = [];
  /** The codes with which the next entries are refused, one each; null for one that is taken. */
  readonly refusals: (string | null)[] = [];
  readonly operations: Operations;

  constructor(random: SeededRandom) {
    this.operations = { PutEvents: (received) => this.#put(received, random) };
  }

  #put({ input, nowMs }: Received, random: SeededRandom): CloudAnswer {
    const entries = structures(input, "Entries");
    const total = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
    if (entries.length === 0 || entries.length > ENTRIES_MAX) {
      throw new ServiceError("ValidationException", "Member must have length between 1 and 10");
    }
    if (total >= BYTES_MAX) throw new ServiceError("ValidationException", "Total size of the entries is too large");
    const Entries = entries.map((entry) => {
      const code = this.#refusalOf(entry);
      if (code !== null) return { ErrorCode: code, ErrorMessage: "The entry was not taken." };
      this.taken.push(eventOf(entry, nowMs));
      return { EventId: uuid(random) };
    });
    return { FailedEntryCount: Entries.filter((entry) => "ErrorCode" in entry).length, Entries };
  }

  #refusalOf(entry: Readonly<Record<string, unknown>>): string | null {
    const planned = this.refusals.shift() ?? null;
    if (planned !== null) return planned;
    const [source, type, detail] = ["Source", "DetailType", "Detail"].map((member) => optionalText(entry, member));
    if (!source || !type || !detail || !this.buses.has(busOf(entry))) return "InvalidArgument";
    if (source.startsWith("aws.")) return "NotAuthorizedForSourceException";
    return isObject(detail) ? null : "MalformedDetail";
  }
}

/** Source: EventBridge User Guide, calculating the size of an event: fourteen bytes for a time, and each text. */
function sizeOf(entry: Readonly<Record<string, unknown>>): number {
  const texts = ["Source", "DetailType", "Detail"].map((member) =>
    Buffer.byteLength(optionalText(entry, member) ?? ""),
  );
  return texts.reduce((sum, bytes) => sum + bytes, entry["Time"] === undefined ? 0 : 14);
}

const busOf = (entry: Readonly<Record<string, unknown>>): string => optionalText(entry, "EventBusName") ?? "default";

function isObject(detail: string): boolean {
  try {
    const parsed: unknown = JSON.parse(detail);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
  } catch {
    return false;
  }
}

function eventOf(entry: Readonly<Record<string, unknown>>, nowMs: number): BusEvent {
  return {
    bus: busOf(entry),
    source: String(entry["Source"]),
    type: String(entry["DetailType"]),
    atMs: entry["Time"] === undefined ? nowMs : Number(entry["Time"]) * 1_000,
    detail: JSON.parse(String(entry["Detail"])) as Readonly<Record<string, unknown>>,
  };
}
