import * as z from "zod/mini";
import { RotationError } from "../rotation/errors.ts";
import type { Instant } from "../rotation/time.ts";
import type { AskService } from "./json-service.ts";
import { readJson } from "./read-json.ts";
import { retryThrottled, type Waiting } from "./retry.ts";
import { translateError } from "./translate-error.ts";

/** Of one request. All of them may have 1 MB together, and one of ours has a few kB. Source: EventBridge API, PutEvents. */
const ENTRIES_MAX = 10;

/** An event before it has its envelope. */
interface BusEvent {
  readonly type: string;
  readonly at: Instant;
  readonly detail: object;
}

/** Puts events on a bus. Those that the bus could not take for the moment are sent again, and no others. Throws `RotationError`. */
export type PutEvents = (events: readonly BusEvent[]) => Promise<void>;

/** An entry that was taken has no error's code; the others of the same request may have been. */
const Answer = z.object({ Entries: z.array(z.object({ ErrorCode: z.nullish(z.string()) })) });
/** Source: EventBridge API, PutEventsResultEntry (ErrorCode). */
const PASSING = ["ThrottlingException", "InternalFailure"];

export function createEventBus(ask: AskService, bus: string, waiting: Waiting): PutEvents {
  const doing = `putting events on the bus ${bus}`;
  async function put(entries: readonly object[]): Promise<void> {
    let left = entries;
    await retryThrottled(waiting, async () => {
      const answer = readJson(Answer, await ask(doing, "PutEvents", { Entries: left }));
      if (answer?.Entries.length !== left.length) {
        throw new RotationError("Unreachable", `${doing}, the answer has an unknown shape`, { outcomeUnknown: true });
      }
      const codes = answer.Entries.map(({ ErrorCode }) => ErrorCode ?? null);
      left = left.filter((_, index) => codes[index] !== null);
      const code =
        codes.find((found) => found !== null && !PASSING.includes(found)) ?? codes.find((found) => found !== null);
      if (!code) return;
      const refused = { name: code, $metadata: { httpStatusCode: 400 } };
      throw PASSING.includes(code)
        ? new RotationError("Throttled", `${doing}, ${code}`)
        : translateError(refused, doing);
    });
  }
  return async (events) => {
    const entries = events.map(({ type, at, detail }) => {
      const Detail = JSON.stringify(detail);
      return { Source: "keyturn", DetailType: type, Time: at / 1_000, Detail, EventBusName: bus };
    });
    for (let start = 0; start < entries.length; start += ENTRIES_MAX)
      await put(entries.slice(start, start + ENTRIES_MAX));
  };
}
