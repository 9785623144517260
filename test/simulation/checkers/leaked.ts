import { days, hours, minutes } from "../../../src/rotation/time.ts";
import type { SimulatedKey } from "../../world/iam-state.ts";
import type { CallEvent, Checker } from "../checker.ts";
import { isLeaked, markedKeys } from "../leaks.ts";
import type { Leak } from "../leaks.ts";
import type { Run } from "../run.ts";
import { custodyName, custodyPair, violate } from "../stage.ts";
import type { SimulatedSubject, Stage } from "../stage.ts";
import { readsCustody, standsInTheWay } from "./ways.ts";

/** How many sweeps must have been able to do what is to be done at once. */
const CHANCES = 2;
/** The clocks of two runs differ by minutes. */
const CLOCKS_MS = minutes(5);
/** By then CloudTrail tells of a read, where it is as late as the simulation has it when it is well. */
const TOLD_WITHIN_MS = hours(2) + minutes(15);
const ASKED_FOR_MS = days(0.8);
const MARKS: ReadonlySet<string> = new Set(["secretsmanager.TagResource", "secretsmanager.CreateSecret"]);
/** What goes wrong here keeps no leaked key: it is cut all the same once its hour is over. */
const NO_EXCUSE =
  /^(destination|notifier|sts|cloudtrail|account|clock)\.|^secretsmanager\.(GetSecretValue|PutSecretValue|UpdateSecretVersionStage|PutResourcePolicy|ListSecrets)$|^iam\.(CreateAccessKey|DeleteAccessKey|GetAccessKeyLastUsed|GenerateCredentialReport|GetCredentialReport)$/;

/**
 * A key that others have is cut within its bound, whatever stands in the way but a person's word; it is not given back,
 * and nobody is given it. A pair that they read in custody is such a key. And nothing else is taken for one.
 */
