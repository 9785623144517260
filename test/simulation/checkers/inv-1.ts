import { LAST_USED_LAG_MS } from "../../../src/rotation/policy.ts";
import { days } from "../../../src/rotation/time.ts";
import type { SimulatedKey } from "../../world/iam-state.ts";
import type { CallEvent, Checker } from "../checker.ts";
import { isExcused, nextPair } from "../consumers.ts";
import { isLeaked } from "../leaks.ts";
import { custodyPair, isRaced, subjectOf, violate } from "../stage.ts";
import type { SimulatedSubject, Stage } from "../stage.ts";
import { hearsay } from "./hidden.ts";
import { isLost } from "./ways.ts";

/** Whoever works more seldom may not have met a key of a fast rotation in its whole life (`adoption.ts`). */
const SELDOM_MS = days(35);

/** A place that has the key, left the profile before the first delivery, and so is on no record. */
const isUnknown = ({ workers, destinations }: SimulatedSubject, { id }: SimulatedKey): boolean =>
  workers.some(
    (worker) => worker.pair().keyId === id && worker.deliveries.length === 0 && !destinations.includes(worker),
  );

/** A key is deactivated only if another is active, proved, current and everywhere, and nobody would sign with it next. */
export function inv1(stage: Stage): Checker {
  const invariant = "INV-1";
  const proved = new Set<string>();
  const told = hearsay(stage);

  function check({ run, sent }: Pick<CallEvent, "run" | "sent">, user: string, key: SimulatedKey): void {
    const nowMs = stage.clock.now();
    const says = (text: string): void => violate(stage, invariant, user, `deactivating ${key.id}, ${text}`);
    const others = stage.cloud.iam.keysOf(user).filter(({ id }) => id !== key.id);
    const isRace = sent.wasRaced || isRaced(stage, run, user);
    if (!isRace && !others.some(({ status }) => status === "Active")) says("no other key is Active");
    const current = custodyPair(stage, user, "AWSCURRENT");
    const pending = custodyPair(stage, user, "AWSPENDING");
    if (current === null && pending === null) {
      // Custody itself may have been taken away a moment ago.
      if (isRace) return;
      // Rule 11's unused one: nobody knows a replacement for it, and nobody used it.
      // Of the last hours no source tells: whoever takes it up again in just these gets it back.
      const toldMs = nowMs - LAST_USED_LAG_MS;
      const usedMs = key.uses.findLast(({ atMs }) => atMs <= toldMs)?.atMs ?? Number.NEGATIVE_INFINITY;
      if (usedMs > nowMs - days(90)) says("it was made by hand and is in use");
      return;
    }
    if (!isRace) {
      if (current?.keyId === key.id) says("it is current");
      if (current !== null && !proved.has(current.keyId)) says(`${current.keyId}, the current one, was never proved`);
      const isThere = others.some(({ id, secret }) => id === current?.keyId && secret === current.secret);
      if (!isThere) says("the current pair is of no key of the user");
    }
    if (!isRace) needed(user, key, says);
  }

  function needed(user: string, key: SimulatedKey, says: (text: string) => void): void {
    const subject = subjectOf(stage, user);
    if (subject === undefined) return;
    for (const consumer of subject.consumers) {
      const isHeld = nextPair(consumer, stage.clock.now())?.keyId === key.id;
      // An operator's `retire` waives use, and never delivery: whoever was handed no pair pays for it.
      const isHandedNone = ["typed-in", "pulls"].includes(consumer.hold.kind) || isUnknown(subject, key);
      const isWaived = stage.retiring.has(key.id) && isHandedNone;
      // That somebody uses the old key shows what was lost, and is what `retire` waives.
      // Our own proof is no use.
      const isUnused = key.uses.every(({ service }) => service === "sts");
      const isSeldom = consumer.rhythm.gapMs > SELDOM_MS || isUnused || stage.retiring.has(key.id);
      const usedMs = key.uses.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
      // Somebody went back to a version that lost it, and nobody has used that yet.
      // And who works more seldom than the policy waits goes silent long enough, once it was seen.
      const isPaused = isSeldom || consumer.rhythm.gapMs > subject.profile.policy.quietForMs;
      const isUnseen = subject.workers.some((worker) => isLost(worker) && (isPaused || worker.touchedMs() > usedMs));
      // Who has stolen the current pair signs with it as a consumer would, and nobody was told yet.
      const isStolen = isLeaked(stage, custodyPair(stage, user, "AWSCURRENT")?.keyId ?? "");
      // Nothing tells of a place that is on no record, and has not used the key yet.
      const isHidden = isUnused && isUnknown(subject, key);
      const isBesideOthers = told.isHidden(subject, consumer, key);
      if (isHeld && (isWaived || isUnseen || isStolen || isHidden || isBesideOthers)) consumer.excused.add(key.id);
      const isNeeded = isHeld && !isExcused(consumer, key.id);
      if (isNeeded) says(`${consumer.name} (${consumer.hold.kind}, ${consumer.rhythm.name}) still holds it`);
    }
  }

  return {
    invariant,
    before: ({ name, run, user, input, sent }) => {
      if (name !== "iam.UpdateAccessKey" || input["Status"] !== "Inactive") return;
      const key = stage.cloud.iam.keys.get(String(input["AccessKeyId"]));
      if (key === undefined || key.status !== "Active" || key.isDeleted) return;
      // What is leaked goes without a proof: `leaked` and `price` watch how.
      if (!isLeaked(stage, key.id)) check({ run, sent }, user, key);
    },
    after: (event) => {
      const { name, signerId, isHeard } = event;
      told.hear(event);
      if (name === "sts.GetCallerIdentity" && isHeard) proved.add(signerId);
    },
  };
}
