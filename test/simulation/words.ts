import { obey } from "../../src/handlers/obey.ts";
import type { Command } from "../../src/handlers/command.ts";
import { RotationError } from "../../src/rotation/errors.ts";
import { accessKeyId, userName } from "../../src/rotation/keys.ts";
import { days, hours, minutes } from "../../src/rotation/time.ts";
import type { SimulatedKey } from "../world/iam-state.ts";
import { count } from "./coverage.ts";
import type { Dice } from "./dice.ts";
import { diceOf } from "./dice.ts";
import type { Errand } from "./errands.ts";
import { createKeyByHand } from "./people.ts";
import type { Run } from "./run.ts";
import { custodyPair, isPendingPair, servingOf, violate } from "./stage.ts";
import type { SimulatedSubject, Stage } from "./stage.ts";

/** What an operator types, by how often. `release` and `forget` follow from notices, `revoke` from leaks. */
const WORDS = [
  "rotate",
  "rotate",
  "hold",
  "rollback",
  "rollback",
  "reactivate",
  "retire",
  "retire",
  "adopt",
  "pause",
] as const;
type Word = (typeof WORDS)[number];

/** One command of an operator's. */
export interface WordPlan {
  readonly atMs: number;
  readonly user: number;
  readonly seed: number;
  readonly word: Word;
  readonly isInSweep: boolean;
  /** How long a hold or a pause stays. */
  readonly lastsMs: number;
  /** It is said twice, as a client does that heard no answer. */
  readonly isRepeated: boolean;
}

const WORDY_LIVES = 0.4;

export function drawWords(
  dice: Dice,
  { fromMs, untilMs, users }: { readonly fromMs: number; readonly untilMs: number; readonly users: number },
): WordPlan[] {
  const total = dice.chance(WORDY_LIVES) ? dice.between(1, 5) : 0;
  return Array.from({ length: total }, () => ({
    atMs: dice.between(fromMs, untilMs),
    user: dice.between(0, users - 1),
    seed: dice.between(1, 1_000_000),
    word: dice.pick(WORDS),
    isInSweep: dice.chance(0.25),
    lastsMs: dice.between(hours(1), days(6)),
    isRepeated: dice.chance(0.2),
  }));
}

/** Another run may have the user: the command is said again. */
const AGAIN_AFTER_MS = minutes(6);
const SAID_MAX = 3;

type Plan = (errand: Errand) => void;

/** A drawn word as something that happens, and what ends it. */
export function wordErrand(stage: Stage, subject: SimulatedSubject, drawn: WordPlan, plan: Plan): Errand {
  const { user } = subject;
  const dice = diceOf(drawn.seed, "word");
  const errand = (command: Command, said: number): Errand => ({
    name: command.command,
    user,
    atMs: stage.clock.now(),
    isInSweep: false,
    when: () => true,
    act: async (begin) => {
      const outcome = await say(stage, begin(command.command), { command, user });
      count(stage.coverage, "word", `${command.command} ${outcome}`);
      const isAgain = outcome === "failed" && said < SAID_MAX;
      if (isAgain) plan({ ...errand(command, said + 1), atMs: stage.clock.now() + AGAIN_AFTER_MS });
    },
  });
  return {
    name: `an operator types ${drawn.word}`,
    user,
    atMs: drawn.atMs,
    isInSweep: drawn.isInSweep,
    when: () => isMet(stage, user, drawn),
    act: async (begin) => {
      if (drawn.word === "adopt") makeStranger(stage, user);
      const command = commandOf(stage, subject, { word: drawn.word, dice });
      if (command === null) return;
      const end = endOf(user, drawn.word);
      if (end !== null) plan({ ...errand(end, 0), atMs: stage.clock.now() + drawn.lastsMs });
      if (drawn.isRepeated) plan({ ...errand(command, SAID_MAX), atMs: stage.clock.now() + AGAIN_AFTER_MS });
      await errand(command, 0).act(begin);
    },
  };
}

function isMet(stage: Stage, user: string, { word, seed }: WordPlan): boolean {
  const keys = stage.cloud.iam.keysOf(user);
  switch (word) {
    case "retire":
      return keys.length === 2;
    case "rollback":
      // Half of them come when the key before has been taken already.
      return seed % 2 === 0 ? isTakenBefore(stage, user) : hasPairBefore(stage, user);
    case "reactivate":
      return keys.some(({ status }) => status === "Inactive");
    case "adopt":
      return keys.length < 2 || keys.some(({ id }) => stage.strangers.has(id));
    case "rotate":
    case "hold":
    case "pause":
      return true;
  }
}

/** Somebody made a key beside ours, and an operator wants it taken over. */
function makeStranger(stage: Stage, user: string): void {
  if (stage.cloud.iam.keysOf(user).some(({ id }) => stage.strangers.has(id))) return;
  if (createKeyByHand(stage, user) !== null) stage.meddledMs.set(user, stage.clock.now());
}

