import { createHash } from "node:crypto";
import { SCRIPT, STYLE } from "./looks.ts";
import { ageDays, judgeUser, type Judgement, type KeyStory, type Report, type UserStory } from "./story.ts";
import { axisOf, day, escape, gridOf, lanesOf, type Span, spanOf } from "./timeline.ts";

type Judged = UserStory & { readonly judgement: Judgement };

/** One page that needs nothing else: no network, and no script but its own. Those nearest their policy's end come first. */
export function pageOf(report: Report): string {
  const { at } = report;
  const span = spanOf(report);
  const judged = report.users
    .map((user) => ({ ...user, judgement: judgeUser(user, at) }))
    .toSorted((one, other) => compare(one, other));
  const rows = judged.map((user) => rowOf(user, span, at)).join("\n");
  const source = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const allowed = `default-src 'none'; style-src ${source(STYLE)}; script-src ${source(SCRIPT)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${allowed}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Access keys, ${escape(day(at))}</title>
<style>${STYLE}</style>
</head>
<body>
<svg width="0" height="0" aria-hidden="true"><defs>
<pattern id="inactive" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="p-back" width="6" height="6"/><rect class="p-line" width="2" height="6"/></pattern>
<pattern id="beyond" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect class="b-back" width="5" height="5"/><rect class="b-line" width="2" height="5"/></pattern>
</defs></svg>
<header>
<h1>Access keys</h1>
<p>as of ${escape(at.slice(0, 16).replace("T", " "))} UTC, by Keyturn</p>
${tilesOf(judged, at)}
</header>
<main>
<form role="search">
<input type="search" id="find" placeholder="Filter by user, profile or key id" aria-label="Filter by user, profile or key id">
<select id="kind" aria-label="Show only">
<option value="">all users</option><option value="past">past their policy</option><option value="rotating">in rotation</option>
<option value="due">due</option><option value="unreadable">could not be read</option>
</select>
<output id="count" aria-live="polite">${String(judged.length)} users</output>
</form>
<ul class="legend">${LEGEND}</ul>
<div class="chart">
<div class="head"><span>User</span>${axisOf(span)}</div>
<div class="rows">${gridOf(span)}
${rows}
</div>
<p class="none" hidden>No user is like that.</p>
</div>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

const swatch = (shape: string, said: string): string =>
  `<li><svg width="26" height="14" aria-hidden="true">${shape}</svg>${said}</li>`;
const LEGEND = [
  swatch('<rect class="active" y="2" width="26" height="10" rx="2"/>', "active"),
  swatch('<rect class="beyond" y="2" width="26" height="10" rx="2"/>', "active beyond its policy"),
  swatch('<rect class="inactive" y="2" width="26" height="10" rx="2"/>', "inactive"),
  swatch(
    '<path class="rotation" transform="translate(13 7)" d="M0 -6 L6 0 L0 6 L-6 0 Z"/>',
    "rotated: this key became current",
  ),
  swatch('<path class="end" d="M13 1 V13"/>', "deleted"),
  swatch('<path class="policy" d="M13 0 V14"/>', "policy ends: the oldest it may be"),
].join("");

function compare(one: Judged, other: Judged): number {
  const [sooner, later] = [one.judgement.urgency, other.judgement.urgency];
  if (sooner !== later) return sooner > later ? -1 : 1;
  return one.user < other.user ? -1 : 1;
}

function tilesOf(users: readonly Judged[], at: string): string {
  const of = (kind: Judgement["kind"]): number => users.filter(({ judgement }) => judgement.kind === kind).length;
  const active = users.flatMap(({ keys }) => keys.filter(({ status }) => status === "active"));
  const oldest = active.reduce((most, key) => Math.max(most, ageDays(key, at) ?? 0), 0);
  const tile = (value: string, said: string, isBad = false): string =>
    `<li${isBad ? ' class="bad"' : ""}><b>${value}</b> ${said}</li>`;
  const unreadable = of("unreadable");
  return `<ul class="tiles">${[
    tile(String(users.length), "users"),
    tile(String(active.length), "active keys"),
    tile(`${String(oldest)} d`, "oldest active key"),
    tile(String(of("past")), "past their policy", of("past") > 0),
    tile(String(of("rotating")), "in rotation"),
    unreadable > 0 ? tile(String(unreadable), "could not be read", true) : "",
  ].join("")}</ul>`;
}

function rowOf(user: Judged, span: Span, at: string): string {
  const { kind, said } = user.judgement;
  const find = [user.user, user.profile ?? "", ...user.keys.map(({ id }) => id)].join(" ").toLowerCase();
  const badge = kind === "past" || kind === "unreadable" ? "! " : "";
  const error = user.error === null ? "" : `<p class="error">${escape(user.error)}</p>`;
  return `<details class="user" data-find="${escape(find)}" data-kind="${kind}">
<summary><span class="who"><span class="name">${escape(user.user)}</span><span class="how"><span class="profile">${escape(user.profile ?? "no profile")}</span> <span class="state ${kind}">${badge}${escape(said)}</span></span></span>${lanesOf(user, span)}</summary>
<div class="more">${error}${user.keys.length > 0 ? tableOf(user.keys, at) : ""}${evidenceOf(user.keys)}</div>
</details>`;
}

function tableOf(keys: readonly KeyStory[], at: string): string {
  const heads = ["Key", "Status", "Made", "Age", "Became current", "Deactivated", "Deleted"];
  const rows = keys.map((key) => {
    const age = ageDays(key, at);
    const dates = [key.promotedAt, key.deactivatedAt, key.deletedAt].map((one) => (one === null ? "–" : day(one)));
    return [key.id, key.status, day(key.createdAt), age === null ? "unknown" : `${String(age)} d`, ...dates];
  });
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join("")}</tr>`;
  return `<table><thead>${line(heads, "th")}</thead><tbody>${rows.map((row) => line(row, "td")).join("")}</tbody></table>`;
}

function evidenceOf(keys: readonly KeyStory[]): string {
  const shown = keys.flatMap(({ id, evidence }) =>
    evidence.map(({ at, what, because = "", lines = [] }) => {
      const items = lines.map((line) => `<li>${escape(line)}</li>`).join("");
      const head = `${at.slice(0, 16).replace("T", " ")} UTC, ${what} ${id}`;
      return `<section><h3>${escape(head)}</h3><p>${escape(because)}</p><ul>${items}</ul></section>`;
    }),
  );
  return shown.length === 0 ? '<p class="faint">No key of this user was retired by Keyturn yet.</p>' : shown.join("");
}
