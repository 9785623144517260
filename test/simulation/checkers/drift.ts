import { hours } from "../../../src/rotation/time.ts";
import type { Checker } from "../checker.ts";
import { isUrgent } from "../leaks.ts";
import type { Run } from "../run.ts";
import { custodyPair, violate } from "../stage.ts";
import type { SimulatedSubject, Stage } from "../stage.ts";
import { isOpenAt } from "../windows.ts";
import { standsInTheWay } from "./ways.ts";

/** How many sweeps must have been able to see it. */
const CHANCES = 3;
/** Whoever is at rest is looked at within so long. */
const REST_MS = hours(6);
/** So often one run may give a place the same pair: once, and once more where somebody changed it in between. */
const OFTEN_MAX = 2;
/** The rules that are asked only where nothing is to be delivered again. */
const BELOW: ReadonlySet<string> = new Set(["make-room", "create", "retire", "delete", "drift", "nothing-due"]);

/** A place that somebody brought back to an older pair is given the current one again, also while nothing is due. */
export function drift(stage: Stage): Checker {
  const invariant = "DRIFT";
  const chances = new Map<string, number>();
  const sinceMs = new Map<string, number>();
  const times = new Map<string, number>();
  const workerOf = new Map(stage.subjects.flatMap(({ workers }) => workers).map((worker) => [worker.name, worker]));

  function isAble(run: Run, subject: SimulatedSubject): boolean {
    const { user, profile } = subject;
    const { window } = profile.policy;
    const isOpen = window === null || isOpenAt(window, run.startedMs);
    const isMeddled = (stage.meddledMs.get(user) ?? Number.NEGATIVE_INFINITY) >= run.startedMs;
    const isQuiet = run.troubles.size === 0 && !isMeddled && !isUrgent(stage, user);
    return isOpen && isQuiet && standsInTheWay(stage, subject, false) === null;
  }

  return {
    invariant,
    delivering: ({ run, subject, destination, pair }) => {
      const given = `${String(run.id)} ${destination} ${pair.keyId}`;
      const often = (times.get(given) ?? 0) + 1;
      times.set(given, often);
      const isMeddled = (stage.meddledMs.get(subject.user) ?? Number.NEGATIVE_INFINITY) >= run.startedMs;
      if (often > OFTEN_MAX && !isMeddled)
        violate(stage, invariant, subject.user, `${destination} is given the same pair again and again`);
      chances.delete(destination);
      sinceMs.delete(destination);
    },
    wrote: (_, { deliveries }) => {
      for (const { destination, keyId, deliveredAt, receipt } of deliveries) {
        if (deliveredAt === null || receipt?.awaits !== undefined) continue;
        workerOf.get(destination)?.heardLive(keyId);
      }
    },
    swept: ({ runs }) => {
      // A delivery that failed is not tried again before its time.
      const isTorn = ({ run }: (typeof runs)[number]): boolean =>
        [...run.troubles].some((operation) => operation.startsWith("destination."));
      if (runs.some((one) => isTorn(one))) sinceMs.clear();
      const [only] = runs;
      if (runs.length !== 1 || only === undefined || only.result === null || only.result.isPaused) return;
      for (const subject of stage.subjects) {
        const { user, workers, destinations } = subject;
        const line = only.result.users.find((found) => found.user === user);
        const rule = line?.decisions.at(-1)?.rule ?? "nothing-due";
        const isWell = isAble(only.run, subject) && line?.isFailed !== true && BELOW.has(rule);
        const currentId = custodyPair(stage, user, "AWSCURRENT")?.keyId;
        for (const worker of workers) {
          // Where a word has emptied custody there is nothing to give.
          const isOther = currentId !== undefined && worker.pair().keyId !== currentId;
          const isBack = isOther && worker.isBroughtBack() && destinations.includes(worker);
          const isFree = worker.blockedBecause === null && !worker.isMissing && !worker.losesPushes;
          if (!isBack || !isFree) sinceMs.delete(worker.name);
          if (!isBack || !isFree || !isWell) continue;
          const fromMs = sinceMs.get(worker.name) ?? only.run.startedMs;
          sinceMs.set(worker.name, fromMs);
          const seen = only.run.startedMs - fromMs < REST_MS ? 0 : (chances.get(worker.name) ?? 0) + 1;
          chances.set(worker.name, seen);
          if (seen >= CHANCES)
            violate(stage, invariant, user, `${worker.name} is back on ${worker.pair().keyId}, and left there`);
        }
      }
    },
  };
}
