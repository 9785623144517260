import type { Publication, Publish } from "../../cloud/sns.ts";
import { asRotationError } from "../../rotation/errors.ts";
import type { Notice, Severity } from "../../rotation/notice.ts";
import type { Notifier } from "../../rotation/world.ts";

/** SNS takes subjects of fewer than 100 characters. Source: SNS API, Publish (Subject). */
const SUBJECT_LENGTH_MAX = 99;

const PREFIX: Record<Severity, string> = { urgent: "[keyturn] URGENT", warning: "[keyturn]", info: "[keyturn] info" };

/** Sends each notice as one message to an SNS topic. All are tried; the first failure is thrown after the last. */
export function createSnsNotifier(publish: Publish): Notifier {
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
  const facts = `User: ${user}\nWhen: ${at}\nMore: docs/runbook.md, ${code}`;
  return { subject: subjectOf(notice), message: `${text}\n\nWhat to do: ${advice}\n\n${facts}\n\n${json}\n` };
}

/** The user's name gives way where both do not fit: the body repeats it. */
function subjectOf({ severity, user, code }: Notice): string {
  // "OldKeyStillUsed" as "old key still used".
  const inWords = code.replaceAll(/\B[A-Z]/g, " $&").toLowerCase();
  const room = SUBJECT_LENGTH_MAX - `${PREFIX[severity]} : ${inWords}`.length;
  const name = user.length <= room ? user : `${user.slice(0, room - 3)}...`;
  return `${PREFIX[severity]} ${name}: ${inWords}`;
}
