import { minutes } from "../../../src/rotation/time.ts";
import type { CloudAnswer } from "../../world/call.ts";
import type { SimulatedKey } from "../../world/iam-state.ts";
import type { Checker } from "../checker.ts";
import type { Consumer } from "../consumers.ts";
import { isExcused, nextPair } from "../consumers.ts";
import { isLeaked, isUrgent } from "../leaks.ts";
import type { Run } from "../run.ts";
import { custodyName, custodyPair, subjectOf, violate } from "../stage.ts";
import type { SimulatedSubject, Stage } from "../stage.ts";
import type { Workplace } from "../workplaces.ts";
import { isLost, readsCustody } from "./ways.ts";

/** The clocks of two runs differ by minutes. */
const CLOCKS_MS = minutes(5);

/** A key that is about to be taken, and whether somebody has meddled since that was decided. */
interface Loss {
  readonly key: SimulatedKey;
  readonly doing: "deleting" | "cutting";
  readonly isRaced: boolean;
}

/**
 * What a leak may cost: whoever nobody can hand a pair to, and whoever fetches it in custody, which is closed first. A
 * Worker that can be delivered to is not cut off before its hour is over, and afterwards only where something was in the
 * way. Who pays is excused for this one key, until it works again.
 */
export function price(stage: Stage): Checker {
  const invariant = "LEAK";
  const made = new Set<string>();
  /** By user, the places that it had when a creation was begun, and when: that they have its key was written down then. */
  const begun = new Map<string, Map<string, number>>();
  /** Users one of whose places may have been given a pair, and nobody heard whether it was. */
  const unheard = new Set<string>();
  /** Places of which Keyturn was told last that what is live was so before its delivery. */
  const misled = new Set<string>();

  function check(run: Run, subject: SimulatedSubject, loss: Loss): void {
    const { key, doing } = loss;
    const nowMs = stage.clock.now();
    for (const consumer of subject.consumers) {
      const isHeld = nextPair(consumer, nowMs)?.keyId === key.id;
      const { kind } = consumer.hold;
      if (isHeld && kind === "worker" && !isExcused(consumer, key.id) && !isBroughtBack(subject, key.id)) {
        const why = reasonFor(run, subject, loss);
        if (why !== null)
          violate(stage, invariant, subject.user, `${doing} ${key.id}, ${consumer.name} holds it ${why}`);
      }
      // What is stored goes live after the cut, and nobody can stop it.
      const isOnItsWay = kind === "worker" && subject.workers.some(({ builds }) => builds?.isAwaited() === true);
      if (isHeld || isOnItsWay || kind === "cached" || kind === "pulls") excuse(consumer, key.id);
    }
  }

  const excuse = ({ excused }: Consumer, keyId: string): void => {
    excused.add(keyId);
  };

  /** Somebody's own version is live, and nobody was asked; a delivery was lost; or nobody delivers there any more. */
  const isBroughtBack = ({ workers, destinations }: SimulatedSubject, keyId: string): boolean =>
    workers
      .filter((worker) => worker.pair().keyId === keyId)
      .some((worker) => worker.isRolledBack() || isLost(worker) || !destinations.includes(worker));

  /**
   * Of two leaked keys the one that is not current goes, whoever has it. Where none is, nothing says which is in use, but
   * for what was written down when a replacement was begun.
   */
  function isSecondOfTwo({ user, workers }: SimulatedSubject, { id }: SimulatedKey): boolean {
    const keys = stage.cloud.iam.keysOf(user);
    if (keys.length !== 2 || !keys.every((key) => isLeaked(stage, key.id))) return false;
    const currentId = custodyPair(stage, user, "AWSCURRENT")?.keyId ?? null;
    if (currentId !== null) return id !== currentId;
    if (unheard.has(user)) return true;
    const isOtherHeld = workers.some((worker) => worker.pair().keyId !== id);
    // Stored a second time, because an answer was lost: what was deployed in between has it, and counts as what was before.
    const isTwice = ({ name, deliveries, pair }: Workplace): boolean =>
      pair().keyId === id && deliveries.at(-1) === id && misled.has(name);
    if (workers.some(isTwice)) return true;
    const isWritten = (name: string): boolean => (begun.get(user)?.get(name) ?? -Infinity) > stage.journalLostMs;
    const isUnknown = workers.some(({ name, pair }) => pair().keyId === id && !isWritten(name));
    return isUnknown || isOtherHeld;
  }

  /** Why a Worker must not lose its key now; null where it may. */
  function reasonFor(run: Run, subject: SimulatedSubject, { key, doing, isRaced }: Loss): string | null {
    const { user, profile } = subject;
    // Which of two is current may have been another when the run looked.
    if (doing === "deleting") return isRaced || isSecondOfTwo(subject, key) ? null : "as Keyturn knows";
    if (readsCustody(stage, user)) return null;
    const leaks = stage.leaks.filter(({ keyId }) => keyId === key.id);
    // A secret that is scheduled for deletion takes no tags.
    const isUnmarkable = (stage.cloud.secretsManager.named(custodyName(user))?.deletedAtMs ?? null) !== null;
    const isRefused =
      isUnmarkable || [...run.troubles].some((it) => /TagResource|CreateSecret|DescribeSecret/.test(it));
    const dueMs = Math.min(...leaks.map(({ atMs }) => atMs)) + profile.policy.cutExposedWithinMs;
    const isDue = isRefused || leaks.some(({ by }) => by === "revoke") || stage.clock.now() > dueMs - CLOCKS_MS;
    if (!isDue) return "and its hour is not over";
    return isRaced || run.troubles.size > 0 || isBlocked(subject) ? null : "and nothing was in the way";
  }

  function isBlocked({ user, workers, destinations }: SimulatedSubject): boolean {
    const secret = stage.cloud.secretsManager.named(custodyName(user));
    const isShut =
      secret !== null && (secret.deletedAtMs !== null || secret.kms.read !== null || secret.kms.write !== null);
    const isAwaited = workers.some(({ builds }) => builds?.isAwaited() === true);
    const isFull = stage.cloud.iam.keysOf(user).length === 2;
    const isAway = workers.some(
      (worker) => worker.isMissing || worker.blockedBecause !== null || !destinations.includes(worker),
    );
    return isShut || isFull || isAway || isAwaited;
  }

  return {
    invariant,
    appended: ({ configured }, { what, user }) => {
      if (what !== "creating") return;
      const places = begun.get(user) ?? new Map<string, number>();
      for (const { name } of configured.get(user) ?? []) places.set(name, stage.clock.now());
      begun.set(user, places);
    },
    wrote: (_, { user, deliveries }) => {
      const isUnheard = deliveries.some(
        ({ deliveredAt, receipt }) => deliveredAt === null && receipt !== null && !receipt.awaits,
      );
      if (isUnheard) unheard.add(user);
      else unheard.delete(user);
    },
    sawLive: ({ destination, state }) => {
      if (state === "previous") misled.add(destination);
      else misled.delete(destination);
    },
    after: ({ name, answer, isStale }) => {
      if (name !== "iam.CreateAccessKey" || isStale) return;
      made.add(String((answer?.["AccessKey"] as CloudAnswer | undefined)?.["AccessKeyId"]));
    },
    before: ({ name, run, user, input, sent }) => {
      const key = stage.cloud.iam.keys.get(String(input["AccessKeyId"]));
      const subject = subjectOf(stage, user);
      if (key === undefined || subject === undefined || key.isDeleted) return;
      const isCut = name === "iam.UpdateAccessKey" && input["Status"] === "Inactive" && isLeaked(stage, key.id);
      if (isCut) check(run, subject, { key, doing: "cutting", isRaced: sent.wasRaced });
      if (name !== "iam.DeleteAccessKey" || !isUrgent(stage, user) || key.status !== "Active") return;
      // Or somebody made it active since the run looked.
      if (!made.has(key.id) && !isLeaked(stage, key.id) && !sent.wasRaced) {
        violate(stage, invariant, user, `${key.id}, which a person made, is deleted for room`);
      }
      check(run, subject, { key, doing: "deleting", isRaced: sent.wasRaced });
    },
  };
}