const hasPairBefore = (stage: Stage, user: string): boolean =>
  isPendingPair(stage, user) || custodyPair(stage, user, "AWSPREVIOUS") !== null;

function isTakenBefore(stage: Stage, user: string): boolean {
  const before = stage.cloud.iam.keys.get(custodyPair(stage, user, "AWSPREVIOUS")?.keyId ?? "");
  return before?.isDeleted === false && before.status === "Inactive";
}

function commandOf(
  stage: Stage,
  { user: name }: SimulatedSubject,
  { word, dice }: { readonly word: Word; readonly dice: Dice },
): Command | null {
  const user = userName(name);
  const keys = stage.cloud.iam.keysOf(name);
  const currentId = custodyPair(stage, name, "AWSCURRENT")?.keyId;
  const meant = keys.filter((key) => isMeant(stage, word, { key, currentId }));
  const found = dice.pick(meant.length > 0 && dice.chance(0.85) ? meant : [...keys, ...meant, null]);
  switch (word) {
    case "rotate":
      return { command: word, user };
    case "hold":
      return { command: word, user, reason: "a freeze" };
    case "pause":
      return { command: word, reason: "a freeze" };
    case "rollback":
      return dice.chance(0.7) || found === null
        ? { command: word, user }
        : { command: word, user, key: accessKeyId(found.id) };
    case "reactivate":
    case "retire":
    case "adopt":
      return found === null ? null : { command: word, user, key: accessKeyId(found.id) };
  }
}

/** Whether a word can well be said of a key; others are said, too, and refused. */
function isMeant(
  { strangers }: Stage,
  word: Word,
  { key, currentId }: { readonly key: SimulatedKey; readonly currentId: string | undefined },
): boolean {
  if (word === "adopt") return strangers.has(key.id);
  if (word === "reactivate") return key.status === "Inactive";
  return key.id !== currentId;
}

/** What ends it. A rollback leaves a hold. */
function endOf(name: string, word: Word): Command | null {
  if (word === "pause") return { command: "resume" };
  return word === "hold" || word === "rollback" ? { command: "release", user: userName(name) } : null;
}

/** Somebody was at the user meanwhile, and took the tag away again. */
function isReleasedSince({ cloud, meddledMs }: Stage, { startedMs }: Run, user: string): boolean {
  const isTagged = cloud.iam.users.get(user)?.tags.some(({ Key }) => Key === "keyturn-hold") === true;
  return !isTagged && (meddledMs.get(user) ?? Number.NEGATIVE_INFINITY) >= startedMs;
}

/** Says it in a run of its own: "done", "refused" for a reason that will not go away, or "failed". */
async function say(
  stage: Stage,
  run: Run,
  { command, user }: { readonly command: Command; readonly user: string },
): Promise<"done" | "refused" | "failed"> {
  const keyId = "key" in command && command.key !== undefined ? String(command.key) : null;
  const isStranger = keyId !== null && stage.strangers.has(keyId);
  // From here on it may be on record, whatever is heard; and what was said before is, whatever this one hears.
  const wasSaid = keyId !== null && stage.retiring.has(keyId);
  if (command.command === "retire" && keyId !== null) stage.retiring.add(keyId);
  if (command.command === "adopt" && keyId !== null) stage.strangers.delete(keyId);
  if (command.command === "release") stage.heldByWord.delete(user);
  const said = obey(run.world, command, servingOf(stage)).then(() => "done" as const);
  const outcome = await Promise.race([said, run.died.then(() => "failed" as const)]).catch((thrown: unknown) => {
    const isRefused = thrown instanceof RotationError && ["Misconfigured", "NotFound"].includes(thrown.code);
    stage.trace.note(user, "answer", () => String(thrown));
    return isRefused ? ("refused" as const) : ("failed" as const);
  });
  if (outcome === "refused" && command.command === "retire" && keyId !== null && !wasSaid) stage.retiring.delete(keyId);
  if (outcome === "refused" && isStranger && keyId !== null) stage.strangers.add(keyId);
  if (command.command === "adopt" && keyId !== null) {
    if (outcome === "failed" && isStranger) stage.halfAdopted.add(keyId);
    if (outcome === "done") stage.halfAdopted.delete(keyId);
  }
  const isHolding = outcome === "done" && (command.command === "hold" || command.command === "rollback");
  if (isHolding && !isReleasedSince(stage, run, user)) stage.heldByWord.add(user);
  if (outcome === "done" && command.command === "pause" && stage.pausedMs === null) {
    violate(stage, "PAUSE", user, "a pause is answered, and is not on record");
  }
  return outcome;
}
