import { days } from "../../../src/rotation/time.ts";
import type { Checker } from "../checker.ts";
import { custodyPair, violate } from "../stage.ts";
import type { SimulatedSubject, Stage } from "../stage.ts";
import { WAITS_FOR_A_PERSON } from "./waits.ts";

/** How many sweeps in a row must have been able to tell. */
const CHANCES = 3;

/** Whatever blocks a rotation is reported once, and at each deadline, until it is over. */
export function inv12(stage: Stage): Checker {
  const invariant = "INV-12";
  /** Sweeps in a row that ended well and gave a user the same reason, or met the same overdue key. */
  const chances = new Map<string, number>();
  const toldWithinMs = days(8);

  function blocked(user: string, what: string, code: string): void {
    const name = `${user} ${what}`;
    const times = (chances.get(name) ?? 0) + 1;
    chances.set(name, times);
    if (times < CHANCES) return;
    const toldMs = stage.toldMs.get(`${user} ${code}`) ?? Number.NEGATIVE_INFINITY;
    if (stage.clock.now() - toldMs > toldWithinMs) violate(stage, invariant, user, `${what} blocks, and ${code} is not told`);
  }

  function overdue({ user, profile }: SimulatedSubject): string | null {
    const pendingId = custodyPair(stage, user, "AWSPENDING")?.keyId;
    const currentId = custodyPair(stage, user, "AWSCURRENT")?.keyId;
    const key = stage.cloud.iam
      .keysOf(user)
      .filter(({ id, status }) => status === "Active" && (id !== pendingId || id === currentId) && !stage.strangers.has(id))
      .find(({ createdAtMs }) => stage.clock.now() - createdAtMs > profile.policy.maxAgeMs);
    return key?.id ?? null;
  }

  return {
    invariant,
    swept: ({ runs }) => {
      for (const { result } of runs) {
        for (const subject of stage.subjects) {
          const { user } = subject;
          const line = result?.users.find((found) => found.user === user);
          const reason = line?.decisions.at(-1)?.reason ?? "";
          const isWell = line !== undefined && !line.isFailed && result?.failedNotifiers.length === 0;
          const keyId = isWell ? overdue(subject) : null;
          for (const name of chances.keys()) {
            const isSame = name === `${user} ${reason}` || name === `${user} ${keyId ?? ""}`;
            if (name.startsWith(`${user} `) && !(isWell && isSame)) chances.delete(name);
          }
          if (isWell && WAITS_FOR_A_PERSON.has(reason)) blocked(user, reason, reason);
          if (keyId !== null) blocked(user, keyId, "KeyOverdue");
        }
      }
    },
  };
}