export function leaked(stage: Stage): Checker {
  const invariant = "LEAK";
  /** By key: when the first sweep began that could have cut it, and how many more could since its bound was over. */
  const waits = new Map<string, { readonly fromMs: number; chances: number }>();
  const unread = new Map<string, number>();
  const unreplaced = new Map<string, number>();
  const cutMs = new Map<string, number>();
  const markedMs = new Map<string, number>();

  /** Whether a run had all it needs to cut a key of a user. */
  function isAble(run: Run, subject: SimulatedSubject): boolean {
    const meddledMs = stage.meddledMs.get(subject.user) ?? Number.NEGATIVE_INFINITY;
    return meddledMs < run.startedMs && [...run.troubles].every((operation) => NO_EXCUSE.test(operation));
  }

  function checkCut(run: Run, subject: SimulatedSubject, key: SimulatedKey): void {
    const { user, profile } = subject;
    // A policy names no key, and the listing may not show one that was made minutes before it.
    const isYoung = ({ by, atMs }: Leak): boolean => by === "quarantine" && key.createdAtMs > atMs - CLOCKS_MS;
    const told = stage.leaks.filter(({ keyId, toldMs }) => keyId === key.id && toldMs !== null);
    // Where CloudTrail loses events a policy that was attached before may count as this one.
    const known = told.filter((leak) => !isYoung(leak) && !(leak.by === "quarantine" && isUndated(run, user)));
    const isKnown =
      known.some(({ toldMs }) => (toldMs ?? 0) < run.startedMs) || markedKeys(stage, user).includes(key.id);
    const isRevoked = known.some(({ by }) => by === "revoke");
    if (!isKnown || !isAble(run, subject) || standsInTheWay(stage, subject, isRevoked) !== null) return;
    const wait = waits.get(key.id) ?? { fromMs: run.startedMs, chances: 0 };
    waits.set(key.id, wait);
    const boundMs = isRevoked ? 0 : profile.policy.cutExposedWithinMs;
    if (run.startedMs < wait.fromMs + boundMs + CLOCKS_MS) return;
    wait.chances += 1;
    if (wait.chances >= CHANCES) violate(stage, invariant, user, `${key.id} is leaked, and is not cut`);
  }

  /** In the place of a leaked key that is current there is another soon, where nothing keeps it from being made. */
  function checkReplaced(run: Run, subject: SimulatedSubject): void {
    const { user } = subject;
    const keys = stage.cloud.iam.keysOf(user);
    // Before the first rotation it is the key that was made by hand.
    const inUse = custodyPair(stage, user, "AWSCURRENT")?.keyId ?? keys.at(0)?.id ?? null;
    // Somebody may have brought custody back to it since, or deleted it.
    const atMs = stage.leaks.find(({ keyId }) => keyId === inUse)?.atMs ?? Number.NEGATIVE_INFINITY;
    const isLeft = (stage.meddledMs.get(user) ?? Number.NEGATIVE_INFINITY) < atMs;
    const isKnown = inUse !== null && isLeft && markedKeys(stage, user).includes(inUse);
    if (!isKnown) unreplaced.delete(user);
    if (!isKnown) return;
    const marked = markedKeys(stage, user);
    const isFull = keys.length === 2 && keys.some(({ id }) => !marked.includes(id));
    const secret = stage.cloud.secretsManager.named(custodyName(user));
    const isShut = secret?.deletedAtMs !== null || secret.kms.read !== null || secret.kms.write !== null;
    const isFree = run.troubles.size === 0 && isAble(run, subject) && !isFull && !isShut;
    if (!isFree || stage.journalLostMs > stage.clock.now() - days(30)) return;
    // A hold is a person's word, and only `revoke` is a stronger one.
    const isHeld = stage.cloud.iam.users.get(user)?.tags.some(({ Key }) => Key.toLowerCase() === "keyturn-hold");
    if (isHeld === true && !stage.leaks.some(({ keyId, by }) => keyId === inUse && by === "revoke")) return;
    // What somebody else disabled stays so.
    const isDisabled = stage.cloud.iam.keys.get(inUse)?.status !== "Active";
    const isInTheWay = standsInTheWay(stage, subject, false) !== null;
    const isTaken = (isDisabled || isInTheWay) && (!isOurs(inUse) || custodyPair(stage, user, "AWSCURRENT") === null);
    if (isTaken || standsInTheWay(stage, subject, true) !== null) return;
    const times = (unreplaced.get(user) ?? 0) + 1;
    unreplaced.set(user, times);
    if (times > CHANCES) violate(stage, invariant, user, `${inUse} is leaked, and no other takes its place`);
  }

  /** It was cut by Keyturn, and not by somebody else. */
  const isOurs = (keyId: string): boolean => cutMs.has(keyId) && !stage.takenByPeople.has(keyId);

  /** When a key was cut, or deleted by somebody. */
  function endedMs(keyId: string): number {
    const key = stage.cloud.iam.keys.get(keyId);
    const goneMs = key?.isDeleted === true ? key.changes.at(-1)?.atMs : undefined;
    return cutMs.get(keyId) ?? goneMs ?? Number.POSITIVE_INFINITY;
  }

  /** A pair that a thief read has to be found out, as long as somebody asks. */
  function checkStolen(run: Run, subject: SimulatedSubject, key: SimulatedKey): void {
    const { user } = subject;
    if (markedKeys(stage, user).includes(key.id) || isLeaked(stage, key.id)) return;
    const isAskedAfter = ([thief, readMs]: readonly [string, number]): boolean => {
      const untilMs = Math.max(readMs, endedMs(thief)) + ASKED_FOR_MS;
      return wasTold(user, thief) && run.startedMs > readMs + TOLD_WITHIN_MS && run.startedMs < untilMs;
    };
    if (![...(stage.readMs.get(key.id) ?? [])].some(isAskedAfter)) return;
    const isTold = stage.cloud.lags.cloudTrailMs <= hours(2) && !stage.losesEvents && run.troubles.size === 0;
    if (!isTold || !isAble(run, subject) || standsInTheWay(stage, subject, false) !== null) return;
    const times = (unread.get(key.id) ?? 0) + 1;
    unread.set(key.id, times);
    if (times >= CHANCES + 1) violate(stage, invariant, user, `a thief read ${key.id}, and it stays`);
  }

  /** Nothing tells since when a policy is attached: not CloudTrail, and no mark, which a secret that is to be deleted does not take. */
  function isUndated(run: Run, user: string): boolean {
    const isUntold = stage.cloud.lags.cloudTrailMs > days(1) || isTrailTroubled(run);
    const isToGo = (stage.cloud.secretsManager.named(custodyName(user))?.deletedAtMs ?? null) !== null;
    return stage.losesEvents || (isToGo && isUntold);
  }

  const isTrailTroubled = ({ troubles }: Run): boolean =>
    [...troubles].some((operation) => /^(cloudtrail|account)\./.test(operation));

  /** Where each event that named the key died nobody was told. */
  const wasTold = (user: string, id: string): boolean =>
    markedKeys(stage, user).includes(id) || stage.leaks.some(({ keyId, toldMs }) => keyId === id && toldMs !== null);

  /** Whoever reads custody may have been followed there by a leaked key that works; a policy condemns what is older. */
  function isFounded({ user, run }: Pick<CallEvent, "run" | "user">, keyId: string, by: string): boolean {
    if (by === "health" || by === "revoke") return stage.leaks.some((leak) => leak.keyId === keyId);
    const key = stage.cloud.iam.keys.get(keyId);
    const createdMs = key?.createdAtMs ?? 0;
    if (by === "quarantine") {
      const attachedMs = stage.quarantinedMs.get(user);
      const isTold = !stage.losesEvents && !isTrailTroubled(run);
      const isLate = stage.clock.now() - (attachedMs ?? 0) < stage.cloud.lags.cloudTrailMs + CLOCKS_MS;
      return attachedMs !== undefined && (createdMs <= attachedMs + 1_000 || !isTold || isLate);
    }
    const others = stage.leaks.filter((leak) => leak.user === user && leak.keyId !== keyId);
    const hasWorked = others.some(({ keyId: other }) => {
      const changes = stage.cloud.iam.keys.get(other)?.changes ?? [];
      return changes.at(-1)?.works === true || (changes.at(-1)?.atMs ?? 0) > createdMs - CLOCKS_MS;
    });
    // Without the journal, or where whoever took it died, nobody knows since when it does not work; CloudTrail may not tell.
    return (hasWorked || isTrailTroubled(run) || stage.journalLostMs > createdMs) && readsCustody(stage, user);
  }

  type Told = Pick<CallEvent, "run" | "user">;
  type Doing = Pick<CallEvent, "run" | "sent">;

  /** Whether it is known to whoever comes next, or to this run alone, which is about to write it down. */
  function hear(told: Told, { keyId, by, isMarked }: { keyId: string; by: string; isMarked: boolean }): void {
    if (!isFounded(told, keyId, by)) {
      violate(stage, invariant, told.user, `${keyId} is marked (${by}), and nobody else has it`);
    }
    const nowMs = stage.clock.now();
    if (isMarked && !markedMs.has(keyId)) markedMs.set(keyId, nowMs);
    if (by !== "custody" && by !== "quarantine") return;
    stage.leaks.push({ user: told.user, keyId, by, atMs: nowMs, toldMs: isMarked ? nowMs : null });
  }

  function hearMarks(event: CallEvent): void {
    for (const { Key, Value } of (event.input["Tags"] ?? []) as readonly { Key: string; Value: string }[]) {
      if (!Key.startsWith("keyturn:exposed/")) continue;
      const [, by = ""] = Value.split(" ");
      hear(event, { keyId: Key.slice("keyturn:exposed/".length), by, isMarked: true });
    }
  }

  /** A run that has read custody's tags since the mark hands no such pair on. */
  const handedOn = (doing: Doing, user: string, [where, keyId]: readonly [string, string]): void => {
    knowing(doing, user, [keyId, `${where} is given ${keyId}, which is leaked`]);
  };

  /** Says that a promise was broken by a run that could read the mark. */
  function knowing({ run, sent }: Doing, user: string, [keyId, text]: readonly [string, string]): void {
    const atMs = markedMs.get(keyId) ?? Number.POSITIVE_INFINITY;
    const [keysMs, custodyMs] = ["keys", "custody"].map((what) => run.lookedMs.get(`${what} ${user}`));
    // Custody is looked at in the middle of an act, too, and nothing is decided on that; the keys are not.
    const lookedMs = Math.min(keysMs ?? Number.NEGATIVE_INFINITY, custodyMs ?? Number.NEGATIVE_INFINITY);
    const knownMs = Math.min(sent.atMs, Math.max(run.startedMs, lookedMs));
    if (atMs < knownMs) violate(stage, invariant, user, text);
  }

  return {
    invariant,
    delivering: ({ run, subject, destination, pair, sent }) => {
      handedOn({ run, sent }, subject.user, [destination, pair.keyId]);
    },
    before: ({ name, run, user, input, sent }) => {
      if (name === "secretsmanager.UpdateSecretVersionStage" && input["VersionStage"] === "AWSCURRENT") {
        const versions = stage.cloud.secretsManager.named(custodyName(user))?.versions;
        const pending = custodyPair(stage, user, "AWSPENDING");
        const isShown = versions?.get(String(input["MoveToVersionId"]))?.stages.has("AWSPENDING") === true;
        if (pending !== null && isShown) handedOn({ run, sent }, user, ["custody", pending.keyId]);
      }
      if (name !== "iam.UpdateAccessKey") return;
      const keyId = String(input["AccessKeyId"]);
      if (input["Status"] === "Inactive") cutMs.set(keyId, stage.clock.now());
      else {
        cutMs.delete(keyId);
        knowing({ run, sent }, user, [keyId, `${keyId} is leaked, and is given back`]);
      }
    },
    after: (event) => {
      if (MARKS.has(event.name)) hearMarks(event);
    },
    decided: (run, user, { step }) => {
      if (step.kind !== "mark") return;
      for (const { keyId, by } of step.exposures) hear({ run, user }, { keyId, by, isMarked: false });
    },
    swept: ({ runs }) => {
      const [only] = runs;
      if (runs.length !== 1 || only === undefined || only.result === null || only.result.isPaused) return;
      for (const subject of stage.subjects) {
        // Another run, or one that died, had the user.
        const last = only.result.users.find(({ user }) => user === subject.user)?.decisions.at(-1);
        if (only.result.left.includes(subject.user) || last?.outcome === "withdrawn") continue;
        checkReplaced(only.run, subject);
        for (const key of stage.cloud.iam.keysOf(subject.user)) {
          if (key.status !== "Active") continue;
          checkCut(only.run, subject, key);
          checkStolen(only.run, subject, key);
        }
      }
    },
  };
}
