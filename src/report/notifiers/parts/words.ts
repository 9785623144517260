import { type Move, type Notice, type NoticeCode, NOTICES } from "../../../rotation/notice.ts";
import type { Instant } from "../../../rotation/time.ts";

/** So much of a notice's text goes to programs and chats: a text of Slack's takes 3,000 characters. The mail has more. */
const TEXT_LENGTH_MAX = 2_500;

const MOVES: Record<Move, string> = {
  operator: "yours",
  time: "time's, the next sweep tries again",
  nobody: "nobody's",
};

/** "OldKeyStillUsed" as "old key still used". */
export const inWords = (code: NoticeCode): string => code.replaceAll(/\B[A-Z]/g, " $&").toLowerCase();

/** Where the runbook has the page of a notice. */
export function pageOf(code: NoticeCode): string {
  return `docs/runbook/${NOTICES[code]?.severity ?? "info"}.md#${code.toLowerCase()}`;
}

/** The text, cut where it is too long for what takes it. */
export function shortened(text: string, lengthMax = TEXT_LENGTH_MAX): string {
  // What was cut between its two halves is no letter, and no JSON for some.
  return (text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1)}…`).toWellFormed();
}

const moveOf = ({ code, move }: Notice): Move => move ?? NOTICES[code]?.move ?? "operator";
const iso = (at: Instant): string => new Date(at).toISOString();

/** What stands below the text of a notice, by its name, in the order of reading. */
export function factsOf(notice: Notice): readonly (readonly [name: string, value: string])[] {
  const { user, owner, at, since = at, command } = notice;
  const facts = [
    ["Whose move", MOVES[moveOf(notice)]],
    ["Type", command],
    ["User", user],
    ["Owner", owner],
    ["When", iso(at)],
    ["Since", since === at ? null : iso(since)],
    ["More", pageOf(notice.code)],
  ] as const;
  return facts.flatMap(([name, value]) => (value ? [[name, value] as const] : []));
}

/** A notice for programs. `docs/events.md` has its schema. */
export function toldOf(notice: Notice) {
  const { code, severity, user, owner = null, at, since = at, text, advice, command = null, dedupeKey } = notice;
  const state = notice.isOver ? "over" : "open";
  const about = { code, severity, state, user, owner, at: iso(at), since: iso(since) };
  return {
    version: 1,
    ...about,
    text: shortened(text),
    advice,
    move: moveOf(notice),
    command,
    page: pageOf(code),
    dedupeKey,
  };
}
