import { asRotationError } from "../../rotation/errors.ts";
import type { Notice, NoticeCode, Severity } from "../../rotation/notice.ts";
import type { Notifier } from "../../rotation/world.ts";

/** SNS takes subjects of fewer than 100 characters. Source: SNS API, Publish (Subject). */
const SUBJECT_LENGTH_MAX = 99;

/** One message, as a publisher takes it. */
export interface Publication {
  readonly subject: string;
  readonly message: string;
}

const PREFIX: Readonly<Record<Severity, string>> = {
  urgent: "[keyturn] URGENT",
  warning: "[keyturn]",
  info: "[keyturn] info",
};

/** Sends each notice as one message to an SNS topic. All are tried; the first failure is thrown after the last. */
export function createSnsNotifier(publish: (publication: Publication) => Promise<void>): Notifier {
  return {
    name: "sns",
    async notify(notices) {
      const failures: unknown[] = [];
      for (const notice of notices) {
        try {
          await publish(render(notice));
        } catch (thrown) {
          failures.push(thrown);
        }
      }
      if (failures.length > 0) throw asRotationError(failures[0], "notifying by sns");
    },
  };
}

/** A notice as an e-mail for somebody who was woken by it: what is the case, what to do, and the rest below. */
export function render(notice: Notice): Publication {
  const { severity, user, code, text, advice, dedupeKey } = notice;
  const at = new Date(notice.at).toISOString();
  const json = JSON.stringify({ code, severity, user, at, text, advice, dedupeKey }, null, 2);
  return {
    subject: subjectOf(notice),
    message: [
      text,
      "",
      `What to do: ${advice}`,
      "",
      `User: ${user}`,
      `When: ${at}`,
      `More: docs/runbook.md, ${code}`,
      "",
      json,
      "",
    ].join("\n"),
  };
}

/** The user's name gives way where both do not fit: the body repeats it. */
function subjectOf({ severity, user, code }: Notice): string {
  const before = `${PREFIX[severity]} `;
  const after = `: ${inWords(code)}`;
  const room = SUBJECT_LENGTH_MAX - before.length - after.length;
  const name = user.length <= room ? user : `${user.slice(0, room - 3)}...`;
  return `${before}${name}${after}`.replaceAll(/[^\x20-\x7e]/g, "?");
}

/** "OldKeyStillUsed" as "old key still used". */
function inWords(code: NoticeCode): string {
  return code.replaceAll(/\B[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
}
