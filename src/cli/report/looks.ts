/** How the report's page looks, in light and in dark; nothing is told by colour alone. */
export const STYLE = `
:root { --who: 21rem; --back: #fbfbfa; --panel: #fff; --text: #1d2126; --faint: #5c6670; --line: #e3e5e8; --active: #2f6fb5; --inactive: #9aa5b1;
  --bad: #b3261e; --badback: #f4c7c3; --rotation: #14375e; --now: #1d2126; --hover: #f1f4f8; }
@media (prefers-color-scheme: dark) {
  :root { --back: #14171b; --panel: #1b1f24; --text: #e6e9ec; --faint: #9aa5b1; --line: #2d333a; --active: #5b9be0; --inactive: #6b7682;
    --bad: #ff8f85; --badback: #5a2420; --rotation: #f2f6fb; --now: #e6e9ec; --hover: #232930; }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; max-width: 96rem; padding: 1.5rem 2rem 3rem; background: var(--back); color: var(--text);
  font: 15px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { margin: 0; font-size: 1.6rem; letter-spacing: -0.01em; }
header p, .faint { margin: 0.1rem 0 1rem; color: var(--faint); }
ul { list-style: none; margin: 0; padding: 0; }
.tiles { display: flex; flex-wrap: wrap; gap: 0.75rem; margin-bottom: 1.25rem; }
.tiles li { min-width: 8rem; padding: 0.55rem 0.9rem; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; color: var(--faint); }
.tiles b { display: block; font-size: 1.45rem; line-height: 1.2; color: var(--text); font-variant-numeric: tabular-nums; }
.tiles .bad, .tiles .bad b { color: var(--bad); }
.tiles .bad { border-color: var(--bad); }
form { display: flex; flex-wrap: wrap; gap: 0.6rem; align-items: center; margin-bottom: 0.8rem; }
input, select { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--inactive); border-radius: 6px; padding: 0.4rem 0.6rem; }
input { flex: 0 1 24rem; min-width: 12rem; }
output { color: var(--faint); }
:focus-visible { outline: 2px solid var(--active); outline-offset: 1px; }
.legend { display: flex; flex-wrap: wrap; gap: 0.3rem 1.4rem; margin-bottom: 0.8rem; color: var(--faint); font-size: 0.87rem; }
.legend li { display: flex; align-items: center; gap: 0.45rem; }
.chart { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; }
.head, summary { display: grid; grid-template-columns: var(--who) minmax(0, 1fr); align-items: center; }
.head { position: sticky; top: 0; z-index: 2; background: var(--panel); border-bottom: 1px solid var(--line); border-radius: 8px 8px 0 0; color: var(--faint); font-size: 0.82rem; }
.head span { padding-left: 1.9rem; }
.rows { position: relative; }
.grid { position: absolute; top: 0; right: 0; height: 100%; width: calc(100% - var(--who)); pointer-events: none; }
svg { overflow: visible; }
.axis, .lanes { width: 100%; display: block; }
.axis { overflow: hidden; }
.axis text { fill: var(--faint); font-size: 12px; font-variant-numeric: tabular-nums; }
.axis .today { fill: var(--text); font-weight: 600; }
.month { stroke: var(--line); }
.now { stroke: var(--now); stroke-width: 1.25; opacity: 0.55; }
.user { border-bottom: 1px solid var(--line); position: relative; }
.user:last-of-type { border-bottom: 0; }
summary { cursor: pointer; list-style: none; padding: 0.3rem 0; }
summary::-webkit-details-marker { display: none; }
summary:hover { background: color-mix(in srgb, var(--hover) 60%, transparent); }
.who { position: relative; padding: 0 0.8rem 0 1.9rem; min-width: 0; }
.who::before { content: "▸"; position: absolute; left: 0.8rem; color: var(--faint); }
[open] > summary .who::before { content: "▾"; }
.name { display: block; font-weight: 600; overflow-wrap: anywhere; line-height: 1.25; }
.how { display: block; font-size: 0.83rem; color: var(--faint); line-height: 1.35; }
.profile::after { content: " ·"; }
.state.past, .state.unreadable, .error { color: var(--bad); font-weight: 600; }
.active { fill: var(--active); }
.inactive { fill: url(#inactive); stroke: var(--inactive); }
.beyond { fill: url(#beyond); stroke: var(--bad); }
.p-back { fill: var(--panel); } .p-line { fill: var(--inactive); }
.b-back { fill: var(--badback); } .b-line { fill: var(--bad); }
.rotation { fill: var(--rotation); stroke: var(--panel); stroke-width: 1.5; }
.before { fill: var(--panel); }
.end { stroke: var(--text); stroke-width: 2.5; }
.policy { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 3 2; fill: none; }
.more { position: relative; z-index: 1; background: var(--back); border-top: 1px solid var(--line); padding: 0.8rem 1.9rem 1.1rem; overflow-x: auto; }
.more h3 { margin: 0.9rem 0 0.1rem; font-size: 0.95rem; }
.more p { margin: 0.2rem 0; }
.more li { color: var(--faint); font-size: 0.87rem; padding-left: 1rem; text-indent: -1rem; overflow-wrap: anywhere; }
.more li::before { content: "· "; }
table { border-collapse: collapse; font-size: 0.88rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.25rem 1.4rem 0.25rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--faint); font-weight: 600; }
.none { padding: 1.2rem 1.9rem; margin: 0; color: var(--faint); }
@media (max-width: 52rem) { :root { --who: 11rem; } body { padding: 1rem; } .head span, .who { padding-left: 1.3rem; } .who::before { left: 0.3rem; }
  .axis text:nth-of-type(even):not(.today) { display: none; } }
@media print { form, .who::before { display: none; } body { padding: 0; } .user { break-inside: avoid; } }
`;

/** The filter. It reads what the rows bear and shows or hides them; it makes no markup of any text. */
export const SCRIPT = `
const find = document.getElementById("find"), kind = document.getElementById("kind"), count = document.getElementById("count");
const rows = [...document.querySelectorAll(".user")], none = document.querySelector(".none");
function show() {
  const words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    row.hidden = !words.every((word) => row.dataset.find.includes(word)) || (kind.value !== "" && row.dataset.kind !== kind.value);
    if (!row.hidden) shown += 1;
  }
  count.textContent = shown === rows.length ? rows.length + " users" : shown + " of " + rows.length + " users";
  none.hidden = shown > 0;
}
find.addEventListener("input", show);
kind.addEventListener("change", show);
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target === find) return;
  event.preventDefault();
  find.focus();
});
show();
`;
