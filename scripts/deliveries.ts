import { availableParallelism } from "node:os";
import { countOf, optionsOf } from "./command-line.ts";
import { measureAll } from "./deliveries/pool.ts";
import { HEAD, isAsAnnounced, lineOf, summaryOf } from "./deliveries/print.ts";
import type { Measured, Row } from "./deliveries/rotation.ts";
import { callsOfDelivery, rowsFor } from "./deliveries/rows.ts";

const HELP = `npm run deliveries [-- <options>]

Rotates the key of a Worker in real workerd from beginning to end, once a row, by Keyturn's own sweeps, on a cloud that
runs in this process. Visitors call the Worker without a pause, at every step and in the middle of each; only while the
cloud's time leaps, from one sweep to the next, nobody is under way. A row is over when the old key is deleted, and a day
has passed without it. All rows take seven minutes on two cores that have nothing else to do.

  calls            of visitors, from before the replacement is made to after the old key is deleted
  in a delivery    those of them between the first write to Cloudflare and the end of a sweep
  failed           AWS refused the Worker's call, or the visitor got no answer
  with "…"         the row above it with a mistake built in (test/simulation/mutants): something must go wrong

Exits with 1 when a call failed where none may, when a rotation did not end, when somebody's deploy was undone, or when a
mistake was not noticed.

  --rows <text>    only the rows whose names contain this, and what is built into them
  --calls <n>      so many calls a row, at least; without it 10,000. A few hundred do for work
  --jobs <n>       so many rows at once; without it one a core
  --list           only the names of the rows
  --help           prints this`;

const values = optionsOf(HELP, {
  rows: { type: "string", default: "" },
  calls: { type: "string", default: "10000" },
  jobs: { type: "string", default: String(availableParallelism()) },
  list: { type: "boolean", default: false },
});
const [requestsMin, jobs] = [countOf(HELP, "calls", values.calls), countOf(HELP, "jobs", values.jobs)];

const calls = await callsOfDelivery();
const rows = rowsFor(calls);
const chosen = [...rows.entries()].filter(([, row]) => `${row.what} ${row.twinOf ?? ""}`.includes(values.rows));
if (values.list) console.log(chosen.map(([, { what }]) => what).join("\n"));
else process.exitCode = await run();

/** Prints the table. Gives the exit status. */
async function run(): Promise<number> {
  const startedAtMs = performance.now();
  const results: (readonly [Row, Measured])[] = [];
  const tasks = chosen.map(([index]) => ({ index, calls, requestsMin }));
  console.log(HEAD);
  await measureAll(tasks, jobs, ({ index }, measured) => {
    const row = rows[index];
    if (row === undefined) return;
    results.push([row, measured]);
    console.log(lineOf(row, measured));
  });
  console.log(`\n${summaryOf(results, performance.now() - startedAtMs)}`);
  return results.every(([row, measured]) => isAsAnnounced(row, measured)) ? 0 : 1;
}
