import { answerLeak, revoke } from "../../src/handlers/exposed.ts";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import { ServiceError } from "../world/call.ts";
import type { SimulatedKey } from "../world/iam-state.ts";
import { settle } from "./consumers.ts";
import { count } from "./coverage.ts";
import type { Dice } from "./dice.ts";
import { diceOf } from "./dice.ts";
import type { Errand } from "./errands.ts";
import { attachByHand, detachByHand } from "./people.ts";
import type { Run } from "./run.ts";
import { custodyName, custodyPair, isPendingPair, servingOf } from "./stage.ts";
import type { SimulatedSubject, Stage } from "./stage.ts";

/** How a leak is heard of. AWS does the first two at the same time; either may be late, or come alone. */
const HEARD_BY = ["health", "quarantine", "health and quarantine", "revoke"] as const;
/** The state of the user that a leak waits for. */
const MET_IN = ["any", "any", "two keys", "a pending pair", "a soak"] as const;

/** A key that gets into the hands of others. */
export interface LeakPlan {
  readonly atMs: number;
  readonly user: number;
  readonly seed: number;
  readonly heardBy: (typeof HEARD_BY)[number];
  readonly metIn: (typeof MET_IN)[number];
  readonly isInSweep: boolean;
  /** Whoever has it looks for more in custody. */
  readonly hasThief: boolean;
  /** It is heard of once more after this time, as AWS Health tells two Regions. */
  readonly againMs: number | null;
}

/** A key of which the world knows that it is in the hands of others. */
export interface Leak {
  readonly user: string;
  readonly keyId: string;
  readonly by: "health" | "quarantine" | "revoke" | "custody";
  readonly atMs: number;
  /** When Keyturn was told, or could have seen it; null where all that told it failed. */
  toldMs: number | null;
}

/** So many lives have a leak, and one in three of those another. */
const LEAKY_LIVES = 0.35;

export function drawLeaks(
  dice: Dice,
  { fromMs, untilMs, users }: { readonly fromMs: number; readonly untilMs: number; readonly users: number },
): LeakPlan[] {
  const total = dice.chance(LEAKY_LIVES) ? dice.pick([1, 1, 2]) : 0;
  return Array.from({ length: total }, () => ({
    atMs: dice.between(fromMs, untilMs),
    user: dice.between(0, users - 1),
    seed: dice.between(1, 1_000_000),
    heardBy: dice.pick(HEARD_BY),
    metIn: dice.pick(MET_IN),
    isInSweep: dice.chance(0.25),
    hasThief: dice.chance(0.5),
    againMs: dice.chance(0.3) ? dice.between(minutes(1), days(2)) : null,
  }));
}

/** Lambda tries an event twice more: a minute after the first failure, and two after the next. */
const AGAIN_AFTER_MS = [minutes(1), minutes(2)];

type Plan = (errand: Errand) => void;

/** A drawn leak as something that happens. */
export function leakErrand(stage: Stage, subject: SimulatedSubject, leak: LeakPlan, plan: Plan): Errand {
  const { user } = subject;
  const dice = diceOf(leak.seed, "leak");
  return {
    name: `a key leaks: ${leak.heardBy}, met in ${leak.metIn}`,
    user,
    atMs: leak.atMs,
    isInSweep: leak.isInSweep || leak.metIn === "a pending pair",
    when: () => isMet(stage, user, leak.metIn),
    act: async (begin) => {
      const keys = stage.cloud.iam.keysOf(user);
      if (keys.length === 0) return;
      const label = leak.metIn === "a pending pair" ? "AWSPENDING" : "AWSCURRENT";
      const key = dice.chance(0.6) ? labelledKey(stage, { user, label }, keys) : dice.pick(keys);
      count(stage.coverage, "leak", `${leak.heardBy} of ${partOf(stage, user, key)}`);
      if (leak.hasThief)
        stage.thieves.push({ user, pair: { keyId: key.id, secret: key.secret }, sinceMs: stage.clock.now() });
      if (leak.heardBy.includes("quarantine")) quarantine(stage, user, { dice, plan });
      if (leak.heardBy === "quarantine") return;
      const by = leak.heardBy === "revoke" ? "revoke" : "health";
      const event = tellOf(stage, { user, keyId: key.id, by }, plan);
      if (leak.againMs !== null) plan({ ...event(0), atMs: stage.clock.now() + leak.againMs });
      await event(0).act(begin);
    },
  };
}

function isMet(stage: Stage, user: string, metIn: LeakPlan["metIn"]): boolean {
  const keys = stage.cloud.iam.keysOf(user);
  if (metIn === "two keys") return keys.length === 2;
  if (metIn === "a soak") return keys.some(({ status }) => status === "Inactive");
  return metIn === "any" || isPendingPair(stage, user);
}

