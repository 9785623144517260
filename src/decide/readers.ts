import type { Ruling } from "../rotation/decision.ts";
import type { Instant } from "../rotation/time.ts";
import { days, hours, latest, minutes, plus } from "../rotation/time.ts";
import { hasAnswered, memoryOf } from "./answers.ts";
import type { QuietClock, Replaced } from "./quiet.ts";
import { look } from "./rulings.ts";

/** It takes a look-up in every Region, and a reader that has its pair signs again. */
const ASKED_AGAIN_MS = days(1);
/** What CloudTrail showed late is read once more. */
const SHOWN_WITHIN_MS = hours(2);
/** A promotion is on record some seconds after it was made, and readers do not wait for that. */
const RECORDED_WITHIN_MS = minutes(5);

/** The profile's readers that were not seen to sign with the current key since its promotion. */
function missingReaders({ observation, profile, current }: Replaced): readonly string[] {
  const { readers } = memoryOf(observation, current.id) ?? {};
  return profile.readers.filter((name) => readers?.at[name] === undefined);
}

/**
 * Whether everybody who fetches the pair was seen to have it: each reader names itself, and signed with the current key.
 * That somebody asked for the pair is not enough: its answer may never have arrived.
 */
export function areHandedOver(replaced: Replaced): boolean {
  return replaced.profile.readers.length > 0 && missingReaders(replaced).length === 0;
}

/** Asks, once a day, who has the pair, when a read of custody with the old key keeps it from going. */
export function readersUnasked(replaced: Replaced, { base, readyAt }: QuietClock): Ruling | null {
  const { observation, profile, now, old, current } = replaced;
  const readAt = latestReadAt(replaced);
  if (readAt === null || readAt <= base || now >= readyAt || missingReaders(replaced).length === 0) return null;
  const memory = memoryOf(observation, current.id);
  const { readUntil = null } = memory?.readers ?? {};
  const isFresh = readUntil !== null && now - readUntil < ASKED_AGAIN_MS;
  if (!profile.isPulled || isFresh || hasAnswered(observation, "readers", current.id)) return null;
  const promoted = memory?.promotedAt ?? base;
  const from = latest(
    plus(promoted, -RECORDED_WITHIN_MS),
    readUntil === null ? null : plus(readUntil, -SHOWN_WITHIN_MS),
  );
  const question = { source: "readers", keyId: current.id, from: from ?? promoted } as const;
  return look([question], `which readers have ${current.id}, since one fetched it with ${old.id}`);
}

/** When the old key last read a secret, as far as it was no other use. */
function latestReadAt({ observation, old }: Replaced): Instant | null {
  const { latestRead = null, handOverAt = null } = memoryOf(observation, old.id) ?? {};
  return latest(latestRead?.at ?? null, handOverAt);
}

/** For people: what would let the old key go sooner, where a read of custody keeps it. */
export function describeReaders(replaced: Replaced): readonly string[] {
  const { profile, current } = replaced;
  if (!profile.isPulled || latestReadAt(replaced) === null) return [];
  const missing = missingReaders(replaced);
  if (profile.readers.length === 0) {
    return ["Readers of custody that do not name themselves count as any other use: docs/laptops.md says how they do"];
  }
  if (missing.length === 0) return [];
  return [`Until each reader was seen to sign with ${current.id}, its old key stays; not seen: ${missing.join(", ")}`];
}
