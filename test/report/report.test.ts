import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/rotation/errors.ts";
import { userName } from "../../src/rotation/keys.ts";
import { type Notice, type NoticeCode, NOTICES } from "../../src/rotation/notice.ts";
import type { Log, Notifier } from "../../src/rotation/world.ts";
import type { Topic } from "../../src/cloud/sns.ts";
import { createSnsNotifier, render } from "../../src/report/notifiers/sns.ts";
import { report } from "../../src/report/report.ts";
import { daysAgo, NOW, USER } from "./builders.ts";

const notice = (differs: Partial<Notice> = {}): Notice => ({
  code: "OldKeyStillUsed",
  severity: "urgent",
  user: USER,
  at: NOW,
  text: "AKIAK1 was used 3 h ago by s3 in us-east-1.",
  advice: "Find the consumer.",
  dedupeKey: "OldKeyStillUsed",
  ...differs,
});

function recordingLog() {
  const lines: { level: string; message: string; fields: object }[] = [];
  const log: Log = {
    decision: () => undefined,
    outcome: () => undefined,
    event: (level, message, fields) => lines.push({ level, message, fields }),
  };
  return { log, lines };
}

function inbox(name: string) {
  const got: Notice[] = [];
  const notifier: Notifier = {
    name,
    notify: (notices) => Promise.resolve(void got.push(...notices)),
  };
  return { notifier, got };
}

describe("report", () => {
  test("sends to every notifier, past one that fails, and says which did", async () => {
    const { log, lines } = recordingLog();
    const mail = inbox("mail");
    const broken: Notifier = {
      name: "broken",
      notify: () => Promise.reject(new RotationError("Denied", "notifying, access denied")),
    };
    const sent = await report({ notifiers: [broken, mail.notifier], log }, [notice()]);
    expect(sent).toEqual(["broken"]);
    expect(mail.got).toHaveLength(1);
    expect(lines).toMatchObject([{ level: "error", message: "a notifier failed", fields: { notifier: "broken" } }]);
  });

  test("survives a notifier that throws before it waits for anything", async () => {
    const { log } = recordingLog();
    const rude: Notifier = {
      name: "rude",
      notify: () => {
        throw new TypeError("nothing there");
      },
    };
    expect(await report({ notifiers: [rude], log }, [notice()])).toEqual(["rude"]);
  });

  test("sends nothing when there is nothing to say", async () => {
    const { log } = recordingLog();
    const mail = inbox("mail");
    await report({ notifiers: [mail.notifier], log }, []);
    expect(mail.got).toEqual([]);
  });
});

describe("the SNS notifier", () => {
  test("renders a notice for somebody who is tired", () => {
    const command = "npx keyturn explain flowid-dev-user";
    const { subject, message } = render(notice({ command, since: daysAgo(3), owner: "mail/ops@example.com" }));
    expect(subject).toBe("[keyturn] URGENT flowid-dev-user: old key still used");
    expect(message.split("\n")).toEqual([
      "AKIAK1 was used 3 h ago by s3 in us-east-1.",
      "",
      "What to do: Find the consumer.",
      "Whose move: yours",
      `Type: ${command}`,
      "User: flowid-dev-user",
      "Owner: mail/ops@example.com",
      "When: 2026-06-01T00:00:00.000Z",
      "Since: 2026-05-29T00:00:00.000Z",
      "More: docs/runbook/warning.md#oldkeystillused",
      "",
    ]);
  });

  test("gives programs the same as JSON, and filters what they can tell it by", () => {
    const { json = "", attributes } = render(notice({ owner: "team-a" }));
    expect(JSON.parse(json)).toMatchObject({ version: 1, code: "OldKeyStillUsed", move: "operator", owner: "team-a" });
    const known = { code: "OldKeyStillUsed", severity: "urgent", user: "flowid-dev-user" };
    expect(attributes).toEqual({ ...known, state: "open", owner: "team-a" });
  });

  test("says of what is over that it is, and of the service that no user is meant", () => {
    const over = render(notice({ isOver: true, move: "nobody" }));
    expect(over.subject).toBe("[keyturn] over flowid-dev-user: old key still used");
    expect(over.message).toContain("Whose move: nobody's");
    expect(over.attributes).toMatchObject({ severity: "urgent", state: "over" });
    const ours = render(notice({ user: null, code: "NobodyListens" }));
    expect(ours.subject).toBe("[keyturn] URGENT the service: nobody listens");
    expect(ours.attributes).not.toHaveProperty("user");
    expect(ours.message).not.toContain("User:");
  });

  test.for(Object.keys(NOTICES) as NoticeCode[])("keeps the subject of %s to what SNS takes", (code) => {
    const { subject } = render(notice({ code, user: userName("u".repeat(64)) }));
    expect(subject).toMatch(/^[\x20-\x7e]{1,99}$/);
    expect(subject).toContain(": ");
  });

  test("tries every notice, and throws the first failure after the last", async () => {
    const subjects: string[] = [];
    const publish: Topic["publish"] = ({ subject }) => {
      subjects.push(subject);
      return subjects.length === 1
        ? Promise.reject(new RotationError("Throttled", "publishing, too many requests"))
        : Promise.resolve();
    };
    const notifier = createSnsNotifier({ publish, whyUnheard: () => Promise.resolve(null) });
    const notices = [notice(), notice({ severity: "info", code: "KeyDeleted" })];
    await expect(notifier.notify(notices)).rejects.toThrow("too many requests");
    expect(subjects).toEqual([
      "[keyturn] URGENT flowid-dev-user: old key still used",
      "[keyturn] info flowid-dev-user: key deleted",
    ]);
  });
});