/** The key whose pair bears a label of custody; any, where none does. */
function labelledKey(
  stage: Stage,
  { user, label }: { readonly user: string; readonly label: string },
  keys: readonly SimulatedKey[],
): SimulatedKey {
  const id = custodyPair(stage, user, label)?.keyId;
  return keys.find((key) => key.id === id) ?? (keys[0] as SimulatedKey);
}

function partOf(stage: Stage, user: string, { id, status }: SimulatedKey): string {
  if (custodyPair(stage, user, "AWSCURRENT")?.keyId === id) return "the current key";
  if (custodyPair(stage, user, "AWSPENDING")?.keyId === id) return "the replacement";
  return status === "Active" ? "another key" : "an Inactive key";
}

/** AWS attaches its policy; somebody takes it off again days later. It condemns what is older. */
function quarantine(stage: Stage, user: string, { dice, plan }: { readonly dice: Dice; readonly plan: Plan }): void {
  const nowMs = stage.clock.now();
  const policy = `arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine${dice.pick(["V2", "V3"])}`;
  // One that is attached already is attached no second time, and tells of no other leak.
  if (!attachByHand(stage, user, policy)) return;
  // Nor can it be told from the one before, where no sweep wrote down that it was off.
  const isTold = !isOnRecord(stage, user, policy);
  plan({
    name: "the quarantine policy is detached",
    user,
    atMs: nowMs + dice.between(hours(8), days(12)),
    isInSweep: false,
    when: () => true,
    act: async () => {
      detachByHand(stage, user, policy);
      const marked = markedKeys(stage, user);
      // What no sweep has seen nobody can know.
      for (const leak of stage.leaks) {
        if (leak.user === user && leak.by === "quarantine" && !marked.includes(leak.keyId)) leak.toldMs = null;
      }
    },
  });
  stage.quarantinedMs.set(user, nowMs);
  for (const { id } of stage.cloud.iam.keysOf(user))
    addLeak(stage, { user, keyId: id, by: "quarantine", toldMs: isTold ? nowMs : null });
}

/** Whether custody's tags say of a quarantine policy that it is attached. */
function isOnRecord(stage: Stage, user: string, policy: string): boolean {
  const tags = stage.cloud.secretsManager.named(custodyName(user))?.tags ?? [];
  const known = tags.find(({ Key }) => Key === "keyturn:quarantine")?.Value.split(" ") ?? [];
  return known.includes(policy.slice(policy.lastIndexOf("/") + 1));
}

function addLeak(stage: Stage, leak: Omit<Leak, "atMs">): Leak {
  const added = { ...leak, atMs: stage.clock.now() };
  stage.leaks.push(added);
  return added;
}

/** An event or a command that names a key; a failed event comes again. */
function tellOf(
  stage: Stage,
  { user, keyId, by }: Pick<Leak, "user" | "keyId" | "by">,
  plan: Plan,
): (tries: number) => Errand {
  const event = (tries: number): Errand => ({
    name: `${by} names a key`,
    user,
    atMs: stage.clock.now(),
    isInSweep: false,
    when: () => true,
    act: async (begin) => {
      const run = begin(by === "revoke" ? by : undefined);
      const isServed = isEnrolled(stage, user);
      const leak = addLeak(stage, { user, keyId, by: by === "revoke" ? "revoke" : "health", toldMs: null });
      const isDone = await ended(run, by === "revoke" ? sayRevoke(stage, run, leak) : sayHealth(stage, run, leak));
      count(stage.coverage, "leak", `${by} ${isDone ? "answered" : "failed"}`);
      if (isDone && isServed && isEnrolled(stage, user)) leak.toldMs = stage.clock.now();
      const againMs = isDone ? undefined : AGAIN_AFTER_MS[tries];
      if (againMs !== undefined) plan({ ...event(tries + 1), atMs: stage.clock.now() + againMs });
    },
  });
  return event;
}

const sayHealth = (stage: Stage, { world }: Run, { keyId }: Leak): Promise<unknown> =>
  answerLeak(world, servingOf(stage), [accessKeyId(keyId)]);

const sayRevoke = (stage: Stage, { world }: Run, { user, keyId }: Leak): Promise<unknown> =>
  revoke(world, servingOf(stage), { user: userName(user), key: accessKeyId(keyId) });

/** Whether an invocation came to its end. */
const ended = async (run: Run, work: Promise<unknown>): Promise<boolean> =>
  Promise.race([work.then(() => true), run.died.then(() => false)]).catch(() => false);

const isEnrolled = (stage: Stage, user: string): boolean =>
  stage.cloud.iam.users.get(user)?.tags.some(({ Key }) => Key.toLowerCase() === "keyturn") === true;

