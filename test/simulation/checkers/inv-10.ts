import { LAST_USED_LAG_MS } from "../../../src/rotation/policy.ts";
import { days } from "../../../src/rotation/time.ts";
import type { DecisionResult } from "../../../src/sweep.ts";
import type { Checker } from "../checker.ts";
import { markedKeys } from "../leaks.ts";
import { custodyPair, violate } from "../stage.ts";
import type { SimulatedSubject, Stage } from "../stage.ts";
import { gapMs } from "../windows.ts";
import { WAITS_FOR_A_PERSON } from "./waits.ts";

/** Where a user's keys stand, told from the world alone. */
interface Phase {
  readonly name: "at rest" | "due" | "pending" | "retiring" | "soaking" | "odd";
  /** What must change for it to be over. */
  readonly about: string;
  readonly boundMs: number;
  /** A later use of the old key makes it last longer. */
  readonly restartsMs: number;
}

const NEVER_MS = Number.NEGATIVE_INFINITY;

/** When faults stop, every due rotation ends within a bounded time, or waits for a named person who was told. */
export function inv10(stage: Stage): Checker {
  const invariant = "INV-10";
  const since = new Map<string, { readonly about: string; readonly fromMs: number }>();
  /** A place that somebody changed is given its pair again, once, and the silence begins anew. */
  const redelivered = new Map<string, number>();
  /** How often a place was given a pair since nothing goes wrong. */
  const given = new Map<string, number>();

  /** For a leaked key a person is waited for only where there is no room for another. */
  const isWaiting = ({ user }: SimulatedSubject, reason: string): boolean => {
    const marked = markedKeys(stage, user);
    const isFull = stage.cloud.iam.keysOf(user).some(({ id }) => !marked.includes(id));
    return WAITS_FOR_A_PERSON.has(reason) && (reason !== "KeyExposed" || isFull);
  };

  function check(subject: SimulatedSubject, last: DecisionResult | undefined): void {
    const { user } = subject;
    const nowMs = stage.clock.now();
    const phase = phaseOf(stage, subject);
    const known = since.get(user);
    if (known?.about !== phase.about) since.set(user, { about: phase.about, fromMs: nowMs });
    if (known?.about !== phase.about || phase.name === "at rest") return;
    const reason = last?.reason ?? "nothing";
    const toldMs = stage.toldMs.get(`${user} ${reason}`) ?? NEVER_MS;
    const isPaused = stage.pausedMs !== null;
    if (isPaused || (isWaiting(subject, reason) && nowMs - toldMs <= days(8))) {
      // The time counts anew from when that person is done.
      since.set(user, { about: phase.about, fromMs: nowMs });
      return;
    }
    const fromMs = Math.max(known.fromMs, phase.restartsMs, redelivered.get(user) ?? NEVER_MS);
    if (nowMs - fromMs <= phase.boundMs) return;
    const rested = ((nowMs - fromMs) / days(1)).toFixed(1);
    violate(stage, invariant, user, `${phase.name} (${phase.about}) for ${rested} d and not over; last ${reason}`);
  }

  return {
    invariant,
    delivering: ({ subject, destination, pair }) => {
      if (!stage.isHealed) return;
      const name = `${destination} ${pair.keyId}`;
      const times = (given.get(name) ?? 0) + 1;
      given.set(name, times);
      // Once, once more where the answer was lost, and again where somebody deployed since.
      if (times <= 3) redelivered.set(subject.user, stage.clock.now());
    },
    swept: ({ runs }) => {
      if (!stage.isHealed) return;
      const results = runs.flatMap(({ result }) => result ?? []);
      const lines = results.flatMap(({ users }) => users);
      for (const subject of results.length === 0 ? [] : stage.subjects) {
        // Whom no sweep looks at is at rest, or forgotten: the world tells which.
        const own = lines.filter(({ user }) => user === subject.user).at(-1);
        check(subject, own?.decisions.at(-1));
      }
    },
  };
}

function phaseOf(stage: Stage, { user, profile }: SimulatedSubject): Phase {
  const { policy, isPulled } = profile;
  const keys = stage.cloud.iam.keysOf(user);
  const currentId = custodyPair(stage, user, "AWSCURRENT")?.keyId ?? null;
  const pendingId = custodyPair(stage, user, "AWSPENDING")?.keyId ?? null;
  const about = keys.map(({ id, status }) => `${id} ${status}`).join(", ");
  const phase = (name: Phase["name"], boundMs: number, restartsMs = NEVER_MS): Phase => ({
    name,
    about: `${about} / ${currentId ?? "no"} / ${pendingId ?? "no"}`,
    boundMs,
    restartsMs,
  });
  if (pendingId !== null && pendingId !== currentId) return phase("pending", days(2) + 2 * gapMs(policy.window));
  const current = keys.find(({ id }) => id === currentId);
  const old = keys.find(({ id }) => id !== currentId);
  if (current !== undefined && old !== undefined) {
    if (old.status === "Inactive") return phase("soaking", Math.max(days(30), policy.soakForMs) + days(1));
    const idleMs = policy.idleAtMostMs ?? 0;
    const silenceMs = isPulled ? 2 * idleMs + policy.quietForMs : Math.max(idleMs, policy.quietForMs);
    return phase(
      "retiring",
      silenceMs + policy.cacheForMs + LAST_USED_LAG_MS + 2 * gapMs(policy.window) + days(1.5),
      // Whoever takes it and gives it back between two sweeps is seen by none.
      Math.max(old.uses.at(-1)?.atMs ?? NEVER_MS, old.changedAtMs),
    );
  }
  if (current === undefined && keys.some(({ status }) => status === "Inactive")) {
    return phase("soaking", Math.max(days(30), policy.soakForMs) + days(1));
  }
  if (current === undefined)
    return phase(keys.length === 1 || keys.length === 0 ? "due" : "odd", dueBound(stage, profile, keys));
  const dueMs = current.createdAtMs + policy.rotateAfterMs;
  return stage.clock.now() < dueMs ? phase("at rest", 0) : phase("due", days(2.5) + 2 * gapMs(policy.window), dueMs);
}

/** A hand-made key may not be due yet. */
function dueBound(
  stage: Stage,
  { policy }: SimulatedSubject["profile"],
  keys: readonly { readonly createdAtMs: number }[],
): number {
  const [only] = keys;
  const restMs =
    only === undefined || policy.adopt === "at-once" ? 0 : only.createdAtMs + policy.rotateAfterMs - stage.healedAtMs;
  return days(2.5) + 2 * gapMs(policy.window) + Math.max(0, restMs);
}
