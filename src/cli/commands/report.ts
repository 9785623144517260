import { rename, stat, writeFile } from "node:fs/promises";
import { pid } from "node:process";
import type { CliCommand, Terminal } from "../command.ts";
import { collect, Refused, TypedWrongly, withFunction } from "../function.ts";
import { csvOf } from "../report/csv.ts";
import { pageOf } from "../report/page.ts";
import { ageDays, judgeUser, type Report } from "../report/story.ts";
import { table } from "../text-table.ts";
import { isAsked, text, when, words } from "../typed.ts";

const FORMATS: Readonly<Record<string, (report: Report) => string>> = {
  csv: csvOf,
  json: (report) => `${JSON.stringify(report, null, 2)}\n`,
  html: pageOf,
};

export const REPORT: CliCommand = {
  name: "report",
  usage: "[--format csv|json|html] [--out <file>]",
  summary: "For the auditor: every key with its age, its last rotation, and the evidence of each retirement.",
  help: `Without --format a table. The HTML is one page with a time line, that needs no network: keep it, or send it on.

  keyturn report
  keyturn report --format html --out keys.html
  keyturn report --format csv > keys.csv`,
  options: { format: { type: "string" }, out: { type: "string" } },
  async run(typed, terminal) {
    words(typed, []);
    const format = text(typed, "format") ?? (isAsked(typed, "json") ? "json" : "table");
    const render = format === "table" ? (report: Report) => tableOf(report, terminal) : FORMATS[format];
    if (render === undefined) throw new TypedWrongly(`There is no format ${format}: say csv, json or html.`);
    const { items: users, first } = await withFunction(typed, terminal, (ask) =>
      collect({ ask, terminal }, { command: "report" }, (page: Report) => page.users),
    );
    const { at } = first;
    const rendered = render({ at, users: users.map((user) => ({ ...UNREAD, ...user })) });
    const out = text(typed, "out");
    if (out === undefined) terminal.out(rendered);
    else await save(out, rendered, terminal);
    return users.some(({ error }) => error) ? 1 : 0;
  },
};

/** What is not told of a user that could not be read. */
const UNREAD = { maxAgeMs: null, rotateAfterMs: null, rotatedAt: null, keys: [], error: null };

function tableOf({ at, users }: Report, terminal: Terminal): string {
  const rows = users.flatMap((user) => {
    const { said } = judgeUser(user, at);
    const known = [user.user, user.profile ?? "-"];
    if (user.keys.length === 0)
      return [[...known, "-", "-", "-", when(user.rotatedAt).slice(0, 10), user.error ?? said]];
    return user.keys.map((key, index) => {
      const age = ageDays(key, at);
      const cells = [key.id, key.status, age === null ? "?" : `${String(age)} d`];
      return [
        ...(index === 0 ? known : ["", ""]),
        ...cells,
        ...(index === 0 ? [when(user.rotatedAt).slice(0, 10), said] : ["", ""]),
      ];
    });
  });
  return table(["USER", "PROFILE", "KEY", "STATUS", "AGE", "ROTATED", "STANDS"], rows, terminal.columns);
}

/** Whole or not at all, so that a report of yesterday is not half overwritten. */
async function save(file: string, rendered: string, terminal: Terminal): Promise<void> {
  const unfinished = `${file}.${String(pid)}`;
  const there = await stat(file).catch(() => null);
  // Renaming would put a file in the place of /dev/null, for everybody.
  if (there?.isFile() === false) throw new Refused(`writing ${file}, it is no file. Name one, or leave --out out.`);
  try {
    await writeFile(unfinished, rendered, { flag: "wx" });
    await rename(unfinished, file);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? "it failed";
    throw new Refused(`writing ${file}, ${code}. See that its folder is there, and that you may write it.`);
  }
  terminal.err(`Written to ${file}.\n`);
}