/** The keys whose marks custody bears, whoever may read its pairs. */
export function markedKeys(stage: Stage, user: string): readonly string[] {
  const tags = stage.cloud.secretsManager.named(custodyName(user))?.tags ?? [];
  return tags.flatMap(({ Key }) => (Key.startsWith("keyturn:exposed/") ? [Key.slice("keyturn:exposed/".length)] : []));
}

/** Whether the world knows of a key that others have it. */
export const isLeaked = ({ leaks }: Stage, keyId: string): boolean => leaks.some((leak) => leak.keyId === keyId);

/**
 * Whether a leak of this user's is not dealt with: a leaked key works, or is what consumers are given, or no sound key took
 * its place. That a leaked key soaks excuses nothing.
 */
export function isUrgent(stage: Stage, user: string): boolean {
  const own = stage.leaks.filter((leak) => leak.user === user);
  if (own.length === 0) return false;
  const labelled = ["AWSCURRENT", "AWSPENDING"].map((label) => custodyPair(stage, user, label)?.keyId);
  const current = stage.cloud.iam.keys.get(labelled[0] ?? "");
  const isSound = current?.status === "Active" && !current.isDeleted && !isLeaked(stage, current.id);
  return own.some(({ keyId, atMs }) => {
    const key = stage.cloud.iam.keys.get(keyId);
    if (key?.isDeleted === false && key.status === "Active") return true;
    if (labelled.includes(keyId)) return true;
    return !isSound && (key?.isDeleted === false || stage.clock.now() - atMs < days(3));
  });
}

/** Whether an operator's word on a leaked key is not done yet: its key works, or is about to be handed on, or no other is current. */
export function isRevoking(stage: Stage, user: string): boolean {
  const currentId = custodyPair(stage, user, "AWSCURRENT")?.keyId ?? null;
  const current = currentId === null ? undefined : stage.cloud.iam.keys.get(currentId);
  const isSettled = current?.status === "Active" && !current.isDeleted && !isLeaked(stage, current.id);
  return stage.leaks.some(({ user: whose, keyId, by }) => {
    const isWorking = stage.cloud.iam.keys.get(keyId)?.status === "Active";
    const isPending = custodyPair(stage, user, "AWSPENDING")?.keyId === keyId;
    return whose === user && by === "revoke" && (isWorking || isPending || !isSettled);
  });
}

/** Whoever has a leaked pair fetches what custody gives for it; what is given is leaked as well. */
export function steal(stage: Stage, user: string): void {
  for (const { pair, sinceMs } of stage.thieves.filter((thief) => thief.user === user)) {
    if (stage.clock.now() - sinceMs > days(3)) continue;
    settle(stage);
    for (const VersionStage of ["AWSCURRENT", "AWSPENDING"]) {
      const keyId = readAs(stage, pair, { SecretId: custodyName(user), VersionStage });
      if (keyId === null || keyId === pair.keyId) continue;
      const readMs = stage.readMs.get(keyId) ?? new Map<string, number>();
      if (readMs.has(pair.keyId)) continue;
      stage.readMs.set(keyId, readMs.set(pair.keyId, stage.clock.now()));
      stage.trace.note(user, "thief", () => `${pair.keyId} read ${keyId} in custody`);
      count(stage.coverage, "leak", "a thief reads another pair");
    }
  }
}

function readAs(
  stage: Stage,
  pair: Parameters<Stage["cloud"]["callAs"]>[0],
  input: Record<string, string>,
): string | null {
  try {
    const answer = stage.cloud.callAs(pair, { service: "secretsmanager", operation: "GetSecretValue", input });
    const { AccessKeyId: keyId = null } = JSON.parse(String(answer["SecretString"])) as Record<string, string>;
    return keyId;
  } catch (thrown) {
    if (thrown instanceof ServiceError) return null;
    throw thrown;
  }
}

/** For how long after a leak it is looked at each hour, and for how long often: reads by a thief come to light late. */
const LIVELY_MS = hours(6);
const OFTEN_MS = hours(30);

/** How long until the next sweep for the leaks that there were. */
export function untilLookMs({ leaks, clock }: Stage): number {
  const latestMs = Math.max(...leaks.map(({ atMs }) => atMs));
  if (clock.now() - latestMs < LIVELY_MS) return hours(1);
  return clock.now() - latestMs < OFTEN_MS ? hours(4) : Number.POSITIVE_INFINITY;
}

/** Whether a thief may still find something. */
export const isLeakFresh = ({ leaks, clock }: Stage): boolean =>
  leaks.some(({ atMs }) => clock.now() - atMs < OFTEN_MS);
