import { days, hours, minutes } from "../../src/rotation/time.ts";
import type { Dice } from "./dice.ts";

/** What goes wrong with a call. `late`: the caller is told nothing, and the effect comes when it has given up. */
export type FaultKind =
  | "error-before"
  | "denied"
  | "error-after"
  | "timeout-before"
  | "timeout-after"
  | "timeout-late"
  | "throttle"
  | "stale"
  | "slow"
  | "freeze"
  | "die-before"
  | "die-after";

/** A fault with its time: the next call of an operation, or every so-many of them for a while, or until all is mended. */
export interface Trouble {
  /** An operation such as "iam.ListAccessKeys", a service such as "iam", or "*". */
  readonly target: string;
  readonly kind: FaultKind;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly probability: number;
  /** How many calls it meets; null where it lasts until its time is over. */
  readonly times: number | null;
}

const ACTS = [
  "iam.CreateAccessKey",
  "iam.UpdateAccessKey",
  "iam.DeleteAccessKey",
  "secretsmanager.CreateSecret",
  "secretsmanager.PutSecretValue",
  "secretsmanager.UpdateSecretVersionStage",
  "destination.deliver",
  "journal.write",
] as const;

const READS = [
  "iam.GetAccountAuthorizationDetails",
  "iam.GetUser",
  "iam.ListAccessKeys",
  "iam.GetAccessKeyLastUsed",
  "iam.GenerateCredentialReport",
  "iam.GetCredentialReport",
  "sts.GetCallerIdentity",
  "secretsmanager.ListSecrets",
  "secretsmanager.DescribeSecret",
  "secretsmanager.GetSecretValue",
  "cloudtrail.LookupEvents",
  "cloudtrail.LookupEvents.us-east-1",
  "cloudtrail.LookupEvents.eu-central-1",
  "account.ListRegions",
  "destination.preflight",
  "destination.live",
  "journal.read",
  "journal.sweepState",
  "journal.readMany",
  "journal.setMemory",
  "notifier.notify",
] as const;

const ACT_KINDS: readonly FaultKind[] = [
  "error-before",
  "denied",
  "error-after",
  "timeout-before",
  "timeout-after",
  "timeout-late",
  "throttle",
  "slow",
  "freeze",
  "die-before",
  "die-before",
  "die-after",
  "die-after",
];
const READ_KINDS: readonly FaultKind[] = [
  "error-before",
  "denied",
  "timeout-before",
  "throttle",
  "stale",
  "stale",
  "stale",
  "slow",
  "freeze",
  "die-before",
  "die-after",
];
const LASTING: readonly FaultKind[] = ["error-before", "denied", "timeout-before", "throttle", "error-after", "stale"];
const SERVICES = ["iam", "secretsmanager", "cloudtrail", "destination", "journal", "notifier"] as const;

/** All that goes wrong between start and healing, asked at each call. */
export interface FaultPlan {
  /** Whether something is wrong that will be over within a day, so that only who comes soon will meet it. */
  readonly isPassing: (nowMs: number) => boolean;
  readonly next: (operation: string, nowMs: number) => FaultKind | null;
}

/** Draws all that goes wrong. */
export function drawTroubles(dice: Dice, span: { readonly fromMs: number; readonly untilMs: number }): Trouble[] {
  const within = (): number => dice.between(span.fromMs, span.untilMs);
  const troubles: Trouble[] = [];
  for (let once = dice.between(4, 22); once > 0; once -= 1) {
    const isAct = dice.chance(0.6);
    const target = isAct ? dice.pick(ACTS) : dice.pick(READS);
    const kind = dice.pick(isAct ? ACT_KINDS : READ_KINDS);
    const times = dice.chance(0.7) ? 1 : dice.between(2, 5);
    troubles.push({
      target,
      kind,
      fromMs: within(),
      untilMs: span.untilMs,
      probability: dice.pick([1, 1, 0.4]),
      times,
    });
  }
  for (let lasting = dice.between(0, 3); lasting > 0; lasting -= 1) {
    const fromMs = within();
    const lastsMs = dice.pick([minutes(10), hours(3), hours(20), days(3), days(8)]);
    troubles.push(lastingTrouble(dice, { fromMs, untilMs: Math.min(span.untilMs, fromMs + lastsMs) }));
  }
  if (dice.chance(0.15)) troubles.push(lastingTrouble(dice, { fromMs: within(), untilMs: span.untilMs }));
  return troubles;
}

function lastingTrouble(dice: Dice, span: { readonly fromMs: number; readonly untilMs: number }): Trouble {
  const target = dice.chance(0.35) ? dice.pick(SERVICES) : dice.pick([...ACTS, ...READS]);
  const kind = dice.pick(LASTING);
  return { ...span, target, kind, probability: dice.pick([1, 0.5, 0.2]), times: null };
}

/** Troubles as they are met. The dice decide where one does not meet every call. */
export function faultPlan(dice: Dice, troubles: readonly Trouble[]): FaultPlan {
  const passing = troubles.filter(({ times, fromMs, untilMs }) => times === null && untilMs - fromMs <= days(1));
  return {
    next: asker(dice, troubles),
    isPassing: (nowMs) => passing.some(({ fromMs, untilMs }) => fromMs - hours(12) <= nowMs && nowMs < untilMs),
  };
}

function asker(dice: Dice, drawn: readonly Trouble[]): FaultPlan["next"] {
  const troubles = drawn.map((trouble) => ({
    ...trouble,
    within: `${trouble.target}.`,
    left: trouble.times ?? Number.POSITIVE_INFINITY,
  }));
  let active: typeof troubles = [];
  let changesMs = Number.NEGATIVE_INFINITY;
  return (operation, nowMs) => {
    if (nowMs >= changesMs) {
      active = troubles.filter(({ fromMs, untilMs, left }) => fromMs <= nowMs && nowMs < untilMs && left > 0);
      const times = troubles.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs]).filter((atMs) => atMs > nowMs);
      changesMs = Math.min(...times, Number.POSITIVE_INFINITY);
    }
    for (const trouble of active) {
      const { target, within, probability, left, kind } = trouble;
      if (left <= 0 || !(operation === target || operation.startsWith(within))) continue;
      if (probability < 1 && !dice.chance(probability)) continue;
      trouble.left -= 1;
      return kind;
    }
    return null;
  };
}
