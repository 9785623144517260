import type { Publication, Topic } from "../../cloud/sns.ts";
import { asRotationError } from "../../rotation/errors.ts";
import type { Notice, Severity } from "../../rotation/notice.ts";
import type { Notifier } from "../../rotation/world.ts";
import { factsOf, inWords, shortened, toldOf } from "./parts/words.ts";

/** SNS takes subjects of fewer than 100 characters. Source: SNS API, Publish (Subject). */
const SUBJECT_LENGTH_MAX = 99;

/** The texts of all protocols are 256 KB together at most, as JSON that may spell a sign with six. Source: SNS API, Publish. */
const TEXT_LENGTH_MAX = 30_000;

const PREFIX: Record<Severity, string> = { urgent: "[keyturn] URGENT", warning: "[keyturn]", info: "[keyturn] info" };

/** Sends each notice as one message to an SNS topic. All are tried; the first failure is thrown after the last. */
export function createSnsNotifier({ publish, whyUnheard }: Topic): Notifier {
  return {
    name: "sns",
    check: whyUnheard,
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

/**
 * A notice as an e-mail for somebody who was woken by it: what is the case, what to do, and the rest below. Programs get
 * it as JSON, and filters find code, severity, state, user and owner among the attributes.
 */
export function render(notice: Notice): Publication {
  const facts = factsOf(notice).map(([name, value]) => `${name}: ${value}`);
  const message = [shortened(notice.text, TEXT_LENGTH_MAX), "", `What to do: ${notice.advice}`, ...facts, ""].join(
    "\n",
  );
  const told = toldOf(notice);
  const { code, severity, state, user, owner } = told;
  const attributes = {
    code,
    severity,
    state,
    ...(user === null ? {} : { user }),
    // The value of a tag may be empty, and that of an attribute may not.
    ...(owner === null || owner === "" ? {} : { owner }),
  };
  return { subject: subjectOf(notice), message, json: JSON.stringify(told), attributes };
}

/** The user's name gives way where both do not fit: the body repeats it. */
function subjectOf({ severity, user, code, isOver }: Notice): string {
  const prefix = isOver ? "[keyturn] over" : PREFIX[severity];
  const words = inWords(code);
  const room = SUBJECT_LENGTH_MAX - `${prefix} : ${words}`.length;
  const whole = user ?? "the service";
  const name = whole.length <= room ? whole : `${whole.slice(0, room - 3)}...`;
  return `${prefix} ${name}: ${words}`;
}
