import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { build } from "./build.ts";
import { runCommand, UsageError } from "./command-line.ts";
import { sweepAll, trails } from "./bench/cases.ts";
import type { Measured } from "./bench/cases.ts";

const COLD_STARTS = 20;
/** What a peer's source was seen to need, per user; measured elsewhere, on another simulator, without latency. */
const PEERS = [
  ["aws-iam-access-key-auto-rotation (c0b26f9)", "2.04 a user", "10.05", "strictly one after the other"],
  ["tblakex01/iam-key-rotation (2026-03)", "3.07 a user", "8.07", "strictly one after the other"],
] as const;

const HELP = `npm run bench [-- --users <n>] [-- --quick]

Counts calls and takes times, side by side in one run: sweeps with nothing due and with all due, CloudTrail in all
Regions, and the bundle. It takes nine minutes, with --users 100 --quick less than one.

  --users <n>        so many enrolled users; may be repeated; without it 100 and 5,000
  --quick            leaves CloudTrail out, which takes three minutes
  --help             prints this`;

const print = (line = ""): void => {
  process.stdout.write(`${line}\n`);
};

function row(cells: readonly (string | number)[]): void {
  const widths = [44, 10, 12, 12, 12];
  print(cells.map((cell, index) => String(cell).padEnd(widths[index] ?? 10)).join(" "));
}

function show(name: string, found: Measured): void {
  row([name, found.calls, found.perUser.toFixed(2), `${(found.wallMs / 1_000).toFixed(2)} s`, found.inFlightMax]);
  if (found.missed > 0) print(`    ${String(found.missed)} users were missed`);
}

function byService(found: Measured, rotations: number): void {
  print(
    `    calls a rotation, by service: ${Object.entries(found.byService)
      .map(([name, count]) => `${name} ${(count / rotations).toFixed(1)}`)
      .join(" · ")}`,
  );
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;

/** The packaged file in fresh processes: how long its import takes, and the most memory that it took. */
async function coldStart(): Promise<void> {
  const { file, bytes } = await build();
  // The kernel's high-water mark begins anew with the process; that of getrusage is inherited from this one.
  const script = `const at = performance.now(); require(${JSON.stringify(file)}); const ms = performance.now() - at;
    const peak = /VmHWM:\\s+(\\d+)/.exec(require("node:fs").readFileSync("/proc/self/status", "utf8"));
    process.stdout.write(JSON.stringify({ ms, mb: Number(peak[1]) / 1000 }))`;
  const runs = Array.from({ length: COLD_STARTS }, () => {
    const said = execFileSync(process.execPath, ["-e", script], { encoding: "utf8" });
    return JSON.parse(said) as { readonly ms: number; readonly mb: number };
  });
  print();
  print(
    `bundle ${String(Math.round(bytes / 1_000))} kB · import ${median(runs.map(({ ms }) => ms)).toFixed(0)} ms (median of ${String(COLD_STARTS)} fresh processes) · peak memory ${median(runs.map(({ mb }) => mb)).toFixed(0)} MB`,
  );
}

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      users: { type: "string", multiple: true, default: ["100", "5000"] },
      quick: { type: "boolean", default: false },
    },
  });
  const counts = values.users.map(Number);
  if (!counts.every((count) => Number.isSafeInteger(count) && count > 0)) {
    throw new UsageError(`--users ${values.users.join(" ")}: a whole number of 1 or more`);
  }
  return { counts, isQuick: values.quick };
}

async function bench({ counts, isQuick }: ReturnType<typeof readOptions>): Promise<void> {
  print("Every call takes 25 ms. The simulated cloud has a process of its own: its work is not in the wall time.");
  print();
  row(["", "calls", "a user", "wall", "in flight"]);
  for (const users of counts) {
    show(`${String(users)} users, nothing due`, await sweepAll({ users, isDue: false }));
    const drift = await sweepAll({ users, isDue: false, isDrifting: true });
    show(`${String(users)} users, nothing due, looked at for drift`, drift);
    print(`    what is live at a destination was asked ${String(drift.asked)} times, beside these calls`);
    for (const [isInCustody, which] of [
      [false, "keys made by hand"],
      [true, "keys in custody"],
    ] as const) {
      const due = await sweepAll({ users, isDue: true, isInCustody });
      show(`${String(users)} users, all due, ${which}`, due);
      byService(due, users);
    }
    if (users <= 100)
      show(
        `${String(users)} users, all due, IAM at 20 a second`,
        await sweepAll({ users, isDue: true, iam: { perSecond: 20, burst: 40 } }),
      );
  }
  if (!isQuick) {
    const keys = 100;
    for (const perSecond of [2, 1.9, 1.5]) {
      const { wallMs, calls, regions, unknown } = await trails({ keys, perSecond });
      const least = `at least ${(keys / perSecond).toFixed(1)} s and ${String(keys * regions)} look-ups`;
      print();
      print(
        `CloudTrail: ${String(keys)} old keys in ${String(regions)} Regions at ${String(perSecond)} a second: ${(wallMs / 1_000).toFixed(1)} s, ${String(calls)} look-ups, ${String(unknown)} keys left unknown; ${least}`,
      );
    }
  }
  await coldStart();
  print();
  print("Peers, as measured elsewhere (calls a user for a look, calls a rotation):");
  for (const [name, look, rotation, how] of PEERS) print(`    ${name}: ${look} · ${rotation} · ${how}`);
}

await runCommand(HELP, async (args) => {
  await bench(readOptions(args));
  return 0;
});
