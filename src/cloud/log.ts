import { Logger } from "@aws-lambda-powertools/logger";
import { RotationError } from "../rotation/errors.ts";
import type { Log } from "../rotation/world.ts";

type Level = "info" | "warn" | "error";

/** Where the lines go: a part of Powertools' Logger. */
export type LogSink = Readonly<Record<Level, (message: string, fields: Record<string, unknown>) => void>>;

/** One JSON line a decision and an outcome. A `Secret` prints as "[secret]", an error as its code and message alone. */
export function createLog(sink: LogSink = new Logger({ serviceName: "keyturn", logLevel: "INFO" })): Log {
  const write = (level: Level, message: string, fields: Readonly<Record<string, unknown>>): void => {
    sink[level](message, JSON.parse(JSON.stringify(fields, asPlain)) as Record<string, unknown>);
  };
  return {
    decision: (user, decision) => write("info", "decided", { user, ...decision }),
    outcome: (user, outcome) => write(outcome.kind === "failed" ? "error" : "info", "acted", { user, ...outcome }),
    event: write,
  };
}

function asPlain(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return { code: value instanceof RotationError ? value.code : value.name, message: value.message };
}
