import { days, hours, minutes } from "../../src/rotation/time.ts";
import type { UserPlan } from "./draw-user.ts";
import { drawUser } from "./draw-user.ts";
import { drawDeeds } from "./draw-deeds.ts";
import type { DeedPlan } from "./draw-deeds.ts";
import { diceOf } from "./dice.ts";
import type { Dice } from "./dice.ts";
import { PAGES_MISCHIEF } from "./mischief-at-pages.ts";
import { BRINGING_BACK } from "./mischief.ts";
import { drawLeaks } from "./leaks.ts";
import type { LeakPlan } from "./leaks.ts";
import { drawTroubles } from "./plan.ts";
import type { Trouble } from "./plan.ts";
import { START_MS } from "./stage.ts";
import { drawWords } from "./words.ts";
import type { WordPlan } from "./words.ts";

/** So many lives are swept each hour throughout. */
const HOURLY_LIVES = 0.02;

/** How the account behaves. */
interface CloudPlan {
  readonly lags: { readonly lastUsedMs: number; readonly cloudTrailMs: number; readonly propagationMs: number };
  readonly iamPageSize: number;
  readonly secretsPageSize: number;
  readonly hasEmptyPages: boolean;
  readonly hasExactStart: boolean;
  /** CloudTrail loses every other event for good: of this Region, or of all; null where it keeps all. */
  readonly losesEventsOf: string | null;
}

/**
 * A whole life as plain JSON: who there is, what goes wrong, what people do. What a seed draws is drawn into this before
 * anything happens, so that a life can be saved, made smaller, and lived again when the drawing has long changed.
 */
export interface Life {
  /** What is still drawn while it is lived: how long each call takes, when sweeps are late or meet each other. */
  readonly seed: number;
  /** Faults and mischief end so long after the beginning. */
  readonly troubledForMs: number;
  readonly isHourly: boolean;
  readonly cloud: CloudPlan;
  readonly users: readonly UserPlan[];
  /** The first two users' profiles name the same place. */
  readonly sharesSlot: boolean;
  readonly troubles: readonly Trouble[];
  readonly deeds: readonly DeedPlan[];
  /** Left out of lives that were kept before there were any. */
  readonly leaks?: readonly LeakPlan[];
  readonly words?: readonly WordPlan[];
}

/**
 * The life that a seed stands for. Each part has dice of its own: what is drawn for one does not shift the others. In a
 * crowded life faults, deeds, words and leaks are drawn so many times: what must meet to break a promise meets sooner.
 */
export function drawLife(seed: number, crowd = 1): Life {
  const of = (concern: string): Dice => diceOf(seed, concern);
  const untilMs = START_MS + days(of("life span").between(60, 90));
  const users = of("users").pick([1, 1, 2, 3]);
  const drawn = Array.from({ length: users }, (_, index) => drawUser(of, index));
  const isStored = drawn.some(({ stored = [] }) => stored.some((plan) => plan !== null));
  const isTimed = drawn.some(({ profile }) => profile.policy.window !== null);
  const span = { fromMs: START_MS + hours(6), untilMs, users };
  const lifelong = { ...span, untilMs: START_MS + days(112) };
  const each = <Drawn>(concern: string, draw: (dice: Dice) => readonly Drawn[]): Drawn[] =>
    Array.from({ length: crowd }, (_, round) =>
      draw(of(round === 0 ? concern : `${concern}, ${String(round)}`)),
    ).flat();
  return {
    seed,
    troubledForMs: untilMs - START_MS,
    isHourly: of("cadence").chance(HOURLY_LIVES),
    cloud: drawCloud(of("cloud")),
    users: drawn,
    sharesSlot: users > 1 && of("slot").chance(0.06),
    troubles: each("faults", (dice) => drawTroubles(dice, { fromMs: START_MS, untilMs })),
    deeds: [
      ...each("deeds", (dice) => drawDeeds(dice, span)),
      ...(isTimed ? each("deeds at windows", (dice) => drawDeeds(dice, span, BRINGING_BACK)) : []),
      ...(isStored ? each("deeds at pages", (dice) => drawDeeds(dice, span, PAGES_MISCHIEF)) : []),
    ],
    words: each("words", (dice) => drawWords(dice, lifelong)),
    leaks: each("leaks", (dice) => drawLeaks(dice, lifelong)),
  };
}

function drawCloud(dice: Dice): CloudPlan {
  return {
    lags: {
      lastUsedMs: dice.pick([0, hours(1), hours(4)]),
      cloudTrailMs: dice.pick([minutes(5), minutes(15), hours(2), days(200)]),
      propagationMs: dice.pick([0, 8_000, 8_000, 45_000]),
    },
    iamPageSize: dice.pick([1, 2, 100]),
    secretsPageSize: dice.pick([1, 100]),
    hasEmptyPages: dice.chance(0.2),
    hasExactStart: dice.chance(0.3),
    losesEventsOf: dice.chance(0.15) ? dice.pick(["every Region", "us-east-1", "eu-central-1"]) : null,
  };
}
