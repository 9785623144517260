import { Logger } from "@aws-lambda-powertools/logger";
import { RotationError } from "../rotation/errors.ts";
import type { Log } from "../rotation/world.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Where the lines go: a part of Powertools' Logger. */
export interface LogSink {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
  error(message: string, fields: Record<string, unknown>): void;
}

/**
 * The log: one JSON line a decision, one an outcome, with a static message and the fields apart. Key ids are logged;
 * a `Secret` prints as "[secret]", and an error as its code and message, without the cause that it wraps.
 */
export function createLog(sink: LogSink = new Logger({ serviceName: "keyturn", logLevel: "INFO" })): Log {
  const write = (level: "info" | "warn" | "error", message: string, fields: Fields): void => {
    sink[level](message, plain(fields));
  };
  return {
    decision: (user, decision) => write("info", "decided", { user, ...decision }),
    outcome: (user, outcome) => write(outcome.kind === "failed" ? "error" : "info", "acted", { user, ...outcome }),
    event: write,
  };
}

function plain(fields: Fields): Record<string, unknown> {
  return JSON.parse(JSON.stringify(fields, asPlain)) as Record<string, unknown>;
}

function asPlain(_key: string, value: unknown): unknown {
  if (value instanceof RotationError) return { code: value.code, message: value.message };
  if (value instanceof Error) return { code: value.name, message: value.message };
  return value;
}
