import type { Decision } from "../../../src/rotation/decision.ts";
import { hours } from "../../../src/rotation/time.ts";

/** Where the time went between the earliest deactivation possible and the one that came. */
export interface Delay {
  readonly swept: (atMs: number, decision: Decision | null) => void;
  /** In milliseconds, by cause. */
  readonly spent: ReadonlyMap<string, number>;
}

export function countDelay(leastMs: number): Delay {
  const spent = new Map<string, number>();
  const spend = (cause: string, fromMs: number, toMs: number): void => {
    const ms = toMs - Math.max(fromMs, leastMs);
    if (ms > 0) spent.set(cause, (spent.get(cause) ?? 0) + ms);
  };
  let before: { readonly atMs: number; readonly decision: Decision | null } | null = null;
  return {
    spent,
    swept: (atMs, decision) => {
      const fromMs = before?.atMs ?? leastMs;
      const { step } = before?.decision ?? {};
      // It waited until an instant; what lies between that and the next sweep is the schedule's.
      const untilMs = before === null ? fromMs : Math.min(atMs, step?.kind === "hold" ? (step.until ?? atMs) : atMs);
      spend(causeOfHold(before?.decision ?? null), fromMs, untilMs);
      spend(atMs - untilMs > hours(2) ? "no sweep was made" : "the next sweep", untilMs, atMs);
      before = { atMs, decision };
    },
  };
}

function causeOfHold(decision: Decision | null): string {
  if (decision === null) return "a sweep failed";
  const { reason, because, details } = decision;
  if (details?.some((line) => line.includes("do not name themselves"))) return "readers do not name themselves";
  if (details?.some((line) => line.includes("not seen: "))) return "a reader not seen with its new pair";
  const isTrail = because.includes("CloudTrail");
  const names: Partial<Record<Decision["reason"], string>> = {
    UseUnknown: isTrail ? "CloudTrail unknown" : "last-used unknown",
    NotAdopted: "replacement not seen in use",
    OldKeyQuieting: "quiet counted from later",
    OldKeyStillUsed: isTrail ? "CloudTrail's veto" : "quiet counted from later",
    OldKeyQuiet: "withdrawn on the second look",
  };
  return names[reason] ?? reason;
}

/** The cause that took most of the time. */
export function causeOf({ spent }: Delay): string {
  const [first] = [...spent].toSorted(([, one], [, other]) => other - one);
  return first?.[0] ?? "none";
}
