import { describe, expect, test } from "vitest";
import { parseCommand } from "../../src/handlers/command.ts";

describe("an event", () => {
  test.for<[object, object]>([
    [{ command: "sweep" }, { command: "sweep" }],
    [
      { command: "sweep", users: ["a", "b"] },
      { command: "sweep", users: ["a", "b"] },
    ],
    [{ command: "plan" }, { command: "plan" }],
    [
      { command: "explain", user: "deploy" },
      { command: "explain", user: "deploy" },
    ],
    [
      { command: "release", user: "deploy", key: "AKIAIOSFODNN7EXAMPLE" },
      { command: "release", user: "deploy", key: "AKIAIOSFODNN7EXAMPLE" },
    ],
    [{ command: "resume" }, { command: "resume" }],
    [
      { command: "release", user: "deploy" },
      { command: "release", user: "deploy" },
    ],
    [
      { command: "pause", reason: "a freeze: until Monday" },
      { command: "pause", reason: "a freeze: until Monday" },
    ],
    [
      { command: "hold", user: "deploy", reason: "Wartung ab 9:00" },
      { command: "hold", user: "deploy", reason: "Wartung ab 9:00" },
    ],
    [
      { command: "rotate", user: "deploy" },
      { command: "rotate", user: "deploy" },
    ],
    [
      { command: "rollback", user: "deploy" },
      { command: "rollback", user: "deploy" },
    ],
    [
      { command: "retire", user: "deploy", key: "AKIAIOSFODNN7EXAMPLE" },
      { command: "retire", user: "deploy", key: "AKIAIOSFODNN7EXAMPLE" },
    ],
    [{ source: "aws.scheduler", "detail-type": "Scheduled Event", detail: "{}" }, { command: "sweep" }],
    [{ source: "aws.events", "detail-type": "Scheduled Event", resources: [] }, { command: "sweep" }],
  ])("%j is a command", ([event, command]) => {
    expect(parseCommand(event)).toEqual(command);
  });

  test.for<[unknown, string]>([
    [undefined, "the event: found nothing; allowed: an object"],
    ["sweep", 'the event: found "sweep"'],
    [["sweep"], 'the event: found ["sweep"]'],
    [
      {},
      "command: found nothing; allowed: sweep, plan, explain, revoke, release, forget, status, history, report, doctor, resume, pause",
    ],
    [{ command: "dance" }, 'command: found "dance"; allowed: sweep'],
    [{ command: "pause" }, "reason: found nothing; allowed: up to 256 letters"],
    [{ command: "hold", user: "a", reason: " " }, "reason: found 1 characters"],
    [{ command: "hold", user: "a", reason: "x".repeat(257) }, "reason: found 257 characters"],
    [{ command: "hold", user: "a", reason: "why, oh why" }, "reason: found 11 characters"],
    [{ command: "hold", user: "a", reason: `it is ${"wJalrXUtnFEMI/K7".repeat(3)}` }, "reason: found 54 characters"],
    [{ command: "retire", user: "a" }, "key: found nothing; allowed: an access key id"],
    [{ command: "constructor" }, 'command: found "constructor"'],
    [{ source: "aws.s3", "detail-type": "Object Created" }, "command: found nothing"],
    [{ command: "sweep", user: "a" }, 'user: found "a"; allowed: with sweep, only command and users'],
    [{ command: "resume", users: ["a"] }, 'users: found ["a"]; allowed: with resume, only command'],
    [{ command: "sweep", users: [] }, "users: found []; allowed: a list of one"],
    [{ command: "sweep", users: "a" }, 'users: found "a"'],
    [{ command: "sweep", users: ["a", 7] }, "users.1: found 7; allowed: the name of an IAM user"],
    [{ command: "explain" }, "user: found nothing"],
    [{ command: "release", user: "a", key: "AKIA" }, 'key: found "AKIA"; allowed: an access key id'],
    [{ command: "explain", user: "a b" }, 'user: found "a b"'],
  ])("%j is refused", ([event, message]) => {
    expect(() => parseCommand(event)).toThrow(`reading the event, ${message}`);
  });
});
