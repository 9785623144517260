import { days } from "../../../src/rotation/time.ts";
import type { CloudAnswer } from "../../world/call.ts";
import type { SimulatedKey } from "../../world/iam-state.ts";
import type { Checker } from "../checker.ts";
import { custodyName, custodyPair, violate } from "../stage.ts";
import type { SimulatedSubject, Stage } from "../stage.ts";
import { WAITS_FOR_A_PERSON } from "./waits.ts";

/** Whether any version of custody has a key's pair; an intent only names the keys that were there. */
function isInCustody(stage: Stage, user: string, keyId: string): boolean {
  const versions = stage.cloud.secretsManager.named(custodyName(user))?.versions.values() ?? [];
  return [...versions].some(({ text }) => text.includes(keyId) && text.includes("SecretAccessKey"));
}

const LABELS = ["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"] as const;
/** How many sweeps in a row must have been able to tell. */
const CHANCES = 3;

/** Whatever blocks a rotation is reported once, and at each deadline, until it is over. */
export function inv12(stage: Stage): Checker {
  const invariant = "INV-12";
  /** Sweeps in a row that ended well and gave a user the same reason, or met the same overdue key. */
  const chances = new Map<string, number>();
  const toldWithinMs = days(8);
  /** By key, when a notice named it last. */
  const namedMs = new Map<string, number>();
  const made = new Set<string>();
  /** Whose a replacement is that was withdrawn CloudTrail cannot always tell: its age may be an owner's. That it is in the way is told. */
  function isNamed(user: string, { id }: SimulatedKey): boolean {
    const isLabelled = LABELS.some((label) => custodyPair(stage, user, label)?.keyId === id);
    return (
      made.has(id) && !isLabelled && stage.clock.now() - (namedMs.get(id) ?? Number.NEGATIVE_INFINITY) < toldWithinMs
    );
  }

  function blocked(user: string, what: string, code: string): void {
    const name = `${user} ${what}`;
    const times = (chances.get(name) ?? 0) + 1;
    chances.set(name, times);
    if (times < CHANCES) return;
    const toldMs = stage.toldMs.get(`${user} ${code}`) ?? Number.NEGATIVE_INFINITY;
    if (stage.clock.now() - toldMs > toldWithinMs)
      violate(stage, invariant, user, `${what} blocks, and ${code} is not told`);
  }

  function forget(user: string, kept: readonly string[]): void {
    for (const name of chances.keys()) if (name.startsWith(`${user} `) && !kept.includes(name)) chances.delete(name);
  }

  function overdue({ user, profile }: SimulatedSubject): string | null {
    // Whose tag is gone, or wrong, has no policy to outlive.
    const tags = stage.cloud.iam.users.get(user)?.tags ?? [];
    if (!tags.some(({ Key, Value }) => Key.toLowerCase() === "keyturn" && Value === profile.name)) return null;
    const pendingId = custodyPair(stage, user, "AWSPENDING")?.keyId;
    const currentId = custodyPair(stage, user, "AWSCURRENT")?.keyId;
    const keys = stage.cloud.iam.keysOf(user);
    const currentMs = keys.find(({ id }) => id === currentId)?.createdAtMs ?? Number.POSITIVE_INFINITY;
    // One whose secret was lost in the making is nobody's to hold: its age says nothing.
    const isLost = ({ id, createdAtMs }: SimulatedKey): boolean =>
      createdAtMs > currentMs && !isInCustody(stage, user, id);
    const key = keys
      .filter(({ createdAtMs }) => stage.clock.now() - createdAtMs > profile.policy.maxAgeMs)
      .filter(({ id, status }) => status === "Active" && (id !== pendingId || id === currentId))
      .filter(({ id }) => !stage.strangers.has(id) && !stage.halfAdopted.has(id))
      .find((aging) => !isLost(aging) && !isNamed(user, aging));
    return key?.id ?? null;
  }

  return {
    invariant,
    after: ({ name, answer, isStale }) => {
      if (name !== "iam.CreateAccessKey" || isStale) return;
      made.add(String((answer?.["AccessKey"] as CloudAnswer | undefined)?.["AccessKeyId"]));
    },
    noticed: (_, notices) => {
      for (const { text, isOver } of notices) {
        if (isOver) continue;
        for (const [keyId] of text.matchAll(/\bAKIA[A-Z0-9]+/g)) namedMs.set(keyId, stage.clock.now());
      }
    },
    swept: ({ runs }) => {
      // Runs at the same time saw the same world: one chance.
      for (const { run, result } of runs.slice(-1)) {
        for (const subject of stage.subjects) {
          const { user } = subject;
          const line = result?.users.find((found) => found.user === user);
          const reason = line?.decisions.at(-1)?.reason ?? "";
          const isWell = line !== undefined && !line.isFailed && result?.failedNotifiers.length === 0;
          // Whose keys cannot be listed, their age cannot be told; that it is so is told instead.
          const isBlind = run.troubles.has("iam.ListAccessKeys");
          const keyId = isWell && !isBlind ? overdue(subject) : null;
          forget(user, isWell ? [`${user} ${reason}`, `${user} ${keyId ?? ""}`] : []);
          if (isWell && WAITS_FOR_A_PERSON.has(reason)) blocked(user, reason, reason);
          if (keyId !== null) blocked(user, keyId, "KeyOverdue");
        }
      }
    },
  };
}
