import { parseArgs } from "node:util";
import { build } from "./build.ts";
import { countOf, runCommand, UsageError } from "./command-line.ts";
import { FAULTS, isFault } from "./crash-matrix/faults.ts";
import type { FaultName } from "./crash-matrix/faults.ts";
import { SYSTEMS, isSystem } from "./crash-matrix/ground.ts";
import type { System } from "./crash-matrix/ground.ts";
import { playAll } from "./crash-matrix/matrix.ts";
import { FAULT_NAMES, parsePoint, pointsOf, spread } from "./crash-matrix/points.ts";
import type { Place, Point } from "./crash-matrix/points.ts";
import { printedEnd, printedStory, printedSummary, printedTable } from "./crash-matrix/print.ts";
import { playClean } from "./crash-matrix/rotation.ts";
import { CRASH_MISTAKES, isCrashMistake, mistakePlugin } from "./mistakes/index.ts";

const list = (entries: readonly (readonly [string, string])[]): string =>
  entries.map(([name, is]) => `    ${name.padEnd(15)} ${is}`).join("\n");
const HELP = `npm run crash-matrix [-- <options>]

Rotates a key with the packaged bundle as a child process, once for every request of the rotation and
every fault that can befall it, and lets ordinary sweeps go on. Exits with 0 if every point converges:
one key, current everywhere, nothing left over, and no call of a consumer failed; else with 1.

  --only <point>     this point, such as matchmaking:create:32:lost, with its story; may be repeated
  --points <n>       so many points, evenly spread
  --system <name>    only ${Object.keys(SYSTEMS).join(" or ")}
  --fault <name>     only this fault; may be repeated
${list(Object.entries(FAULTS))}
  --break <mistake>  builds a mistake into Keyturn, which points must fail by
${list(Object.entries(CRASH_MISTAKES).map(([name, { is }]) => [name, is]))}
  --help             prints this`;

const POINTS_A_LINE = 50;
const STORIES_MAX = 10;

/** What the command line asks for. Throws a `UsageError` for what it cannot mean. */
function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string", multiple: true, default: [] },
      points: { type: "string" },
      system: { type: "string" },
      fault: { type: "string", multiple: true, default: [] },
      break: { type: "string" },
    },
  });
  const mistake = values.break ?? null;
  if (mistake !== null && !isCrashMistake(mistake)) throw new UsageError(`there is no mistake ${mistake}`);
  return {
    mistake,
    systems: values.system === undefined ? (Object.keys(SYSTEMS) as System[]) : [known(values.system, isSystem)],
    faults: values.fault.length === 0 ? FAULT_NAMES : values.fault.map((name): FaultName => known(name, isFault)),
    only: values.only.map(pointNamed),
    count: values.points === undefined ? null : countOf(HELP, "points", values.points),
  };
}

function pointNamed(id: string): Point {
  const point = parsePoint(id);
  if (point === null) throw new UsageError(`${id} names no point: it is <system>:<sweep>:<n>:<fault>`);
  return point;
}

function known<Name extends string>(name: string, isKnown: (name: string) => name is Name): Name {
  if (isKnown(name)) return name;
  throw new UsageError(`${name} is not known`);
}

type Options = ReturnType<typeof readOptions>;

function choose({ only, faults, count }: Options, places: readonly Place[]): Point[] {
  if (only.length > 0) return only;
  return count === null ? pointsOf(places, faults) : spread(places, count);
}

async function run(options: Options): Promise<boolean> {
  const { mistake, systems, only } = options;
  const startedAtMs = performance.now();
  const { file } = await build(
    mistake === null ? {} : { output: `dist/keyturn-${mistake}.cjs`, plugins: [mistakePlugin(mistake)] },
  );
  const cleans = await Promise.all(systems.map((system) => playClean(file, system)));
  const places = cleans.flatMap((clean) => clean.places);
  const wrong = cleans.flatMap((clean) => clean.wrong);
  for (const said of wrong) console.log(`without any fault: ${said}`);
  const points = choose(options, places);
  console.log(
    `${String(places.length)} requests in the rotations of ${systems.join(" and ")}; ${String(points.length)} points.`,
  );
  let done = 0;
  const outcomes = await playAll(file, points, (outcome) => {
    done += 1;
    if (outcome.wrong.length > 0) console.log(`FAILED ${printedStory(outcome, mistake).split("\n", 2).join(":")}`);
    if (done % POINTS_A_LINE === 0) console.log(`${String(done)} of ${String(points.length)}`);
  });
  const failed = outcomes.filter((outcome) => outcome.wrong.length > 0);
  const stories = only.length > 0 ? outcomes : failed.slice(0, STORIES_MAX);
  for (const outcome of stories) console.log(`\n${printedStory(outcome, mistake)}`);
  console.log(`\n${printedTable(places, outcomes)}\n\n${printedSummary(outcomes)}\n`);
  const unplayed = points.length - outcomes.length;
  if (unplayed > 0) console.log(`interrupted: ${String(unplayed)} points were not played`);
  console.log(printedEnd(outcomes, performance.now() - startedAtMs));
  return wrong.length + failed.length + unplayed === 0;
}

await runCommand(HELP, async (args) => ((await run(readOptions(args))) ? 0 : 1));
