import { expect, test } from "vitest";
import { createLog, type LogSink } from "../../src/cloud/log.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { Secret } from "../../src/rotation/secret.ts";
import { decided, K1, USER } from "../report/builders.ts";

function recording() {
  const lines: unknown[] = [];
  const take = (level: string) => (message: string, fields: object) => void lines.push({ level, message, ...fields });
  const sink: LogSink = { info: take("info"), warn: take("warn"), error: take("error") };
  return { log: createLog(sink), lines };
}

test("writes one line a decision, with the reason and the sentence", () => {
  const { log, lines } = recording();
  log.decision(USER, decided("OldKeyQuiet", "silent for 11 d", { kind: "delete", keyId: K1 }));
  expect(lines).toEqual([
    {
      level: "info",
      message: "decided",
      user: USER,
      rule: "a rule",
      reason: "OldKeyQuiet",
      because: "silent for 11 d",
      step: { kind: "delete", keyId: K1 },
    },
  ]);
});

test("writes a failure as an error, by code and message, without what it wraps", () => {
  const { log, lines } = recording();
  const error = new RotationError("Denied", "deleting the key, access denied", {
    cause: new Error("request body"),
  });
  log.outcome(USER, { kind: "failed", step: { kind: "delete", keyId: K1 }, error });
  expect(lines).toEqual([
    {
      level: "error",
      message: "acted",
      user: USER,
      kind: "failed",
      step: { kind: "delete", keyId: K1 },
      error: { code: "Denied", message: "deleting the key, access denied" },
    },
  ]);
});

test("prints no secret, however deep it lies", () => {
  const { log, lines } = recording();
  log.event("warn", "something", { deep: [{ pair: { id: K1, secret: new Secret("s3cr3t") } }] });
  expect(JSON.stringify(lines)).not.toContain("s3cr3t");
  expect(lines).toMatchObject([{ deep: [{ pair: { id: K1, secret: "[secret]" } }] }]);
});
